"""A delta of any length comes in parts that are small, and memory does not grow with it."""

from __future__ import annotations

import resource
import time
from pathlib import Path

import pytest

from records import Bytes, Integer, Record
from records.catalogue import catalogue_of
from schema.direct import create_tables
from service.database_url import DatabaseUrl
from service.herd.deltas import Delta
from service.herd.weights import weight_of_entry, weight_of_row
from service.store.herd.delta_parts import Sizes
from service.store.herd.described import describe
from service.store.herd.reading import Bounds
from service.store.herd.sizes import fitting
from service.store.transaction import Transaction
from tests.service.store.herd.deltas import own, parts_of, reader_at, sealed
from tests.service.store.sealing.tools import run
from tests.service.store.tools import in_transaction, read

SMALL = Bounds(sizes=Sizes(most_rows=4, most_bytes=3_000, most_lines=6))
MOST_GROWTH = 60 * 2**20
MOST_GROWTH_A_ROW = 200
"""Bytes: less than what is told of one row, so that none may stay."""


def parts(url: str, bounds: Bounds = SMALL) -> list[Delta]:
    """All that is there, in small parts."""
    return list(parts_of(reader_at(url, bounds=bounds).read({})))


def test_parts_are_small_and_hold_everything_once(ranch: str) -> None:
    """Each row with all its entries, each under the same vectors; only the last is `last`."""
    rows = ", ".join(f"({number}, '{'x' * 40}')" for number in range(1, 31))
    run(ranch, f"INSERT INTO ranch (number, name) VALUES {rows}")
    run(ranch, "UPDATE ranch SET name = 'y' WHERE number % 3 = 0")
    sealed(ranch)
    found = parts(ranch)
    assert len(found) > 5
    assert [part.last for part in found] == [False] * (len(found) - 1) + [True]
    assert {tuple(part.covers.items()) for part in found} == {((own(ranch), 40),)}
    for part in found:
        assert len(part.rows) <= 4
        assert {entry.place for entry in part.entries} == {row.place for row in part.rows}
        assert sum(map(weight_of_row, part.rows)) + sum(map(weight_of_entry, part.entries)) <= 3_000
    places = [row.place for part in found for row in part.rows]
    assert sorted(places) == [("ranch", (number,)) for number in range(1, 31)]
    assert sum(len(part.entries) for part in found) == 40


def test_parents_come_before_their_children_and_die_after_them(ranch: str) -> None:
    """Across all parts, whatever order they were written in."""
    for number in range(1, 9):
        run(
            ranch,
            f"INSERT INTO ranch (number) VALUES ({number})",
            "INSERT INTO stable (number, ranch_number, sign) VALUES "
            f"({number}, {number}, {number})",
            "INSERT INTO horse (number, stable_number, mother_number, chip) VALUES "
            f"({number}, {number}, NULLIF({number - 1}, 0), {number})",
        )
    run(ranch, "DELETE FROM horse WHERE number > 4 ORDER BY number DESC")
    run(ranch, "DELETE FROM ranch WHERE number > 4")
    sealed(ranch)
    rows = [row for part in parts(ranch) for row in part.rows]
    assert [(row.table, row.state.alive) for row in rows] == [
        *(("ranch", True),) * 4,
        *(("stable", True),) * 4,
        *(("horse", True),) * 4,
        *(("horse", False),) * 4,
        *(("stable", False),) * 4,
        *(("ranch", False),) * 4,
    ]
    # Within a table, who was written first comes first, and dies last.
    horses = [row.key[0] for row in rows if row.table == "horse"]
    assert horses == [1, 2, 3, 4, 8, 7, 6, 5]


def test_a_row_that_is_dead_though_its_entries_say_otherwise_comes_with_the_dead(
    ranch: str,
) -> None:
    """The other node knows of the death already; an older update came here late."""
    run(
        ranch,
        "INSERT INTO ranch (number) VALUES (1)",
        "DELETE FROM ranch WHERE number = 1",
        "INSERT INTO ranch (number) VALUES (2)",
        "INSERT INTO herdbook_inbox (table_name, row_key, kind, life, origin, stamp, writer, "
        "at_origin, applied) VALUES ('ranch', '1', 'update', 1, 77, 5, 'them', 9, 1)",
    )
    sealed(ranch)
    reading = reader_at(ranch, bounds=SMALL).read({own(ranch): 2})
    rows = [row for part in parts_of(reading) for row in part.rows]
    assert [(row.key, row.state.alive) for row in rows] == [((2,), True), ((1,), False)]


def test_a_row_that_was_written_very_often_comes_first_and_its_entries_follow(ranch: str) -> None:
    """With it go the entries whose values it still shows."""
    run(ranch, "INSERT INTO ranch (number) VALUES (1)", "INSERT INTO ranch (number) VALUES (2)")
    run(ranch, *(f"UPDATE ranch SET name = '{at}' WHERE number = 1" for at in range(30)))
    sealed(ranch)
    found = parts(ranch)
    first = next(part for part in found if ("ranch", (1,)) in {row.place for row in part.rows})
    assert [entry.position for entry in first.entries] == [1, 32]
    (row,) = first.rows
    assert (row.whole, row.state.values["2"]) == (True, "29")
    positions = [entry.position for part in found for entry in part.entries]
    assert sorted(positions) == list(range(1, 33))
    assert all(len(part.entries) <= 6 for part in found)
    above = {own(ranch): 2}
    (row,) = (r for p in parts_of(reader_at(ranch, bounds=SMALL).read(above)) for r in p.rows)
    assert (row.whole, row.state.values) == (False, {"2": "29"})


class Picture(Record):
    """A row that may be small or large."""

    number = Integer(primary=True, bits=32)
    content = Bytes(size="long", default=b"")


PICTURES = catalogue_of([Picture])


@pytest.fixture
def pictures(database: str) -> str:
    """The URL of a database: eight small pictures, one of 300 bytes among them, and two dead."""
    create_tables(DatabaseUrl.parse(database).as_sqlalchemy(), PICTURES)
    read(database, "CREATE TABLE herdbook_revision (version_num VARCHAR(32) PRIMARY KEY)")
    rows = ", ".join(f"({number}, '')" for number in range(1, 9))
    run(
        database,
        f"INSERT INTO picture (number, content) VALUES {rows}",
        "UPDATE picture SET content = REPEAT('x', 300) WHERE number = 4",
        "INSERT INTO picture (number, content) VALUES (9, REPEAT('x', 50)), (10, '')",
        "DELETE FROM picture WHERE number > 8",
    )
    return database


def test_it_is_known_how_many_rows_may_be_read_at_once(pictures: str) -> None:
    """By what they hold, dead or alive; one may always be."""
    keys = [(number,) for number in range(1, 12)]

    def look(tx: Transaction) -> None:
        table = describe(tx).tables["picture"]
        assert fitting(tx, table, keys, 400) == 11
        assert fitting(tx, table, keys, 349) == 8
        assert fitting(tx, table, keys, 299) == 3
        assert fitting(tx, table, keys[3:], 299) == 1
        assert fitting(tx, table, keys[4:], 299) == 7
        assert fitting(tx, table, [], 299) == 0

    in_transaction(pictures, PICTURES, look)


@pytest.mark.slow
def test_large_rows_behind_small_ones_are_not_read_all_at_once(pictures: str) -> None:
    """Two hundred of a MiB each."""
    rows = ", ".join(f"({number}, '')" for number in range(100, 700))
    run(pictures, f"INSERT INTO picture (number, content) VALUES {rows}")
    for number in range(1_000, 1_200):
        run(pictures, f"INSERT INTO picture VALUES ({number}, REPEAT('x', 1048576))")
    sealed(pictures)
    before, growth, seen = resident(), 0, 0
    for part in parts_of(reader_at(pictures).read({})):
        growth = max(growth, resident() - before)
        seen += len(part.rows)
    assert seen == 810
    assert growth < MOST_GROWTH


def resident() -> int:
    """How many bytes of memory this process has."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()


@pytest.mark.slow
def test_a_long_delta_needs_no_more_memory_than_a_short_one(
    ranch: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """100,000 rows with an entry each."""
    count, at_once = 100_000, 10_000
    for start in range(0, count, at_once):
        rows = ", ".join(f"({number}, 'ranch')" for number in range(start, start + at_once))
        run(ranch, f"INSERT INTO ranch (number, name) VALUES {rows}")
    sealed(ranch)
    list(parts_of(reader_at(ranch).read({own(ranch): count - at_once})))
    before, began = resident(), time.monotonic()
    seen = growth = 0
    for part in parts_of(reader_at(ranch).read({})):
        seen += len(part.rows)
        growth = max(growth, resident() - before)
        assert len(part.rows) == len(part.entries)
    seconds = time.monotonic() - began
    with capsys.disabled():
        print(f"\n{count / seconds:,.0f} rows/s, {growth / 2**20:.0f} MiB more")
    assert seen == count
    assert growth < count * MOST_GROWTH_A_ROW
