"""Two states of one row become one.

The higher life wins with all its columns. Between equal lives each column goes to its later
version. So merging is commutative, associative and idempotent, and no node has to know who was
asked first, nor which columns the others have.
"""

from __future__ import annotations

from collections.abc import Set
from typing import NamedTuple

from records.stamps import Slot, Version
from records.states import Death, RowState, Value


class Loss(NamedTuple):
    """A value that a merge put aside, and what stands there now."""

    column: str
    value: Value
    version: Version
    kept: Value
    kept_version: Version


def merge(ours: RowState, theirs: RowState) -> RowState:
    """The state that both become.

    A state of a higher life must be whole. One of the same life may hold some columns only, if it
    was born no later than ours. What one side does not know is kept as the other has it, unless the
    side that does not know was born after all that: then the column has its default.
    """
    if ours.life != theirs.life:
        return ours if ours.life > theirs.life else theirs
    birth = max(ours.born, theirs.born)
    slots: dict[str, Slot] = {}
    values: dict[str, Value] = {}
    for column in {**ours.values, **theirs.values}:
        winner = _later(ours, theirs, column)
        if winner is None:
            continue
        values[column] = winner.values[column]
        if winner.version(column) != birth:
            slots[column] = winner.slots.get(column) or Slot(winner.born)
    return RowState(ours.life, birth, slots, values, _later_death(ours.death, theirs.death))


def _later(ours: RowState, theirs: RowState, column: str) -> RowState | None:
    """Whose value a column has after the merge; None: neither's."""
    if column in ours.values and column in theirs.values:
        return theirs if theirs.version(column) > ours.version(column) else ours
    knowing, other = (ours, theirs) if column in ours.values else (theirs, ours)
    return None if other.born > max(knowing.born, knowing.version(column)) else knowing


def _later_death(ours: Death | None, theirs: Death | None) -> Death | None:
    if ours is None or theirs is None:
        return ours or theirs
    return max(ours, theirs)


def losses(loser: RowState, merged: RowState, unseen: Set[Version]) -> list[Loss]:
    """What of one side's state is not in the merged one, though the other side had not seen it.

    `unseen` are the versions of this side's writes that the other side did not have. What it had
    seen and written over is no loss; nor is what a row held when it was deleted.
    """
    if not loser.alive:
        return []
    return [
        Loss(column, value, version, merged.values.get(column), merged.version(column))
        for column, value in loser.values.items()
        if (version := loser.version(column)) in unseen
        and not _stands(merged, column, value, loser.life, version)
    ]


def _stands(merged: RowState, column: str, value: Value, life: int, version: Version) -> bool:
    """Whether a write is there after the merge, or a write of the same value."""
    if merged.life == life and merged.version(column) == version:
        return True
    return merged.alive and column in merged.values and merged.values[column] == value
