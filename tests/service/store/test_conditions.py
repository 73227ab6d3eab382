"""Conditions in SQL hold for the same rows as a naive twin says, on both servers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from records import Integer, Record, Reference, Text
from records.catalogue import catalogue_of
from records.validation import Row
from service.methods.listing import ListParser
from service.methods.operators import OPERATORS, is_sortable
from service.methods.options import list_parameters
from service.methods.params import Signature, bind
from service.store import reader, writer
from tests.service.methods.samples import ANIMAL, CATALOGUE
from tests.service.store import twin
from tests.service.store.pools import VALUES, every_comparison, every_value, insert_all
from tests.service.store.sessions import Counted, opened

ROWS = every_value()
TABLES: dict[str, list[Row]] = {"region": [], "farm": [], "animal": ROWS}


class Shelf(Record):
    """A parent with a key of two parts."""

    room = Text(length=5, primary=1)
    place = Integer(bits=32, primary=2)


class Book(Record):
    """A child of it."""

    number = Integer(bits=32, primary=True)
    shelf = Reference(Shelf, allow_none=True)


LIBRARY = catalogue_of([Shelf, Book])


@pytest.fixture
def transaction(database: str) -> Iterator[Counted]:
    """An open transaction with animals that have every value."""
    with opened(database) as tx:
        insert_all(tx, TABLES)
        yield tx


def numbers(
    tx: Counted, where: Any, order: list[str] | None = None, limit: int = 1000
) -> list[int]:
    """The animals on all pages of a list."""
    found: list[int] = []
    following: str | None = None
    for _page in range(len(ROWS) + 1):
        params = {"where": where, "order": order, "limit": limit, "next": following}
        arguments = bind(Signature(list_parameters(ANIMAL)), params)
        listing = ListParser(CATALOGUE, ANIMAL, arguments).listing()
        arguments.problems.raise_any()
        assert listing is not None
        rows, following = listing.cut(reader.page(tx, ANIMAL, listing.query))
        found += [row["number"] for row in rows]
        if following is None:
            return found
    raise AssertionError("the pages do not end")


def expected(where: Any, order: list[str] | None = None) -> list[int]:
    """What the twin says."""
    return [row["number"] for row in twin.matching(TABLES, ANIMAL, where, order or [])]


def test_every_operator_of_every_field_finds_what_it_says(transaction: Counted) -> None:
    """Each comparison and its negation, with each value, also with null."""
    for field in VALUES:
        for where in every_comparison(field):
            assert numbers(transaction, where) == expected(where), where
            negated = ["not", where]
            assert numbers(transaction, negated) == expected(negated), negated


def test_the_comparisons_tried_are_all_there_are() -> None:
    """No operator goes untested."""
    tried = {where[1] for field in VALUES for where in every_comparison(field)}
    assert tried == set(OPERATORS)


def test_every_field_sorts_and_pages_in_both_directions(transaction: Counted) -> None:
    """Ties, nulls and values that are long or look alike neither repeat nor drop a record."""
    for field in VALUES:
        if is_sortable(ANIMAL.fields[field].kind):
            other = "sort" if field == "alive" else "alive"
            for order in ([field], ["-" + field], [other, "-" + field], ["-" + other, field]):
                assert numbers(transaction, None, order, 3) == expected(None, order), order


@pytest.mark.parametrize(
    "where",
    [
        ["not", ["and", ["alive", "=", True], ["weight", ">", "1"]]],
        ["not", ["or", ["alive", "=", True], ["weight", ">", "1"]]],
        ["not", ["or", ["not", ["alive", "=", True]], ["name", "in", ["a", None]]]],
        [
            "and",
            ["or", ["sort", "<", "calf"], ["year", ">", 2000]],
            ["not", ["token", "=", "YQ=="]],
        ],
        ["or", ["and", ["not", ["not", ["alive", "is_null", True]]]], ["farm.name", "=", "a"]],
        ["not", ["farm.region.title", "=", "Bern"]],
        ["mother.mother.name", "!=", "a"],
    ],
    ids=str,
)
def test_connectives_follow_the_rules_of_true_and_false(transaction: Counted, where: Any) -> None:
    """A null makes a comparison false and its negation true, at any depth."""
    assert numbers(transaction, where) == expected(where)


@pytest.mark.parametrize(
    ("where", "expected"),
    [
        (["shelf.room", "=", "a"], [1, 2]),
        (["shelf.place", "=", 2], [2, 3]),
        (["shelf.place", "is_null", True], [4]),
    ],
    ids=str,
)
def test_each_part_of_a_parents_key_is_found_in_the_child(
    database: str, where: Any, expected: list[int]
) -> None:
    """Whichever part is asked for, without a join."""
    shelf, book = LIBRARY.records["shelf"], LIBRARY.records["book"]
    places = [("a", 1), ("a", 2), ("b", 2), (None, None)]
    with opened(database, LIBRARY) as tx:
        writer.insert(tx, shelf, [{"room": room, "place": at} for room, at in places if room])
        books = [
            {"number": number, "shelf_room": room, "shelf_place": at}
            for number, (room, at) in enumerate(places, 1)
        ]
        writer.insert(tx, book, books)
        arguments = bind(Signature(list_parameters(book)), {"where": where})
        listing = ListParser(LIBRARY, book, arguments).listing()
        assert listing is not None
        rows = reader.page(tx, book, listing.query)
        assert [row["number"] for row in rows] == expected
        assert "JOIN" not in tx.statements[-1]
