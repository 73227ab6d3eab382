"""JSON becomes plain values at the edge, with every failure in its place."""

from __future__ import annotations

import uuid
from datetime import datetime
from decimal import Decimal as PlainDecimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from records import DateTime, Decimal, Integer, Record, Reference, Text, Uuid
from records.catalogue import catalogue_of
from records.errors import Failure
from records.validation import (
    Parsed,
    complete,
    incomplete_references,
    key_of,
    key_to_json,
    parse_key,
    parse_values,
    row_to_json,
    suggest,
    whole_key,
)


def even(_holder: Any, name: str, value: int) -> int:
    """A validator of Storm's form: makes numbers even, and refuses two of them."""
    if value == 7:
        raise ValueError(f"{name} must not be seven")
    if value == 8:
        raise TypeError
    return value + value % 2


class Shelf(Record):
    """A parent with a natural key of two parts."""

    room = Text(length=5, primary=1)
    place = Integer(bits=8, primary=2)


class Book(Record):
    """A child with all that a field can say."""

    id = Uuid(primary=True, default=lambda: uuid.UUID(int=5))
    shelf = Reference(Shelf, allow_none=True)
    title = Text(length=5)
    pages = Integer(bits=16, validator=even, default=2)
    price = Decimal(precision=5, scale=2, allow_none=True)


BOOK, SHELF = (catalogue_of([Book]).records[name] for name in ("book", "shelf"))


def codes(failures: list[Failure]) -> list[tuple[str, str]]:
    """Pointer and code of each failure."""
    return [(failure.pointer, failure.code) for failure in failures]


def test_values_that_fit_become_plain_ones() -> None:
    """Each by its field's kind; null where it may be."""
    parsed = parse_values(BOOK, {"title": "a", "price": "1.5", "shelf_room": None, "pages": 3})
    assert parsed.failures == []
    assert parsed.values == {
        "title": "a",
        "price": PlainDecimal("1.50"),
        "shelf_room": None,
        "pages": 4,
    }


def test_every_value_that_does_not_fit_is_told() -> None:
    """The others are kept, so that constraints can be looked at too."""
    data = {"title": "abcdef", "pages": None, "price": "x", "titel": 1, "id": str(uuid.UUID(int=1))}
    parsed = parse_values(BOOK, data, 3, ("a/b", 0))
    assert [(failure.index, failure.pointer, failure.code) for failure in parsed.failures] == [
        (3, "/a~1b/0/title", "value.too_long"),
        (3, "/a~1b/0/pages", "value.null"),
        (3, "/a~1b/0/price", "value.bad_format"),
        (3, "/a~1b/0/titel", "field.unknown"),
    ]
    assert "did you mean title?" in parsed.failures[3].message
    assert parsed.values == {"id": uuid.UUID(int=1)}
    assert parsed.refused == {"title", "pages", "price", "titel"}


@pytest.mark.parametrize("data", [None, "x", 5, [], [{}], True])
def test_a_record_that_is_no_object_is_one_failure(data: Any) -> None:
    """There are no fields to speak of."""
    assert codes(parse_values(BOOK, data).failures) == [("", "value.wrong_type")]


@pytest.mark.parametrize(("pages", "message"), [(7, "must not be seven"), (8, "not acceptable")])
def test_a_validator_refuses_in_its_own_words(pages: int, message: str) -> None:
    """Or in ours, where it has none."""
    (failure,) = parse_values(BOOK, {"pages": pages}).failures
    assert (failure.pointer, failure.code) == ("/pages", "value.refused")
    assert message in failure.message


def test_what_a_validator_makes_of_a_value_must_fit_as_well() -> None:
    """32767 would become 32768, which 16 bits do not hold."""
    assert codes(parse_values(BOOK, {"pages": 32767}).failures) == [
        ("/pages", "value.out_of_range")
    ]


def test_a_new_record_gets_defaults_and_misses_what_must_be_given() -> None:
    """What was refused already is not told a second time as missing."""
    whole = complete(BOOK, Parsed({"title": "a"}))
    assert whole.failures == []
    assert whole.values == {
        "id": uuid.UUID(int=5),
        "shelf_room": None,
        "shelf_place": None,
        "title": "a",
        "pages": 2,
        "price": None,
    }
    assert list(whole.values) == list(BOOK.fields)
    assert codes(complete(BOOK, Parsed()).failures) == [("/title", "value.required")]
    refused = complete(BOOK, parse_values(BOOK, {"title": 5}))
    assert codes(refused.failures) == [("/title", "value.wrong_type")]
    assert "title" not in refused.values


@pytest.mark.parametrize(
    "data", ["00000000-0000-0000-0000-000000000001", {"id": str(uuid.UUID(int=1))}]
)
def test_a_key_of_one_field_is_bare_or_named(data: Any) -> None:
    """Both mean the same."""
    assert parse_key(BOOK, data) == ((uuid.UUID(int=1),), [])


@pytest.mark.parametrize("data", [{"place": 1, "room": "a"}, ["a", 1]])
def test_a_key_of_several_fields_is_an_object_or_a_list_in_order(data: Any) -> None:
    """The parts stand in the key's order, whatever the order of the object."""
    assert parse_key(SHELF, data) == (("a", 1), [])


@pytest.mark.parametrize(
    ("record", "data", "expected"),
    [
        (BOOK, "x", [("/k", "value.bad_format")]),
        (BOOK, None, [("/k", "value.null")]),
        (BOOK, {}, [("/k/id", "value.required")]),
        (BOOK, {"id": 5}, [("/k/id", "value.wrong_type")]),
        (BOOK, {"id": str(uuid.UUID(int=1)), "title": "a"}, [("/k/title", "field.not_in_key")]),
        (BOOK, {"idd": "x"}, [("/k/idd", "field.unknown"), ("/k/id", "value.required")]),
        (SHELF, "a", [("/k", "value.wrong_type")]),
        (SHELF, ["a"], [("/k", "value.wrong_type")]),
        (SHELF, ["a", 1, 2], [("/k", "value.wrong_type")]),
        (SHELF, {"room": "a"}, [("/k/place", "value.required")]),
        (SHELF, ["toolong", 999], [("/k", "value.too_long"), ("/k", "value.out_of_range")]),
    ],
)
def test_a_key_that_does_not_fit_is_told_with_its_place(
    record: Any, data: Any, expected: list[tuple[str, str]]
) -> None:
    """There is no key then."""
    key, failures = parse_key(record, data, None, ("k",))
    assert key is None
    assert codes(failures) == expected


@given(
    st.fixed_dictionaries(
        {
            "id": st.uuids(),
            "shelf_room": st.none() | st.text("abc", max_size=5),
            "shelf_place": st.none() | st.integers(-128, 127),
            "title": st.text(st.characters(codec="utf-8"), max_size=5),
            "pages": st.integers(-50, 3).map(lambda half: 2 * half),
            "price": st.none() | st.decimals(-999, 999, places=2),
        }
    )
)
def test_a_row_comes_back_from_its_json_form(row: dict[str, Any]) -> None:
    """What is sent out can be sent in."""
    sent = row_to_json(BOOK, row)
    assert parse_values(BOOK, sent) == Parsed(row)
    key = key_of(BOOK, row)
    assert parse_key(BOOK, key_to_json(BOOK, key)) == (key, [])


def test_a_key_in_json_is_bare_or_an_object() -> None:
    """As clients send it."""
    assert key_to_json(SHELF, ("a", 1)) == {"room": "a", "place": 1}
    assert key_to_json(BOOK, (uuid.UUID(int=1),)) == str(uuid.UUID(int=1))


def test_only_near_names_are_suggested() -> None:
    """Anything else would mislead."""
    assert suggest("titel", BOOK.fields) == "; did you mean title?"
    assert suggest("zzz", BOOK.fields) == ""


def test_a_record_is_told_of_each_unknown_field_up_to_a_limit() -> None:
    """With one member more it is told once what it is: no such record."""
    unknown = {f"field{number}": 1 for number in range(len(BOOK.fields) + 20)}
    assert len(parse_values(BOOK, unknown).failures) == len(unknown)
    refused = parse_values(BOOK, unknown | {"one_more": 1})
    assert codes(refused.failures) == [("", "value.wrong_type")]
    assert "27 members, where a book has 6 fields" in refused.failures[0].message
    assert refused.refused == set(BOOK.fields)


@pytest.mark.parametrize(
    ("shelf", "expected"),
    [
        ({}, []),
        ({"shelf_room": None, "shelf_place": None}, []),
        ({"shelf_room": "a", "shelf_place": 1}, []),
        ({"shelf_room": "a"}, ["/shelf_place"]),
        ({"shelf_room": "a", "shelf_place": None}, ["/shelf_place"]),
        ({"shelf_room": None, "shelf_place": 0}, ["/shelf_room"]),
    ],
    ids=str,
)
def test_a_reference_is_given_whole_or_not_at_all(
    shelf: dict[str, Any], expected: list[str]
) -> None:
    """The servers would take half of one for none, and never look for the parent."""
    found = complete(BOOK, parse_values(BOOK, {"title": "a"} | shelf), 2).failures
    assert codes(found) == [(pointer, "reference.incomplete") for pointer in expected]
    assert all(failure.index == 2 for failure in found)


def test_half_a_reference_whose_other_half_was_refused_is_told_once() -> None:
    """What the client meant is not known."""
    data = {"title": "a", "shelf_room": None, "shelf_place": "x"}
    found = complete(BOOK, parse_values(BOOK, data)).failures
    assert codes(found) == [("/shelf_place", "value.bad_format")]


def test_half_references_of_a_row_are_found_with_their_place() -> None:
    """As an update would leave it."""
    row = {"title": "a", "shelf_room": "a", "shelf_place": None}
    (failure,) = incomplete_references(BOOK, row, 1, ("records", 1))
    assert (failure.pointer, failure.index) == ("/records/1/shelf_place", 1)
    assert "shelf_room, shelf_place" in failure.message
    assert list(incomplete_references(BOOK, {"shelf_place": None})) == []


def test_a_key_is_whole_or_none() -> None:
    """A part of it names no record."""
    assert whole_key(SHELF, {"room": "a", "place": 1, "other": 2}) == ("a", 1)
    assert whole_key(SHELF, {"room": "a"}) is None


def test_a_default_function_that_gives_what_does_not_fit_is_a_failure_with_its_place() -> None:
    """The developer's mistake comes back as one of the call's failures, with its place."""

    class Visit(Record):
        at = DateTime(default=lambda: datetime(2026, 1, 31))
        left = DateTime(allow_none=True, default=lambda: None)

    info = catalogue_of([Visit]).records["visit"]
    made = complete(info, Parsed(), 4)
    assert made.values["left"] is None
    (failure,) = made.failures
    assert (failure.code, failure.pointer, failure.index) == ("value.wrong_type", "/at", 4)
    assert "the declared default does not fit" in failure.message
