"""What follows from a declaration: tables, columns, keys and references, as plain values."""

from __future__ import annotations

import bisect
import gc
from typing import Any

import pytest
import storm.properties as plain

from records import (
    Bytes,
    DateTime,
    Decimal,
    DeclarationError,
    Index,
    Integer,
    Json,
    Record,
    Reference,
    References,
    Text,
    Unique,
    Uuid,
    ValueRefused,
)
from records.catalogue import MISSING, KeyInfo, Order, catalogue_of
from records.kinds.binary import LongBytesKind
from records.kinds.documents import JsonKind
from records.kinds.identifiers import UuidKind
from records.kinds.numbers import BooleanKind, DecimalKind, FloatKind, IntegerKind
from records.kinds.text import LongTextKind, TextKind
from records.kinds.times import DateKind, DateTimeKind


class Stamped:
    """Fields for any record, from a class that is no record."""

    made_at = DateTime(precision=0)


class Named(Record):
    """Fields, references and keys for records to inherit."""

    __abstract__ = True
    name = Text(length=50, index=True)
    country = Reference("Land", on_delete="cascade")
    above = Reference("self", allow_none=True, on_delete="set_null")


class Town(Stamped, Named):
    """Inherits from both, and overrides one field."""

    name = Text(length=60, unique=True)
    streets = References("Street.town", order_by=("-name", "id"))


class Village(Named):
    """Inherits the same, for a table of its own."""

    __storm_table__ = "hamlet"
    mayor = Reference("Mayor", allow_none=True, unique=True, columns=("boss",))


class Land(Record):
    """Declared after those that refer to it; its key is natural."""

    code = Text(length=2, primary=True, name="iso")
    towns = References("Town.country")
    mayor = Reference("Mayor", allow_none=True)


class Mayor(Record):
    """Refers back to what refers to it."""

    number = Integer(primary=True, bits=32, unsigned=True)
    land = Reference(Land)


class Street(Record):
    """Refers to a parent, and has keys over several fields."""

    __constraints__ = (Unique("town", "name"), Index("name", "town", name="by_name"))
    town = Reference(Town)
    name = Text(length=100, name="title")


class House(Record):
    """A key of three parts, one of them a reference."""

    street = Reference(Street, primary=True)
    number = Integer(primary=2, bits=16)
    letter = Text(length=1, primary=3)


class Flat(Record):
    """A reference of three columns."""

    house = Reference(House, on_delete="cascade", columns=("street", "house_no", "house_letter"))


CATALOGUE = catalogue_of([Town, Village, Flat])


def test_parents_are_found_and_each_class_is_there_once() -> None:
    """The catalogue is closed: whatever is referred to is in it."""
    assert sorted(CATALOGUE.records) == sorted(
        ["town", "village", "land", "mayor", "street", "house", "flat"]
    )


def test_tables_and_columns_have_predictable_names_that_can_be_overridden() -> None:
    """The class gives the table's name and the field the column's, unless said otherwise."""
    assert {name: info.table for name, info in CATALOGUE.records.items()} == {
        **{name: name for name in CATALOGUE.records},
        "village": "hamlet",
    }
    assert CATALOGUE.records["land"].fields["code"].column == "iso"
    village = CATALOGUE.records["village"]
    assert village.columns(village.fields) == (
        "id",
        "name",
        "country_code",
        "above_id",
        "boss",
    )


def test_a_record_without_a_key_gets_a_uuid_first() -> None:
    """`id` comes first, and each new record has another."""
    field = CATALOGUE.records["street"].fields["id"]
    assert (field.kind, field.allow_none, field.required) == (UuidKind(), False, False)
    assert field.new_value() != field.new_value()
    assert CATALOGUE.records["street"].key == ("id",)


def test_a_reference_makes_columns_of_the_parents_kind_in_its_place() -> None:
    """A text key, a number, a composite key: the columns are like them, where the reference is."""
    street, flat = CATALOGUE.records["street"], CATALOGUE.records["flat"]
    assert list(street.fields) == ["id", "town_id", "name"]
    assert list(flat.fields) == ["id", "house_street_id", "house_number", "house_letter"]
    assert flat.columns(flat.fields) == ("id", "street", "house_no", "house_letter")
    kinds = [field.kind for field in flat.fields.values()]
    assert kinds == [UuidKind(), UuidKind(), IntegerKind(16), TextKind(1)]
    assert {field.reference for field in flat.fields.values()} == {None, "house"}
    assert CATALOGUE.records["village"].fields["mayor_number"].allow_none


def test_references_know_parent_columns_and_rule() -> None:
    """All that a foreign key and a deletion need."""
    reference = CATALOGUE.records["flat"].references["house"]
    assert (reference.target, reference.on_delete, reference.allow_none) == (
        "house",
        "cascade",
        False,
    )
    assert reference.fields == ("house_street_id", "house_number", "house_letter")
    assert reference.target_fields == ("street_id", "number", "letter")
    assert reference.constraint == "fk_flat_street_house_no_house_letter"


def test_keys_keep_the_order_that_was_asked_for() -> None:
    """A composite key: the reference's columns first, then by number."""
    assert CATALOGUE.records["house"].key == ("street_id", "number", "letter")


def test_unique_keys_and_indexes_follow_from_fields_references_and_constraints() -> None:
    """A foreign key has an index, a one-to-one reference a unique key, none is made twice."""
    town, street = CATALOGUE.records["town"], CATALOGUE.records["street"]
    village, house = CATALOGUE.records["village"], CATALOGUE.records["house"]
    assert town.uniques == (KeyInfo("uq_town_name", ("name",)),)
    assert village.uniques == (KeyInfo("uq_hamlet_boss", ("mayor_number",)),)
    assert {key.name for key in village.indexes} == {
        "ix_hamlet_name",
        "ix_hamlet_country_code",
        "ix_hamlet_above_id",
    }
    assert street.uniques == (KeyInfo("uq_street_town_id_title", ("town_id", "name")),)
    assert street.indexes == (
        KeyInfo("ix_street_town_id", ("town_id",)),
        KeyInfo("by_name", ("name", "town_id")),
    )
    assert house.indexes == ()


def test_inherited_references_belong_to_each_class_by_itself() -> None:
    """Two classes of one abstract base: each refers to itself, and to the common parent."""
    for name in ("town", "village"):
        references = CATALOGUE.records[name].references
        assert references["above"].target == name
        assert references["country"].target == "land"
    assert CATALOGUE.records["town"].fields["name"].kind == TextKind(60)
    assert CATALOGUE.records["village"].fields["name"].kind == TextKind(50)
    assert CATALOGUE.records["town"].fields["made_at"].kind == DateTimeKind(0)


def test_collections_know_child_reference_and_order() -> None:
    """A minus turns the order round."""
    streets = CATALOGUE.records["town"].collections["streets"]
    assert (streets.child, streets.reference) == ("street", "town")
    assert streets.order_by == (Order("name", descending=True), Order("id"))


def test_children_are_found_from_their_parent() -> None:
    """Every reference to a class, its own included."""
    found = [(child.name, ref.name) for child, ref in CATALOGUE.children_of("town")]
    assert sorted(found) == [("street", "town"), ("town", "above")]


def test_plain_storm_properties_are_fields() -> None:
    """What was declared with Storm's own properties has kinds, defaults and NULL like the rest."""

    class Old(Record):
        __storm_primary__ = "code"
        code = plain.Unicode(primary=True)
        flag = plain.Bool(default=True)
        count = plain.Int(allow_none=False)
        ratio = plain.Float()
        price = plain.Decimal()
        raw = plain.Bytes(default_factory=bytes)
        text = plain.Unicode()
        moment = plain.DateTime()
        day = plain.Date()
        data = plain.JSON()

    record = catalogue_of([Old]).records["old"]
    assert [field.kind for field in record.fields.values()] == [
        TextKind(191),
        BooleanKind(),
        IntegerKind(),
        FloatKind(),
        DecimalKind(65, 30),
        LongBytesKind(),
        LongTextKind(),
        DateTimeKind(),
        DateKind(),
        JsonKind(),
    ]
    assert [name for name, field in record.fields.items() if not field.allow_none] == [
        "code",
        "count",
    ]
    assert record.fields["flag"].default is True
    assert record.fields["raw"].new_value() == b""
    assert record.fields["text"].default is MISSING


def test_defaults_are_checked_and_never_shared() -> None:
    """A function's result must fit as well; a document of one record is not another's."""

    class Draft(Record):
        body = Json(default={"parts": []})
        price = Decimal(precision=5, scale=2, default=1)

    class Wordy(Record):
        title = Text(length=3, default=lambda: "long")

    fields = catalogue_of([Draft, Wordy]).records["wordy"].fields
    with pytest.raises(ValueRefused, match="4 characters, where at most 3 fit"):
        fields["title"].new_value()
    one, two = Draft(), Draft()
    assert str(one.price) == "1.00"
    one.body["parts"].append(1)
    assert two.body == {"parts": []}


def test_a_class_may_be_declared_again_in_the_same_module() -> None:
    """In a notebook or an interpreter the last declaration counts, also for those who name it."""

    class Animal(Record):
        pass

    class Animal(Record):  # type: ignore[no-redef]  # noqa: F811
        legs = Integer()

    class Leash(Record):
        animal = Reference("Animal")

    catalogue = catalogue_of([Leash])
    assert catalogue.records["animal"].cls is Animal
    assert "legs" in catalogue.records["animal"].fields


def test_a_class_of_another_module_is_named_with_its_module() -> None:
    """Where the bare name would be ambiguous, the module's name decides."""
    kept: list[type] = []
    for module in ("stable", "pasture"):
        make: Any = type(Record)
        kept.append(make("Horse", (Record,), {"__module__": module}))

    class Rider(Record):
        horse = Reference("stable.Horse")

    class Groom(Record):
        horse = Reference("Horse")

    assert catalogue_of([Rider]).records["horse"].cls.__module__ == "stable"
    with pytest.raises(DeclarationError, match="no record class 'Horse' \\(or more than one\\)"):
        catalogue_of([Groom])


def test_a_class_that_only_another_module_has_is_found_by_its_bare_name() -> None:
    """Once all is declared; until then the one that is meant may be yet to come."""
    make: Any = type(Record)
    foreign = make("Wagon", (Record,), {"__module__": "yard"})

    class Coachman(Record):
        wagon = Reference("Wagon")

    assert not hasattr(Coachman, "wagon_id")
    assert catalogue_of([Coachman]).records["wagon"].cls is foreign

    class Driver(Record):
        wagon = Reference("Wagon")

    own = make("Wagon", (Record,), {"__module__": __name__})
    assert catalogue_of([Driver]).records["wagon"].cls is own


def test_bytes_and_uuids_may_be_keys_with_names_of_their_own() -> None:
    """Overridden columns appear in the names of keys."""

    class Token(Record):
        __constraints__ = (Unique("owner", "digest", name="one_each"),)
        digest = Bytes(length=32, primary=True, name="sha256")
        owner = Uuid(unique=True, name="owned_by")

    record = catalogue_of([Token]).records["token"]
    assert record.uniques == (
        KeyInfo("uq_token_owned_by", ("owner",)),
        KeyInfo("one_each", ("owner", "digest")),
    )
    assert record.columns(record.key) == ("sha256",)


def test_no_class_is_collected_while_storm_takes_in_another(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """One that goes while Storm inserts the next into its sorted list would break the insertion."""
    collecting: list[bool] = []

    def insert(found: Any, item: Any) -> None:
        collecting.append(gc.isenabled())
        bisect.insort_left(found, item)

    monkeypatch.setattr(plain, "insort_left", insert)

    class Passing(Record):
        name = Integer()

    assert collecting == [False, False]
    assert gc.isenabled()
    assert catalogue_of([Passing]).records["passing"].key == ("id",)
