"""What cannot be written here yet waits: it is part of this node's state, and travels on.

The state of a row is what its table has, joined with what is held of it. All merging is of such
states, so nodes that hold different things still have the same.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from records.merging import merge
from records.states import RowState, Value
from service.herd.deltas import DeltaRow

PARENT = "its parent is not here"
SCHEMA = "this node has no such class or column"
REFUSED = "the database refuses it"
BLOCKED = "a row that waits here stands in its way"
DROPPED = "somebody has given it up here"

WAITS_FOR_ROWS = frozenset((PARENT, BLOCKED))
"""The reasons that may end when other rows are written; to be retried then."""


def given_up(held: Held | None) -> bool:
    """Whether somebody has dropped it: it is tried no more, and stays a part of the row's state.

    Else this node would have less than its vector says, and would pass on less.
    """
    return held is not None and held.reason == DROPPED


class Held(NamedTuple):
    """What waits of one row: all of it, or (`row.whole` is False) only some columns.

    `reason` is one of the above, `text` says more to people.
    """

    row: DeltaRow
    reason: str
    text: str


def state_to_send(ours: RowState | None, held: Held | None) -> RowState | None:
    """A row's state: what its table has of it, joined with what is held."""
    if held is None:
        return ours
    if ours is None:
        return held.row.state
    waiting = _in_death(held, ours)
    if ours.life != waiting.life:
        return ours if ours.life > waiting.life else waiting
    # Of two values of one version the one that waits counts: the table's is a default, which a
    # migration gave to a row of which more was known already.
    return merge(waiting, ours)


def _in_death(held: Held, row: RowState) -> RowState:
    """What waits of a row that may have died since: a dead row keeps its values.

    Where all of it waits, those die with it that the row here never showed: of columns that it has
    not, or has with the default of a migration. Later writes are lost to the death, as they would
    be if they came after it.
    """
    waiting = held.row.state
    if row.death is None or row.life != waiting.life + 1:
        return waiting
    if held.row.whole:
        if waiting.born != row.born:
            return waiting
        waiting = waiting._replace(values=_unshown(waiting, row))
    return waiting._replace(life=row.life, death=row.death)


def _unshown(waiting: RowState, row: RowState) -> Mapping[str, Value]:
    return {
        column: value
        for column, value in waiting.values.items()
        if column not in row.values or _may_be_unshown(column, waiting, row)
    }


def _may_be_unshown(column: str, waiting: RowState, row: RowState) -> bool:
    """Whether a dead row may have a column only since a migration: NULL, as it was born."""
    shown = row.version(column)
    return waiting.version(column) == shown or (row.values[column] is None and shown == row.born)


def belongs(held: Held, row: RowState) -> bool:
    """Whether held columns are those of a row, and not of an earlier life."""
    return not held.row.whole and _in_death(held, row).life == row.life


def follow(held: Held, after: RowState) -> Held:
    """Held columns of a row that a repair killed or revived: what is held does the same."""
    part = held.row.state
    if after.alive:
        part = RowState(after.life, after.born, {}, part.values)
    else:
        part = part._replace(life=after.life, death=after.death)
    return held._replace(row=held.row._replace(state=part))
