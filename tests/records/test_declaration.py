"""What can be declared wrongly, and what is said of it: every problem, each with its place."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from records import DeclarationError, Record, Reference, Text, Uuid
from records.catalogue import catalogue_of
from tests.records import wrong_declarations as wrong
from tests.records.wrong_declarations import Declared

CASES: list[tuple[Callable[[], Declared], list[str]]] = [
    (wrong.unknown_parent, ["Orphan.parent: there is no record class 'Nobody' (or more than one)"]),
    (
        wrong.parent_that_is_no_record,
        [
            "Lost.number: <class 'int'> is no record class with a table",
            "Lost.template: <class '….Template'> is no record class with a table",
        ],
    ),
    (
        wrong.wrong_reference_options,
        [
            "Stay.first: on_delete must be one of restrict, cascade, set_null, not 'explode'",
            "Stay.second: on_delete set_null needs allow_none=True",
            "Stay.third: columns must name 1, as the parent's key has",
            "Stay.fourth: a part of the key cannot be allow_none",
        ],
    ),
    (
        wrong.column_unlike_the_parent,
        [
            "Cow.herd: herd_id must be declared like Herd.id, or be left out",
            "Cow.herd: herd_id and the reference must agree on allow_none",
        ],
    ),
    (
        wrong.key_in_a_circle,
        [
            "Chicken: the primary key leads back to itself through its references",
            "Egg: the primary key leads back to itself through its references",
        ],
    ),
    (wrong.key_of_itself, ["Snake: the primary key leads back to itself through its references"]),
    (
        wrong.wrong_collections,
        [
            'Farm.no_class: References("Nothing.farm"): there is no such reference; '
            'write "Class.reference"',
            'Farm.no_reference: References("Barn.farms"): there is no such reference; '
            'write "Class.reference"',
            'Farm.no_dot: References("Barn"): there is no such reference; write "Class.reference"',
            'Farm.others: References("Barn.owner"): that reference is to another class',
            "Farm.sorted: order_by: Barn has no field 'height'",
            "Farm.sorted: order_by: Barn has no field 'farm'",
        ],
    ),
    (
        wrong.wrong_kinds,
        [
            "Thing.bits: length must be 1 to 64 bits, not 65",
            "Thing.name: length must be 1 to 16383 characters, not 20000; "
            "leave length out for the TEXT family",
            "Thing.name: collation must be one of utf8mb4, such as utf8mb4_bin, not 'latin1_bin'",
            "Thing.choice: 1 to 65535 values are needed, not 0",
            "Thing.short: an argument has the wrong type: "
            "TextKind(length='5', collation='utf8mb4_bin')",
        ],
    ),
    (
        wrong.keys_that_cannot_be,
        [
            "Measure.value: Float cannot be a key or be indexed; choose a type of fixed length",
            "Measure.text: LongText cannot be a key or be indexed; choose a type of fixed length",
            "Measure.document: Json cannot be a key or be indexed; choose a type of fixed length",
            "Measure.ratio: Float cannot be a key or be indexed; choose a type of fixed length",
            "Measure.ratio: a part of the key cannot be allow_none",
        ],
    ),
    (
        wrong.wrong_names,
        [
            "Odd._hidden: names that begin with an underscore belong to Herdbook",
            "Odd.shown: names that begin with an underscore belong to Herdbook",
            "Odd.wide: the column's name is longer than 64 characters",
        ],
    ),
    (
        wrong.wrong_defaults,
        [
            "Lazy.code: the default does not fit: 3 characters, where at most 2 fit",
            "Lazy.name: the default None needs allow_none=True",
            "Lazy.count: the default does not fit: 128 is not between -128 and 127",
        ],
    ),
    (
        wrong.storm_properties_that_lose,
        [
            "Pickled.key: Storm's Pickle cannot be kept without loss; use a field",
            "Pickled.moments: Storm's List cannot be kept without loss; use a field",
        ],
    ),
    (
        wrong.wrong_constraints,
        [
            "Row: Unique('name', 'nme'): there is no field 'nme'",
            "Row: Index() names no field",
            "Row: __constraints__ may hold Unique and Index, not 'name'",
            "Row: Unique('name', 'name') names a field twice",
            "Forgetful: __constraints__ must be a tuple, not Unique('name'); mind the comma",
        ],
    ),
    (
        wrong.wrong_groups,
        [
            "Sum.__atomic__: there is no field 'currncy'",
            "Sum.__atomic__: ('amount',) is not several fields; name all that are written together",
            "Sum.__atomic__: id is in the primary key, which does not change; leave it out",
            "Sum.__atomic__: ('shelf', 'shelf_room') names shelf_room twice",
            "Sum.__atomic__: there is no field 7",
            'Bare.__atomic__: may hold tuples such as ("amount", "currency"), not \'amount\'; '
            "mind the comma",
            'Bare.__atomic__: may hold tuples such as ("amount", "currency"), not \'currency\'; '
            "mind the comma",
            "Word.__atomic__: must be a tuple of tuples, not 'amount'",
        ],
    ),
    (
        wrong.wrong_primary_keys,
        [
            "Named: __storm_primary__ names 'nme', which is no field",
            "Single: __storm_primary__ names 'nme', which is no field",
            "Keyless: there is no primary key; give a field primary=True",
        ],
    ),
    (
        wrong.reserved_names,
        [
            "System: the name 'system' belongs to the API; rename the class",
            "Private: the table name 'herdbook_private' belongs to Herdbook",
            "Hidden: the table name '_hidden' belongs to Herdbook",
            "Stamped: the column name 'herdbook_stamp' belongs to Herdbook; give the field another "
            "name=…",
            "Stamped: the column name 'herdbook_life' belongs to Herdbook; give the field another "
            "name=…",
        ],
    ),
    (
        wrong.names_that_collide,
        [
            "2 record classes have the table 'things'; rename all but one",
            "First: 2 fields have the column 'number'",
            "Second: 2 keys have the name 'by_one'; give them names",
        ],
    ),
    (
        wrong.keys_too_wide,
        [
            "Wide: the name 'ix_wide_a_rather_long_name_for_a_field_of_a_record_that_has_an_index' "
            "is longer than 64 characters; give a shorter one",
            "Wide: the key uq_wide_first_second takes 3200 bytes, where 3072 fit; shorten a field",
            "Wide: size_in_floats is Float and cannot be in the key ix_wide_size_in_floats",
            f"Endless: the table name {'t' * 51!r} is longer than 50 characters; give a "
            'shorter one with __storm_table__ = "…"',
        ],
    ),
]


@pytest.mark.parametrize(
    ("declare", "expected"), CASES, ids=lambda part: getattr(part, "__name__", "")
)
def test_every_problem_of_a_wrong_declaration_is_reported(
    declare: Callable[[], Declared], expected: list[str]
) -> None:
    """Each problem is one line that names the class and the member and says what would be right."""
    with pytest.raises(DeclarationError) as caught:
        catalogue_of(declare())
    module = f"{wrong.__name__}.{declare.__name__}.<locals>"
    assert [line.replace(module, "…") for line in caught.value.problems] == expected


def test_problems_of_several_classes_are_reported_together() -> None:
    """One start of the node shows all that must be corrected, not one thing at a time."""
    cases: list[Any] = [
        wrong.unknown_parent,
        wrong.wrong_kinds,
        wrong.wrong_defaults,
        wrong.wrong_constraints,
    ]
    with pytest.raises(DeclarationError) as caught:
        catalogue_of([cls for declare in cases for cls in declare()])
    expected = [line for declare, lines in CASES if declare in cases for line in lines]
    assert sorted(caught.value.problems) == sorted(expected)


def test_no_record_class_at_all_is_a_problem() -> None:
    """An empty module is most likely the wrong module."""
    with pytest.raises(
        DeclarationError, match=r"there is no record class; derive one from records.Record"
    ):
        catalogue_of([])


def test_two_classes_of_one_name_are_a_problem() -> None:
    """Their API methods would be the same."""

    class Twin(Record):
        __storm_table__ = "one"

    first = Twin

    class Twin(Record):  # type: ignore[no-redef]
        __storm_table__ = "two"
        __module__ = "elsewhere"

    with pytest.raises(DeclarationError, match="2 record classes have the name 'twin'"):
        catalogue_of([first, Twin])


def test_a_key_may_be_a_uuid_text_number_moment_or_several() -> None:
    """What a user expects of a key is taken without a word."""

    class Sound(Record):
        __storm_primary__ = ("uuid", "text")
        uuid = Uuid()
        text = Text(length=40)

    assert catalogue_of([Sound]).records["sound"].key == ("uuid", "text")


def test_two_foreign_keys_of_one_name_are_a_problem() -> None:
    """Both servers want the names of foreign keys to differ in the whole database."""

    class Item(Record):
        pass

    class Order(Record):
        item_parent = Reference(Item)

    class OrderItem(Record):
        parent = Reference(Item)

    with pytest.raises(DeclarationError, match="2 foreign keys are called 'fk_order_item_parent"):
        catalogue_of([Order, OrderItem])
