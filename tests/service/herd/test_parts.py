"""A delta in parts: small ones, in an order in which each can be applied by itself."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

import pytest

from records.stamps import Slot, Version
from records.states import Death, RowState, born, changed, died
from service.herd.codec import encode
from service.herd.deltas import DELETE, INSERT, UPDATE, Delta, DeltaRow, LogEntry
from service.herd.messages import Portion
from service.herd.parts import parts
from service.herd.shapes import Reference, Shape
from service.herd.weights import weight_of_entry, weight_of_row
from tests.service.herd import wire_samples as samples


def shape(table: str, **references: str) -> Shape:
    """A table with columns that refer to others."""
    found = (Reference(column, (column,), to, "restrict") for column, to in references.items())
    return Shape(table, ("id",), tuple(found))


SHAPES = {
    each.table: each
    for each in (
        shape("world"),
        shape("country", world_id="world", capital_id="city"),
        shape("city", country_id="country"),
        shape("street", city_id="city"),
        shape("person", mother_id="person", father_id="person"),
    )
}


def live(table: str, key: int, **values: Any) -> DeltaRow:
    """A new row."""
    return DeltaRow(table, (key,), born({"id": key, **values}, 100 + key, 7), whole=True)


def dead(table: str, key: int, **values: Any) -> DeltaRow:
    """The same row, deleted."""
    row = live(table, key, **values)
    return row._replace(state=died(row.state, Death(500, "root@localhost")))


def order(*rows: DeltaRow, most_rows: int = 1) -> list[tuple[str, int]]:
    """The order in which rows travel."""
    cut = parts(samples.delta(*rows), SHAPES, most_rows)
    return [(row.table, row.key[0]) for part in cut for row in part.rows]


def test_parents_travel_before_their_children() -> None:
    """By the references between the tables."""
    rows = (
        live("street", 1, city_id=1),
        live("city", 1, country_id=1),
        live("street", 2, city_id=9),
        live("country", 1, world_id=1, capital_id=None),
        live("world", 1),
    )
    assert order(*rows) == [
        ("world", 1),
        ("country", 1),
        ("city", 1),
        ("street", 1),
        ("street", 2),
    ]


def test_the_tables_tell_the_order_where_rows_do_not() -> None:
    """A row that holds only what changed comes after all rows of its parent table."""
    assert order(live("street", 1), live("city", 1)) == [("city", 1), ("street", 1)]


def test_the_dead_travel_last_and_children_before_their_parents() -> None:
    """So no part deletes what rows of a later part still refer to."""
    rows = (
        dead("world", 1),
        dead("country", 1, world_id=1),
        dead("city", 1, country_id=1),
        live("street", 5, city_id=5),
        dead("street", 1, city_id=1),
    )
    assert order(*rows) == [
        ("street", 5),
        ("street", 1),
        ("city", 1),
        ("country", 1),
        ("world", 1),
    ]


def test_rows_of_one_table_that_refer_to_each_other_are_put_in_order() -> None:
    """Mothers and fathers before their children, and the other way round when they die."""
    family = {1: (3, 2), 2: (4, None), 3: (None, None), 4: (3, None)}
    rows = [live("person", key, mother_id=m, father_id=f) for key, (m, f) in family.items()]
    assert [key for _, key in order(*rows)] == [3, 4, 2, 1]
    rows = [dead("person", key, mother_id=m, father_id=f) for key, (m, f) in family.items()]
    assert [key for _, key in order(*rows)] == [1, 2, 4, 3]


def test_tables_that_refer_to_each_other_are_put_in_order_by_their_rows() -> None:
    """A country's capital lies in that country; the capital of another one came before."""
    rows = (
        live("country", 2, capital_id=1),
        live("city", 1, country_id=1),
        live("city", 2, country_id=2),
        live("country", 1, capital_id=None),
    )
    assert order(*rows) == [("country", 1), ("city", 1), ("country", 2), ("city", 2)]


def test_rows_that_refer_to_each_other_in_a_circle_all_travel() -> None:
    """Such rows have no order; none is lost, and others stay in theirs."""
    rows = (
        live("street", 1, city_id=1),
        live("city", 1, country_id=1),
        live("country", 1, capital_id=1),
        live("person", 1, mother_id=1, father_id=2),
    )
    found = order(*rows)
    assert sorted(found) == [("city", 1), ("country", 1), ("person", 1), ("street", 1)]
    assert found.index(("city", 1)) < found.index(("street", 1))


def test_a_chain_of_rows_may_be_long() -> None:
    """Twenty thousand rows, each the parent of the one before it."""
    rows = [live("person", key, mother_id=key + 1) for key in range(20_000)]
    assert [key for _, key in order(*rows, most_rows=5_000)] == list(range(19_999, -1, -1))


def test_a_reference_over_several_columns_is_followed() -> None:
    """All of its columns together are the parent's key; with a NULL in one it refers to none."""
    both = Reference("up", ("a", "b"), "node", "cascade")
    shapes = {"node": Shape("node", ("x", "y"), (both,))}

    def node(x: int, y: int, a: int | None, b: int | None) -> DeltaRow:
        values: Mapping[str, Any] = {"x": x, "y": y, "a": a, "b": b}
        return DeltaRow("node", (x, y), born(values, 1, 7), whole=True)

    rows = (node(1, 2, 2, 1), node(1, 1, None, 1), node(2, 1, 2, 2), node(2, 2, None, None))
    cut = parts(samples.delta(*rows), shapes, most_rows=1)
    assert [row.key for part in cut for row in part.rows] == [(2, 2), (2, 1), (1, 2), (1, 1)]


def test_a_table_without_a_shape_travels_too() -> None:
    """Rows of a class that this node does not know are passed on."""
    assert order(live("unknown", 1, city_id=1), live("city", 1)) == [("unknown", 1), ("city", 1)]


def test_no_part_has_more_rows_than_it_may() -> None:
    """And none has fewer without need."""
    delta = samples.delta(*(live("world", key) for key in range(7)))
    assert [len(part.rows) for part in parts(delta, SHAPES, most_rows=3)] == [3, 3, 1]


def test_no_part_is_larger_than_it_may_be() -> None:
    """Unless one row is larger than that by itself: then it has a part of its own."""
    sizes = (100, 9_400, 100, 20_000, 100)
    rows = [live("world", key, flag=b"a" * size) for key, size in enumerate(sizes)]
    cut = parts(samples.delta(*rows), SHAPES, most_bytes=10_000)
    assert [[row.key[0] for row in part.rows] for part in cut] == [[0, 1], [2], [3], [4]]


def written(columns: Iterable[str]) -> DeltaRow:
    """A row of which every column was written by itself."""
    slots = {
        column: Slot(Version(2**40 + number, 2**40), Version(2**40 - number, 2**40))
        for number, column in enumerate(columns)
    }
    return live("world", 1)._replace(state=RowState(1, Version(1, 1), slots, {}))


LONG = "ü" * 64
WEIGHED: dict[str, Delta] = {
    "names of columns": samples.delta(live("world", 1, **{f"{LONG}{n}": None for n in range(99)})),
    "the name of a table": samples.delta(live(LONG * 99, 1)),
    "a text": samples.delta(live("world", 1, name="🐄" * 9_999)),
    "bytes": samples.delta(live("world", 1, flag=b"a" * 99_999)),
    "decimals": samples.delta(live("world", 1, **{f"n{n}": Decimal("9" * 65) for n in range(99)})),
    "a key": samples.delta(live("world", 1)._replace(key=("ü" * 9_999,))),
    "who deleted it": samples.delta(
        live("world", 1)._replace(state=died(live("world", 1).state, Death(1, LONG * 99)))
    ),
    "names of slots": samples.delta(written(f"{LONG}{n}" for n in range(99))),
    "slots": samples.delta(written(map(str, range(500)))),
    "entries": samples.delta(
        entries=tuple(
            LogEntry(
                n, 2**63 - n, LONG, (LONG, n), UPDATE, (LONG, f"{LONG}{n}"), n, n, f"{LONG}{n}"
            )
            for n in range(99)
        )
    ),
}


@pytest.mark.parametrize("delta", WEIGHED.values(), ids=WEIGHED.keys())
def test_nothing_is_larger_than_it_weighs(delta: Delta) -> None:
    """Whatever makes a delta large is counted: its parts fit into their frames."""
    weight = sum(map(weight_of_row, delta.rows)) + sum(map(weight_of_entry, delta.entries))
    assert len(encode(Portion(1, 0, delta))) <= weight + 100


def entry(position: int, row: DeltaRow, stamp: int | None = None) -> LogEntry:
    """A log entry of a row."""
    at = row.state.born.stamp if stamp is None else stamp
    kind = UPDATE if stamp else INSERT if row.state.alive else DELETE
    return LogEntry(7, position, row.table, row.key, kind, (), 1, at, "root@localhost")


def test_entries_travel_with_their_row() -> None:
    """In the sender's order within each part."""
    rows = [live("world", key) for key in range(4)]
    entries = tuple(entry(position, rows[key]) for position, key in enumerate([3, 1, 0, 2, 1, 3]))
    first, second = parts(samples.delta(*rows, entries=entries), SHAPES, most_rows=2)
    assert [each.key[0] for each in first.entries] == [1, 0, 1]
    assert [each.key[0] for each in second.entries] == [3, 2, 3]
    assert [each.position for each in second.entries] == [0, 3, 5]


def test_a_row_that_was_written_very_often_spreads_its_entries() -> None:
    """What it still shows comes with it, the older entries follow; so no part is too large."""
    row = live("world", 1, name="a", area=1)
    row = row._replace(state=changed(row.state, {"name": "b"}, 900, 9))
    assert row.state.slots["name"].version == Version(900, 9)
    older = [entry(position, row, stamp=position) for position in range(200, 400)]
    last = entry(400, row, stamp=900)._replace(origin=9)
    entries = (*older, last, entry(1, row))
    cut = list(parts(samples.delta(row, live("world", 2), entries=entries), SHAPES, 9, 4_000))
    assert cut[0].rows == (row,)
    assert {last, entry(1, row)} <= set(cut[0].entries)
    assert all(len(part.entries) < 40 for part in cut)
    assert sorted(each for part in cut for each in part.entries) == sorted(entries)
    assert [row.key[0] for part in cut for row in part.rows] == [1, 2]


def test_an_entry_without_a_row_is_not_lost() -> None:
    """It comes with the last part."""
    alone = entry(5, live("world", 9))
    delta = samples.delta(live("world", 1), live("world", 2), entries=(alone,))
    assert [part.entries for part in parts(delta, SHAPES, most_rows=1)] == [(), (alone,)]


def test_only_the_last_part_is_the_last() -> None:
    """Each says from whom it is and between which vectors."""
    delta = samples.delta(*(live("world", key) for key in range(3)))
    cut = list(parts(delta, SHAPES, most_rows=1))
    assert [part.last for part in cut] == [False, False, True]
    assert {(part.sender, tuple(part.above), tuple(part.covers)) for part in cut} == {
        (delta.sender, tuple(delta.above), tuple(delta.covers))
    }


def test_no_part_of_a_part_is_the_last() -> None:
    """What was cut before may be cut again."""
    delta = samples.delta(live("world", 1), live("world", 2))._replace(last=False)
    assert [part.last for part in parts(delta, SHAPES, most_rows=1)] == [False, False]


@pytest.mark.parametrize("last", [True, False])
def test_a_delta_without_rows_is_one_part(last: bool) -> None:
    """It still tells what the sender has."""
    delta: Delta = samples.delta()._replace(last=last)
    assert list(parts(delta, SHAPES)) == [delta]
