"""What is captured, as a value."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from records import Float, Integer, Json, Record, Reference, Text
from records.catalogue import catalogue_of
from schema.capture.describe import capture_of
from schema.capture.row_key import split
from schema.capture.shape import Capture, CapturedColumn, ChildRule, KeyPart
from schema.capture.triggers import triggers_of

BED = Capture(
    "bed",
    (KeyPart("code", "integer"),),
    (CapturedColumn(1, "code", "plain"), CapturedColumn(2, "name", "bytes")),
    (ChildRule("row", ("bed_code",), ("code",), "cascade"),),
    2,
)


def with_columns(*names: str) -> Capture:
    """The same with other columns, numbered from one."""
    columns = tuple(CapturedColumn(at, name, "plain") for at, name in enumerate(names, start=1))
    return replace(BED, columns=columns, last_number=len(names))


def test_what_is_written_is_what_is_read() -> None:
    """Through lists and texts, as a revision file or the database holds them."""
    assert Capture.from_plain(BED.as_plain()) == BED
    assert BED.numbers == {1: "code", 2: "name"}


def test_a_capture_covers_what_has_no_more_columns_and_the_same_rules() -> None:
    """Further columns do no harm; a column, a rule or a key that is missing does."""
    assert BED.covers(BED)
    assert BED.covers(replace(BED, columns=BED.columns[:1]))
    assert not replace(BED, columns=BED.columns[:1]).covers(BED)
    assert not replace(BED, children=()).covers(BED)
    assert not BED.covers(replace(BED, children=()))
    assert not BED.covers(replace(BED, key=(KeyPart("name", "text"),)))


def test_groups_are_written_and_read_and_left_out_where_there_are_none() -> None:
    """So a file or a database of a release without them describes the same."""
    grouped = replace(with_columns("a", "b", "c", "d"), groups=((1, 3), (2, 4)))
    assert Capture.from_plain(grouped.as_plain()) == grouped
    assert grouped.as_plain()["groups"] == [[1, 3], [2, 4]]
    assert set(BED.as_plain()) == {"table", "key", "columns", "children", "last_number"}


def test_a_capture_covers_groups_that_are_within_its_own() -> None:
    """What is written together with more does no harm; what is not does."""
    plain = with_columns("a", "b", "c")
    pair, whole = replace(plain, groups=((1, 2),)), replace(plain, groups=((1, 2, 3),))
    assert pair.covers(plain)
    assert whole.covers(pair)
    assert not plain.covers(pair)
    assert not pair.covers(whole)


def test_groups_follow_their_columns_to_other_numbers_and_names() -> None:
    """They are of columns, and numbers differ between databases."""
    known = with_columns("c", "x", "b").numbered_like(None)
    grouped = replace(with_columns("a", "b", "c", "d"), groups=((1, 4), (2, 3)))
    numbered = grouped.numbered_like(known)
    assert numbered.numbers == {1: "c", 3: "b", 4: "a", 5: "d"}
    assert numbered.groups == ((1, 3), (4, 5))
    assert numbered.checked() == numbered
    assert numbered.renamed("bed", "c", "e").groups == ((1, 3), (4, 5))


def test_known_columns_keep_their_numbers_and_new_ones_get_new_ones() -> None:
    """Whatever the order of declaration; the number of a column that went is not used again."""
    first = with_columns("a", "b", "c").numbered_like(None)
    assert first.numbers == {1: "a", 2: "b", 3: "c"}
    second = with_columns("d", "c", "a").numbered_like(first)
    assert second.numbers == {1: "a", 3: "c", 4: "d"}
    third = with_columns("a", "b").numbered_like(second)
    assert (third.numbers, third.last_number) == ({1: "a", 5: "b"}, 5)
    fourth = with_columns("a").numbered_like(third)
    assert with_columns("a", "b").numbered_like(fourth).numbers == {1: "a", 6: "b"}


def test_a_renamed_column_is_renamed_wherever_it_is_named() -> None:
    """In the key, among the columns, in the rules for children; in no other table."""
    renamed = BED.renamed("bed", "code", "number")
    assert renamed.key == (KeyPart("number", "integer"),)
    assert renamed.numbers == {1: "number", 2: "name"}
    assert renamed.children == (ChildRule("row", ("bed_code",), ("number",), "cascade"),)
    assert BED.renamed("row", "bed_code", "garden").children[0].columns == ("garden",)
    assert BED.renamed("other", "code", "number") == BED


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"columns": [[2, "a", "plain"], [1, "b", "plain"]]}, "not ascending"),
        ({"columns": [[1, "a", "plain"], [1, "b", "plain"]]}, "not ascending"),
        ({"columns": [[3, "a", "plain"]]}, "not ascending up to last_number"),
        ({"columns": [[1, "a", "vaguely"]]}, "unknown comparison 'vaguely'"),
        ({"columns": [[1, "a"]]}, "does not describe a capture"),
        ({"key": []}, "there is no key"),
        ({"key": [["code", "floating"]]}, "unknown form 'floating'"),
        ({"children": [["row", ["a"], ["b"], "restrict"]]}, "unknown rule 'restrict'"),
        ({"last_number": None}, "does not describe a capture"),
        ({"groups": [[2, 3]]}, "what is no column"),
        ({"groups": [[1, 2]]}, "or is in the key"),
        ({"groups": [[2]]}, "not several columns"),
        ({"groups": [[3, 2]]}, "not several columns in ascending order"),
        ({"groups": [[2, 3], [2, 3]]}, "share a column"),
        ({"groups": 3}, "does not describe a capture"),
    ],
)
def test_a_description_that_is_none_is_refused(change: dict[str, Any], told: str) -> None:
    """A revision file that was edited wrongly says where."""
    with pytest.raises(ValueError, match=told):
        Capture.from_plain(BED.as_plain() | change)


@pytest.mark.parametrize("row_key", [b"", b"\0\1a", b"\0\1a\0\5b", b"\0\1a\0\1b\0\1c", b"\0"])
def test_a_key_that_does_not_come_out_even_is_refused(row_key: bytes) -> None:
    """It is another table's, or was cut."""
    with pytest.raises(ValueError, match="is no key of 2 parts"):
        split(row_key, 2)


def test_a_class_is_captured_with_how_its_kinds_compare_and_what_its_children_do() -> None:
    """Text and JSON byte by byte; children that refer to others first; not its own kind."""

    class Bed(Record):
        code = Integer(primary=True)
        name = Text(length=9)
        weight = Float(default=0.0)
        notes = Json(default=[])
        above = Reference("self", allow_none=True, on_delete="set_null")

    class Row(Record):
        bed = Reference(Bed, on_delete="cascade")

    class Tag(Record):
        bed = Reference(Bed, allow_none=True, on_delete="set_null")
        row = Reference(Row)

    class Fence(Record):
        bed = Reference(Bed)

    catalogue = catalogue_of([Bed, Row, Tag, Fence])
    capture = capture_of(catalogue, catalogue.records["bed"])
    assert [column.comparison for column in capture.columns] == [
        "plain",
        "bytes",
        "floating",
        "bytes",
        "plain",
    ]
    assert [(rule.table, rule.on_delete) for rule in capture.children] == [
        ("tag", "set_null"),
        ("row", "cascade"),
    ]


class Item(Record):
    """What is shipped."""

    __storm_primary__ = ("shelf", "place")
    shelf = Integer()
    place = Integer()


class Shipment(Record):
    """Two groups that share a field, and a reference of two columns."""

    start = Integer(default=0)
    amount = Integer(default=0)
    end = Integer(default=0)
    currency = Text(length=3, default="")
    item = Reference(Item)
    zone = Text(length=9, default="")
    __atomic__ = (("end", "start"), ("currency", "amount"), ("zone", "end"))


def test_what_a_class_declares_as_atomic_is_captured_by_the_columns_numbers() -> None:
    """Groups that share a field are one; a reference of several columns is one by itself."""
    catalogue = catalogue_of([Shipment])
    capture = capture_of(catalogue, catalogue.records["shipment"])
    names = capture.numbers
    assert [[names[number] for number in group] for group in capture.groups] == [
        ["start", "end", "zone"],
        ["amount", "currency"],
        ["item_shelf", "item_place"],
    ]
    assert capture.checked() == capture


def test_triggers_without_a_group_ask_of_each_column_only_what_they_asked() -> None:
    """A group changes one statement of one trigger, and in it nothing of the other columns."""
    plain = with_columns("code", "a", "b", "c").numbered_like(None)
    grouped = replace(plain, groups=((2, 4),))
    lone, group = (
        {(one.timing, one.event): one.body for one in triggers_of(capture, 7, "me@here")}
        for capture in (plain, grouped)
    )
    differing = {when for when in lone if lone[when] != group[when]}
    assert differing == {("BEFORE", "UPDATE")}
    asked = {name: f"NOT (OLD.`{name}` <=> NEW.`{name}`)" for name in ("code", "a", "b", "c")}
    each = ", ".join(
        f"IF({asked[name]}, X'{digits}', '')"
        for name, digits in (("code", "8001"), ("a", "8002"), ("b", "8003"), ("c", "8004"))
    )
    together = (
        f"IF({asked['code']}, X'8001', ''), "
        f"IF({asked['a']} OR {asked['c']}, X'80028004', ''), IF({asked['b']}, X'8003', '')"
    )
    before = lone["BEFORE", "UPDATE"]
    assert before.count(each) == 1
    assert group["BEFORE", "UPDATE"] == before.replace(each, together)
