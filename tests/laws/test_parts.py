"""Laws of cutting: the parts are the delta, each is small, and no part needs a later one."""

from __future__ import annotations

from collections import Counter

from hypothesis import assume, given
from hypothesis import strategies as st

from records.stamps import Version
from records.states import Death, RowState
from service.herd.codec import encode
from service.herd.deltas import Delta, DeltaRow, LogEntry
from service.herd.messages import Portion
from service.herd.parts import parts
from service.herd.shapes import Place, Reference, Shape, Shapes
from service.herd.weights import weight_of_entry, weight_of_row
from tests.laws.wire_strategies import DELTAS, ENTRIES

TABLES = ("a", "b", "c")
KEYS = st.integers(0, 3)


def _shape(table: str) -> Shape:
    """Every table refers to every table, itself too."""
    return Shape(
        table, ("id",), tuple(Reference(f"to_{to}", (f"to_{to}",), to, "cascade") for to in TABLES)
    )


SHAPES: Shapes = {table: _shape(table) for table in TABLES}


@st.composite
def families(draw: st.DrawFn) -> Delta:
    """Rows that refer to rows which stand before them in some order, so never in a circle."""
    places = draw(
        st.lists(st.tuples(st.sampled_from(TABLES), KEYS.map(lambda key: (key,))), unique=True)
    )
    rows = []
    for number, (table, key) in enumerate(places):
        parents = draw(st.lists(st.sampled_from(places[:number]), max_size=3)) if number else []
        values = {"id": key[0], **{f"to_{to}": parent[0] for to, parent in parents}}
        life = draw(st.integers(1, 2))
        death = None if life == 1 else Death(5, "")
        rows.append(DeltaRow(table, key, RowState(life, Version(1, 1), {}, values, death), True))
    return Delta(1, {}, {1: 1}, tuple(draw(st.permutations(rows))), ())


def parents_of(row: DeltaRow) -> set[Place]:
    """The rows that a row refers to."""
    held = ((to, row.state.values.get(f"to_{to}")) for to in TABLES)
    return {(to, (key,)) for to, key in held if key is not None}


@given(families(), st.integers(1, 4))
def test_no_part_needs_a_later_one(delta: Delta, most_rows: int) -> None:
    """Parents come before children, the dead after the living, dead children before parents."""
    rows = [row for part in parts(delta, SHAPES, most_rows) for row in part.rows]
    place_in_order = {row.place: number for number, row in enumerate(rows)}
    alive = {row.place for row in rows if row.state.alive}
    assert [row.state.alive for row in rows] == sorted(row.state.alive for row in rows)[::-1]
    for row in rows:
        for parent in parents_of(row) & place_in_order.keys():
            if (parent in alive) == row.state.alive:
                parent_is_first = place_in_order[parent] < place_in_order[row.place]
                assert parent_is_first == row.state.alive


def counted(delta: Delta) -> tuple[Counter[str], Counter[str]]:
    """Rows and entries, however they are ordered."""
    return Counter(map(repr, delta.rows)), Counter(map(repr, delta.entries))


@given(DELTAS, st.integers(1, 4), st.integers(0, 3_000))
def test_the_parts_are_the_delta(delta: Delta, most_rows: int, most_bytes: int) -> None:
    """Every row and every entry is in exactly one part, and only the last part is the last."""
    cut = list(parts(delta, SHAPES, most_rows, most_bytes))
    rows = tuple(row for part in cut for row in part.rows)
    entries = tuple(entry for part in cut for entry in part.entries)
    assert counted(delta) == counted(delta._replace(rows=rows, entries=entries))
    assert [part.last for part in cut] == [False] * (len(cut) - 1) + [delta.last]
    rest = {repr(part._replace(rows=(), entries=(), last=True)) for part in cut}
    assert rest == {repr(delta._replace(rows=(), entries=(), last=True))}


@given(DELTAS, st.integers(1, 4))
def test_entries_travel_with_their_row(delta: Delta, most_rows: int) -> None:
    """A part that has entries of a row of this delta has the row, and they are in order."""
    assume(len({row.place for row in delta.rows}) == len(delta.rows))
    places = {row.place for row in delta.rows}
    for part in parts(delta, SHAPES, most_rows):
        held = {row.place for row in part.rows}
        assert {entry.place for entry in part.entries} & places <= held
        assert is_within(list(map(repr, part.entries)), list(map(repr, delta.entries)))


def is_within(some: list[str], everything: list[str]) -> bool:
    """Whether some texts stand among others in the same order."""
    remaining = iter(everything)
    return all(each in remaining for each in some)


@given(DELTAS, st.integers(1, 4), st.integers(500, 3_000))
def test_no_part_is_larger_than_it_may_be(delta: Delta, most_rows: int, most_bytes: int) -> None:
    """By rows and by weight, unless it holds one row alone with what it still shows."""
    for part in parts(delta, SHAPES, most_rows, most_bytes):
        assert len(part.rows) <= most_rows
        weight = sum(map(weight_of_row, part.rows)) + sum(map(weight_of_entry, part.entries))
        assert weight <= most_bytes or len(part.rows) == 1


EMPTY = Delta(0, {}, {}, (), ())
FRAME = len(encode(Portion(0, 0, EMPTY))) + 64
"""A message without rows, and the heads of its lists when they are long."""


@given(DELTAS, st.lists(ENTRIES, max_size=20))
def test_a_delta_is_never_larger_than_it_weighs(delta: Delta, entries: list[LogEntry]) -> None:
    """So a part of some weight fits into a frame of that size."""
    some = delta._replace(sender=0, above={}, covers={}, entries=(*delta.entries, *entries))
    weight = sum(map(weight_of_row, some.rows)) + sum(map(weight_of_entry, some.entries))
    assert len(encode(Portion(0, 0, some))) <= FRAME + weight
