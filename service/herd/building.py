"""What a node at some vector lacks, put together from a changelog and the rows."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping

from records.groups import together
from records.states import RowState
from service.herd.deltas import UPDATE, Delta, DeltaRow, LogEntry
from service.herd.shapes import Place, Shape, Shapes, shape_of
from service.herd.vectors import Vector


def rows_of(entries: Iterable[LogEntry]) -> dict[Place, list[LogEntry]]:
    """The rows that entries speak of, each with its entries."""
    rows: dict[Place, list[LogEntry]] = defaultdict(list)
    for entry in entries:
        rows[entry.place].append(entry)
    return rows


def columns_to_send(entries: Collection[LogEntry]) -> frozenset[str] | None:
    """The columns that a row's entries name; None: it was born or died, and travels whole."""
    if any(entry.kind != UPDATE for entry in entries):
        return None
    return frozenset(column for entry in entries for column in entry.columns)


def delta_row(
    place: Place, state: RowState, columns: frozenset[str] | None, shape: Shape
) -> DeltaRow:
    """A row as it travels: columns of a group go together."""
    if columns is None:
        return DeltaRow(*place, state, whole=True)
    sent = together(columns, shape.groups)
    part = state._replace(
        slots={column: slot for column, slot in state.slots.items() if column in sent},
        values={column: value for column, value in state.values.items() if column in sent},
    )
    return DeltaRow(*place, part, whole=False)


def build(
    sender: int,
    vectors: tuple[Vector, Vector],
    entries: tuple[LogEntry, ...],
    states: Mapping[Place, RowState],
    shapes: Shapes,
) -> Delta:
    """The delta for a node at the first of two vectors, from one at the second.

    `entries` are those above the first, in the sender's order; `states` the rows they speak of,
    without those of which nothing is left.
    """
    rows = (
        delta_row(place, states[place], columns_to_send(of_row), shape_of(shapes, place[0]))
        for place, of_row in rows_of(entries).items()
        if place in states
    )
    return Delta(sender, *vectors, tuple(rows), entries)
