"""Rows live and dead with their clocks, as merging takes them."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import Any, NamedTuple

from records.stamps import Slot, Version
from records.states import Death, RowState
from schema.capture.clock import clock_of
from schema.capture.columns import DIED, META, WRITER, graveyard_of
from service.herd.shapes import Key
from service.store.herd.described import HerdTable
from service.store.herd.values import HerdColumn
from service.store.sealing.keys import KEYS_A_STATEMENT
from service.store.sql import quoted, tuple_of
from service.store.transaction import Transaction


class Standing(NamedTuple):
    """How a row stands in the tables: there, in the graveyard, or both.

    Both: it was born again, and its birth is not sealed yet.
    """

    live: RowState | None = None
    dead: RowState | None = None

    @property
    def state(self) -> RowState:
        """The row; one that was born again has the life after the dead one's."""
        if self.live is None:
            assert self.dead is not None, "a row stands somewhere"
            return self.dead
        if self.dead is None:
            return self.live
        return self.live._replace(life=max(self.live.life, self.dead.life + 1))


def standings(
    tx: Transaction, table: HerdTable, keys: Collection[Key], *, lock: bool = False
) -> dict[Key, Standing]:
    """How these rows stand; those of which nothing is there are left out.

    `lock`: as they are now, and so they stay until the transaction ends.
    """
    found: dict[Key, Standing] = {}
    wanted = list(dict.fromkeys(keys))
    for start in range(0, len(wanted), KEYS_A_STATEMENT):
        part = wanted[start : start + KEYS_A_STATEMENT]
        for key, state in _live(tx, table, part, lock):
            found[key] = Standing(live=state)
        for key, state in _dead(tx, table, part, lock):
            found[key] = found.get(key, Standing())._replace(dead=state)
    exactly = set(keys)
    # A collation finds rows whose keys are spelled otherwise; those are other rows here.
    return {key: standing for key, standing in found.items() if key in exactly}


def parameters(keys: Collection[Key]) -> list[Any]:
    """The values of keys, one after the other."""
    return [value for key in keys for value in key]


def among(table: HerdTable, alias: str, count: int) -> str:
    """Whether the key of a row is one of `count`."""
    names = [f"{alias}.{quoted(part.column.name)}" for part in table.key]
    one = tuple_of(["?"] * len(names))
    return f"{tuple_of(names)} IN ({', '.join([one] * count)})"


def _live(
    tx: Transaction, table: HerdTable, keys: Sequence[Key], lock: bool
) -> Iterator[tuple[Key, RowState]]:
    meta = ", ".join(f"alive.{name}" for name in META)
    for raw in _select(tx, table, f"{meta}", quoted(table.name), "alive", keys, lock):
        life, stamp, origin, clock, *values = raw
        # A row that came past the triggers is as old as can be, until it is adopted.
        yield _state(table, (life or 1, stamp, origin, clock), values, None)


def _dead(
    tx: Transaction, table: HerdTable, keys: Sequence[Key], lock: bool
) -> Iterator[tuple[Key, RowState]]:
    meta = ", ".join(f"dead.{name}" for name in (*META, DIED, WRITER))
    grave = quoted(graveyard_of(table.name))
    for raw in _select(tx, table, meta, grave, "dead", keys, lock):
        life, stamp, origin, clock, died, writer, *values = raw
        yield _state(table, (life, stamp, origin, clock), values, Death(int(died), writer))


def _select(
    tx: Transaction,
    table: HerdTable,
    meta: str,
    source: str,
    alias: str,
    keys: Sequence[Key],
    lock: bool,
) -> list[tuple[Any, ...]]:
    columns = ", ".join(column.read_from(alias) for column in table.columns)
    return tx.rows(
        f"SELECT {meta}, {columns} FROM {source} AS {alias} FORCE INDEX (PRIMARY) "
        f"WHERE {among(table, alias, len(keys))}{' FOR UPDATE' if lock else ''}",
        parameters(keys),
    )


def _state(
    table: HerdTable, meta: tuple[Any, ...], raw_values: Sequence[Any], death: Death | None
) -> tuple[Key, RowState]:
    life, stamp, origin, raw_clock = meta
    clock = clock_of(raw_clock, int(stamp), int(origin))
    values = {c.id: _value(c, raw) for c, raw in zip(table.columns, raw_values, strict=True)}
    slots = {
        str(number): Slot(Version(*slot.version), Version(*slot.overwrote))
        for number, slot in clock.slots.items()
        if str(number) in values
    }
    key = tuple(values[part.column.id] for part in table.key)
    return key, RowState(int(life), Version(*clock.born), slots, values, death)


def _value(column: HerdColumn, raw: Any) -> Any:
    return None if raw is None else column.read(raw)
