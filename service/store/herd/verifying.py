"""A node's own tables behind the port by which they are compared with another node's."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from service.herd.vectors import Vector
from service.methods.verifying_port import (
    Digested,
    Moment,
    RowSeen,
    TableSeen,
    TableSums,
    Violation,
)
from service.store.feed.snapshots import in_snapshot
from service.store.herd.described import Described, HerdTable, describe
from service.store.herd.digests import dead_of, rows_of, sums_of, table_of
from service.store.herd.looking import states_of
from service.store.herd.moments import moment_of
from service.store.herd.violations import violations_of
from service.store.sql import marks
from service.store.threads import Lane
from service.store.transaction import Transaction

Result = TypeVar("Result")

_ESTIMATES = (
    "SELECT table_name, table_rows FROM information_schema.tables "
    "WHERE table_schema = DATABASE() AND table_name IN ({0})"
)


class StoredVerifying:
    """Implements `service.methods.verifying_port.Verifying` on MySQL."""

    def __init__(self, reading: Lane) -> None:
        self._reading = reading

    async def tables(self) -> tuple[Moment, list[TableSeen]]:
        """See the port."""
        return await self._read(_tables)

    async def digests(
        self,
        table: str,
        digits: int,
        columns: Sequence[str] | None,
        phantoms: Sequence[int],
    ) -> tuple[Moment, TableSums]:
        """See the port."""
        return await self._read(
            lambda tx, known: _summed(tx, table_of(known, table), digits, columns, phantoms)
        )

    async def rows(
        self, table: str, buckets: Sequence[str], columns: Sequence[str] | None
    ) -> tuple[Moment, list[Digested]]:
        """See the port."""
        return await self._read(
            lambda tx, known: rows_of(tx, table_of(known, table), buckets, columns)
        )

    async def states(
        self, table: str, keys: Sequence[bytes], above: Vector
    ) -> tuple[Moment, list[RowSeen]]:
        """See the port."""
        return await self._read(
            lambda tx, known: states_of(tx, table_of(known, table), keys, above)
        )

    async def violations(self, table: str) -> tuple[Moment, list[Violation]]:
        """See the port."""
        return await self._read(lambda tx, known: list(violations_of(tx, table_of(known, table))))

    async def _read(
        self, work: Callable[[Transaction, Described], Result]
    ) -> tuple[Moment, Result]:
        """What is read in one snapshot, and the moment of it."""

        def read(tx: Transaction) -> tuple[Moment, Result]:
            return moment_of(tx), work(tx, describe(tx))

        return await self._reading.run(in_snapshot(read))


def _summed(
    tx: Transaction,
    table: HerdTable,
    digits: int,
    columns: Sequence[str] | None,
    phantoms: Sequence[int],
) -> TableSums:
    return TableSums(sums_of(tx, table, digits, columns, phantoms), dead_of(tx, table))


def _tables(tx: Transaction, known: Described) -> list[TableSeen]:
    """The captured tables; how many rows each has the server only estimates."""
    names = sorted(known.tables)
    if not names:
        return []
    estimates = dict(tx.rows(_ESTIMATES.format(marks(len(names))), names))
    return [
        TableSeen(
            name,
            {column.id: column.name for column in known.tables[name].columns},
            int(estimates.get(name) or 0),
        )
        for name in names
    ]
