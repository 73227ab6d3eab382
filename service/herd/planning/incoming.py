"""The rows of a delta, each merged with the row here and what is held of it.

As much of the outcome is taken as can be written here; the rest is held.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import NamedTuple, TypeAlias

from records.merging import merge
from records.states import RowState
from service.herd.deltas import Delta, DeltaRow
from service.herd.held import SCHEMA, Held, given_up
from service.herd.planning.draft import Draft
from service.herd.planning.forgetting import forgotten_here, forgotten_there
from service.herd.shapes import Place, Shape
from service.herd.vectors import Vector


class Bar(NamedTuple):
    """Why a row may not be written: one of the reasons of what is held, and a text for people."""

    reason: str
    text: str


Bars: TypeAlias = Mapping[Place, Bar]


class Taken(NamedTuple):
    """The rows of a delta: merged ones, parts of rows that are not here, and old stories.

    The `outlived` ones are of lives that this node has had and forgotten; they are left out.
    """

    rows: list[DeltaRow]
    stray: list[DeltaRow]
    outlived: list[DeltaRow]


def take(delta: Delta, draft: Draft, bars: Bars, vector: Vector) -> Taken:
    """Merge the rows of a delta into a draft; those that are barred are held.

    `vector` is this node's. Parts of rows that are not here as they were born are left out: no row
    can be made of them, and none of the others is to wait for that.
    """
    places = [row.place for row in delta.rows]
    draft.load(places)
    draft.load_held(places)
    outlived = forgotten_here(delta, draft, vector)
    replaced = forgotten_there(delta, draft)
    taken = Taken([], [], [])
    for row in delta.rows:
        if row.place in outlived:
            taken.outlived.append(row)
            continue
        before = draft.whole(row.place)
        if not _mergeable(row, before):
            taken.stray.append(row)
            continue
        taken.rows.append(row)
        merged = row.state if row.place in replaced else _merged(row, before)
        draft.meet(row.place, before, merged)
        if merged is before and given_up(draft.had(row.place)):
            draft.keep(row.place)
        else:
            _place(row.place, draft, bars.get(row.place))
    return taken


def _mergeable(row: DeltaRow, ours: RowState | None) -> bool:
    if row.whole:
        return True
    if ours is None or row.state.life > ours.life:
        return False
    return row.state.life < ours.life or row.state.born <= ours.born


def _merged(row: DeltaRow, before: RowState | None) -> RowState:
    if before is None:
        return row.state
    state = merge(before, row.state)
    return before if state == before else state


def _place(place: Place, draft: Draft, bar: Bar | None) -> None:
    """Take a row that was merged, hold it, or take some columns and hold the others."""
    _before, state = draft.met(place)
    bar = bar or _unknown(place, state, draft)
    if bar is not None:
        if state != draft.before(place):
            draft.hold(place, *bar)
        return
    known, other = _split(state, draft.shape(place[0]))
    if known != draft.before(place):
        draft.take(place, known)
    if other is not None:
        text = (
            f"the sender's {place[0]} has columns that this node's has not (by their numbers "
            f"{', '.join(sorted(other.values))}): they are written after `herdbook schema upgrade`"
        )
        held = Held(DeltaRow(*place, other, whole=False), SCHEMA, text)
        had = draft.had(place)
        draft.held[place] = had if had and given_up(had) and had.row == held.row else held


def _unknown(place: Place, state: RowState, draft: Draft) -> Bar | None:
    """Why this node's tables have no room for a row; None if they have."""
    table = place[0]
    if table not in draft.shapes:
        return Bar(SCHEMA, f"there is no {table}")
    lacking = draft.lacking(table, state)
    return Bar(SCHEMA, f"it lacks {', '.join(lacking)} of {table}") if lacking else None


def _split(state: RowState, shape: Shape) -> tuple[RowState, RowState | None]:
    """What a table has columns for, and what it may have columns for one day, if there is any."""
    columns = shape.columns
    if columns is None or state.values.keys() <= columns:
        return state, None
    unknown = state.values.keys() - columns - shape.dropped
    return _only(state, columns), _only(state, unknown) if unknown else None


def _only(state: RowState, columns: Collection[str]) -> RowState:
    return state._replace(
        slots={column: slot for column, slot in state.slots.items() if column in columns},
        values={column: value for column, value in state.values.items() if column in columns},
    )
