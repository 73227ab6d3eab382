"""The forms in which rows are written: their values, and what capture adds to them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from records.stamps import Slot
from records.states import RowState, Value
from schema.capture.clock import Clock
from schema.capture.clock import Slot as ClockSlot
from schema.capture.clock import Version as ClockVersion
from schema.capture.columns import CLOCK, LIFE, ORIGIN, STAMP
from service.herd.shapes import Key, Place
from service.store.herd.batches import weight_of_values
from service.store.herd.described import HerdTable
from service.store.herd.rows import Standing
from service.store.sql import quoted

META = (LIFE, STAMP, ORIGIN, CLOCK)


@dataclass(frozen=True)
class Writing:
    """One row that is to be written: how it stands, and what it becomes.

    `emptied` are references that are written as NULL at first, and `touched` columns that were
    written to something else in between.
    """

    table: HerdTable
    key: Key
    before: Standing
    after: RowState
    emptied: frozenset[str] = frozenset()
    touched: frozenset[str] = frozenset()

    @property
    def place(self) -> Place:
        """Which row it is."""
        return self.table.name, self.key

    @property
    def weight(self) -> int:
        """The bytes of its values, about."""
        return weight_of_values(self.after.values.values())

    @property
    def born(self) -> bool:
        """Whether it is not there yet."""
        return self.before.live is None and self.after.alive

    @property
    def changed(self) -> bool:
        """Whether it is there, and will be."""
        return self.before.live is not None and self.after.alive

    @property
    def dies(self) -> bool:
        """Whether it is there, and will not be."""
        return self.before.live is not None and not self.after.alive

    def set_aside(self) -> Writing:
        """The same, once its row was deleted to make room."""
        return replace(self, before=self.before._replace(live=None))

    def with_columns(self, *, emptied: frozenset[str] = frozenset()) -> Writing:
        """The same with some references empty at first."""
        return replace(self, emptied=emptied)

    def touching(self, *columns: str) -> Writing:
        """The same, after columns were written to something in between."""
        return replace(self, touched=self.touched.union(columns))

    def value(self, column: str) -> Value:
        """What is written at first into a column that the state has."""
        return None if column in self.emptied else self.after.values[column]

    @property
    def columns_to_write(self) -> tuple[str, ...]:
        """The columns of a row that is there whose values are others now."""
        assert self.before.live is not None, f"{self.place} is not there"
        known, values = self.before.live.values, self.after.values
        return tuple(
            column.id
            for column in self.table.columns
            if column.id in values
            and (column.id in self.touched or not _same(values[column.id], known[column.id]))
        )


def _same(one: Value, other: Value) -> bool:
    """Whether two values are written alike; 0.0 and -0.0 are not."""
    return type(one) is type(other) and repr(one) == repr(other)


def meta_of(state: RowState) -> list[Any]:
    """Life, stamp, origin and clock, as a row holds them."""
    latest = state.latest
    return [state.life, latest.stamp, latest.origin, clock_bytes(state)]


def clock_bytes(state: RowState) -> bytes | None:
    """The clock of a row; None where nothing was written since its birth."""
    if not state.slots:
        return None
    return Clock(
        ClockVersion(*state.born),
        {int(column): _slot(slot) for column, slot in state.slots.items()},
    ).as_bytes


def _slot(slot: Slot) -> ClockSlot:
    return ClockSlot(ClockVersion(*slot.version), ClockVersion(*slot.over))


def names(table: HerdTable, ids: Sequence[str]) -> list[str]:
    """The quoted names of columns."""
    return [quoted(table.by_id[column].name) for column in ids]


def key_names(table: HerdTable, alias: str = "") -> list[str]:
    """The quoted names of the columns of a key."""
    before = f"{alias}." if alias else ""
    return [before + quoted(part.column.name) for part in table.key]
