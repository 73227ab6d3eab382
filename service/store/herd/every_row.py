"""The keys of all rows of the captured tables, live and dead: read as a stream, in no order."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from schema.capture.columns import graveyard_of
from service.herd.shapes import Place
from service.store.herd.described import Described, HerdTable
from service.store.herd.values import HerdColumn
from service.store.sql import quoted
from service.store.transaction import Transaction

KEYS_AT_ONCE = 2_000
"""A few hundred KB of memory."""


def every_row(
    tx: Transaction, described: Described, wanted: Callable[[str], bool] = lambda _table: True
) -> Iterator[tuple[bool, list[Place]]]:
    """All rows of the wanted tables, some of one table at a time, and whether those live.

    One that died and was born again may come twice. Nothing else may be asked meanwhile.
    """
    for table in filter(lambda table: wanted(table.name), described.tables.values()):
        yield from ((True, some) for some in _keys(tx, table, table.name))
        yield from ((False, some) for some in _keys(tx, table, graveyard_of(table.name)))


def _keys(tx: Transaction, table: HerdTable, place: str) -> Iterator[list[Place]]:
    columns = [part.column for part in table.key]
    names = ", ".join(column.read_from("this") for column in columns)
    statement = f"SELECT {names} FROM {quoted(place)} AS this"
    for some in tx.stream(statement, KEYS_AT_ONCE):
        yield [(table.name, tuple(map(HerdColumn.read, columns, row))) for row in some]
