"""A row as it is merged: its life, its values and when each was written.

A row keeps its state when it dies; then it is its own tombstone. Columns that were not written
since the row's birth have the version of the birth.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple, TypeAlias

from records.groups import NO_GROUPS, Groups, together
from records.stamps import Slot, Version, next_stamp

Value: TypeAlias = Any
"""A value as the database driver reads it: int, float, Decimal, str, bytes or None."""


class Death(NamedTuple):
    """When a row was deleted, in microseconds since 1970, UTC, and by whom."""

    died: int
    writer: str


class RowState(NamedTuple):
    """One row.

    `life` counts births and deaths: odd while the row lives. `slots` has the columns whose version
    is not that of the birth. A state may hold only some of the row's columns. `death` is None while
    the row lives.
    """

    life: int
    born: Version
    slots: Mapping[str, Slot]
    values: Mapping[str, Value]
    death: Death | None = None

    @property
    def alive(self) -> bool:
        """Whether the row is there."""
        return self.life % 2 == 1

    @property
    def latest(self) -> Version:
        """The version of the row's last write."""
        return max(self.born, *(slot.version for slot in self.slots.values()), self.born)

    def version(self, column: str) -> Version:
        """When and where a column was written."""
        slot = self.slots.get(column)
        return self.born if slot is None else slot.version


def born(values: Mapping[str, Value], now: int, origin: int, life: int = 1) -> RowState:
    """A new row."""
    return RowState(life, Version(now, origin), {}, values)


def changed(
    state: RowState,
    values: Mapping[str, Value],
    now: int,
    origin: int,
    groups: Groups = NO_GROUPS,
) -> RowState:
    """The row after a write of some columns, and of those that are written along with them."""
    version = Version(next_stamp(now, state.latest.stamp), origin)
    slots = dict(state.slots)
    along = together(values, groups) & state.values.keys()
    for column in sorted(along.union(values)):
        before = state.slots.get(column)
        slots[column] = Slot(version, _last_foreign(state.born, before, origin))
    return state._replace(slots=slots, values={**state.values, **values})


def _last_foreign(birth: Version, before: Slot | None, origin: int) -> Version:
    """What a write of an origin has of other origins beneath it."""
    overwritten = Slot(birth) if before is None else before
    return overwritten.over if overwritten.version.origin == origin else overwritten.version


def died(state: RowState, death: Death) -> RowState:
    """The row after its deletion: whole, and dead."""
    return state._replace(life=state.life + 1, death=death)


def born_again(state: RowState, now: int, origin: int) -> RowState:
    """A dead row brought back with its values, as a birth of its own."""
    birth = Version(next_stamp(now, state.latest.stamp), origin)
    return RowState(state.life + 1, birth, {}, state.values)
