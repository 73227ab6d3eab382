"""Records of one call that name each other as parents in another spelling than their own."""

from __future__ import annotations

from typing import Any

import pytest

from records import Integer, Record, Reference, Text
from records.catalogue import catalogue_of
from records.validation import Row
from records.values import RecordInfo
from schema import direct
from service.database_url import DatabaseUrl
from service.errors import Refused
from service.store.alike import alike
from service.store.operations import Create
from service.store.order import Alike
from service.store.work import RetryPolicy
from tests.service.store.direct import done, stored
from tests.service.store.tools import carry_out, full_row, in_transaction, read, working


class Region(Record):
    """A tree by codes that the server finds however they are written."""

    code = Text(length=10, collation="utf8mb4_general_ci", primary=True)
    within = Reference("self", allow_none=True)
    rank = Integer(bits=8, unique=True, allow_none=True)


class Word(Record):
    """A tree by exact text, which the server compares without spaces at the end."""

    text = Text(length=10, primary=True)
    root = Reference("self", allow_none=True)


class Address(Record):
    """A tree by long texts that the server finds however they are written."""

    path = Text(length=700, collation="utf8mb4_general_ci", primary=True)
    above = Reference("self", allow_none=True)


class Part(Record):
    """A tree by a key of a number and a text."""

    __storm_primary__ = ("number", "name")
    number = Integer(bits=32)
    name = Text(length=10, collation="utf8mb4_general_ci")
    whole = Reference("self", allow_none=True, columns=("whole_number", "whole_name"))


CATALOGUE = catalogue_of([Region, Word, Part, Address])
REGION, WORD, PART, ADDRESS = (
    CATALOGUE.records[name] for name in ("region", "word", "part", "address")
)


@pytest.fixture
def trees(database: str) -> str:
    """A database with the empty tables."""
    direct.create_tables(DatabaseUrl.parse(database).as_sqlalchemy(), CATALOGUE)
    return database


def region(code: str, within: str | None = None, rank: int | None = None) -> Row:
    """A region."""
    return full_row(REGION, code=code, within_code=within, rank=rank)


def refused(url: str, *rows: Row) -> list[tuple[int | None, str]]:
    """What a call that creates these regions is refused for."""
    with stored(url, CATALOGUE) as records, pytest.raises(Refused) as caught:
        done(records.create(REGION, rows, ()))
    return [(failure.index, failure.code) for failure in caught.value.failures]


def test_a_parent_in_other_letters_is_created_before_its_children(trees: str) -> None:
    """In whatever order they are given; the rows stay as they were written."""
    rows = [region("muc", "By"), region("BY", "de"), region("DE"), region("X", "x")]
    carry_out(trees, CATALOGUE, Create(REGION, rows))
    found = read(trees, "SELECT code, within_code FROM region ORDER BY code")
    assert found == [("BY", "de"), ("DE", None), ("muc", "By"), ("X", "x")]


def test_spaces_at_the_end_do_not_count_where_the_server_does_not_count_them(trees: str) -> None:
    """Also in an exact collation; letters do count there."""
    rows = [full_row(WORD, text="leaf", root_text="stem  "), full_row(WORD, text="stem")]
    carry_out(trees, CATALOGUE, Create(WORD, rows))
    assert len(read(trees, "SELECT * FROM word")) == 2
    other = [full_row(WORD, text="a", root_text="B"), full_row(WORD, text="b")]
    with stored(trees, CATALOGUE) as records, pytest.raises(Refused) as caught:
        done(records.create(WORD, other, ()))
    assert [failure.code for failure in caught.value.failures] == ["reference.missing"]


def test_a_key_of_several_fields_is_compared_as_a_whole(trees: str) -> None:
    """The number as it is, the text as the server does."""

    def part(number: int, name: str, *whole: Any) -> Row:
        whole_number, whole_name = whole or (None, None)
        values = {"whole_number": whole_number, "whole_name": whole_name}
        return full_row(PART, number=number, name=name, **values)

    rows = [part(3, "a", 2, "É"), part(2, "e", 1, "A"), part(1, "a")]
    carry_out(trees, CATALOGUE, Create(PART, rows))
    assert len(read(trees, "SELECT * FROM part")) == 3


def test_a_refused_call_is_not_blamed_for_parents_in_other_letters(trees: str) -> None:
    """Only for what is wrong with it: a rank that is taken, and a parent that is not there."""
    carry_out(trees, CATALOGUE, Create(REGION, [region("OLD", rank=1)]))
    told = refused(trees, region("BY", "de"), region("DE"), region("HE", "fr"), region("X", "x", 1))
    assert told == [(2, "reference.missing"), (3, "unique.taken")]


def test_a_circle_in_other_letters_is_a_circle(trees: str) -> None:
    """It is told as one, of both."""
    told = refused(trees, region("A", "b"), region("B", "a"))
    assert told == [(0, "reference.circular"), (1, "reference.circular")]


def test_the_server_is_not_asked_where_all_is_written_alike(trees: str) -> None:
    """Nor where no row has a parent."""
    same = [region("A", "B"), region("B"), region("C")]
    assert in_transaction(trees, CATALOGUE, lambda tx: dict(alike(tx, REGION, same))) == {}
    other = [region("A", "b"), region("B")]
    numbers = in_transaction(trees, CATALOGUE, lambda tx: dict(alike(tx, REGION, other)))
    assert numbers["code"]["b"] == numbers["code"]["B"] != numbers["code"]["A"]


def asked(url: str, record: RecordInfo, rows: list[Row]) -> Alike:
    """What the server takes for the same among these rows."""
    with working(url, CATALOGUE, policy=RetryPolicy(attempts=1)) as worker:
        return worker.run(lambda tx: alike(tx, record, rows))


def test_texts_are_compared_by_the_collation_of_their_field(trees: str) -> None:
    """Of an exact one letters differ that are the same of another; spaces at the end do not."""
    pairs = [("B", "b"), ("stem", "stem  "), ("é", "E")]
    words = [full_row(WORD, text=text, root_text=root) for text, root in pairs]
    regions = [region(text, root) for text, root in pairs]
    same_words, same_regions = (
        asked(trees, WORD, words)["text"],
        asked(trees, REGION, regions)["code"],
    )
    assert [same_words[text] == same_words[root] for text, root in pairs] == [False, True, False]
    assert [same_regions[text] == same_regions[root] for text, root in pairs] == [True] * 3


def each_above_the_next(paths: list[str]) -> list[Row]:
    """A chain: each row names the one before it in capital letters."""
    above = [None, *(path.upper() for path in paths)]
    return [
        full_row(ADDRESS, path=path, above_path=named)
        for path, named in zip(paths, above, strict=False)
    ]


def all_are_found(url: str, rows: list[Row]) -> bool:
    """Whether each row of a chain is known to name the one before it, and no other."""
    same = asked(url, ADDRESS, rows)["path"]
    found = [same[row["above_path"]] for row in rows[1:]]
    keys = [same[row["path"]] for row in rows]
    return found == keys[:-1] and len(set(keys)) == len(rows)


def test_texts_that_differ_only_far_behind_are_told_apart_and_found(trees: str) -> None:
    """Servers sort by the first 1,024 bytes, unless told to look further."""
    assert all_are_found(trees, each_above_the_next(["ж" * 690 + f"a{at:05}" for at in range(300)]))


def test_more_texts_than_one_statement_takes_are_compared_all_with_all(trees: str) -> None:
    """Of letters that take two bytes, and of signs that are written with four in a statement."""
    count = 14_000
    tail = '\\"' * 40
    assert all_are_found(
        trees,
        each_above_the_next([f"{at * 7919 % count:05}" + "ж" * 170 + tail for at in range(count)]),
    )
