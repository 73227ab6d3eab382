"""How much rows hold, before they are read.

A column of a large type may hold four bytes in one row and sixteen million in the next, so what
was read before does not tell.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from MySQLdb import Error as DriverError

from schema.capture.columns import graveyard_of
from service.herd.shapes import Key
from service.store.database import error_number
from service.store.herd.described import HerdTable
from service.store.herd.rows import among, parameters
from service.store.sql import quoted
from service.store.transaction import Transaction

_LARGE = frozenset({"blob", "mediumblob", "longblob", "text", "mediumtext", "longtext", "json"})
"""All others of a row have 65,535 bytes together."""

NOT_COMPARED = frozenset({1264, 1267, 1292, 1300, 1366, 1367, 1411, 1525, 3854, 3988})
"""The server will not compare a value with a column."""


def fitting(tx: Transaction, table: HerdTable, keys: Sequence[Key], most: int) -> int:
    """How many of the first of these rows, live and dead, have at most so many bytes; at least one.

    The rows of a table without columns of large types all fit.
    """
    large = [column for column in table.columns if column.data_type in _LARGE]
    if not large or len(keys) < 2:
        return len(keys)
    weights: dict[Key, int] = defaultdict(int)
    own = ", ".join(part.column.read_from("it") for part in table.key)
    bytes_of = " + ".join(f"COALESCE(OCTET_LENGTH(it.{quoted(each.name)}), 0)" for each in large)
    for source in (table.name, graveyard_of(table.name)):
        statement = (
            f"SELECT {bytes_of}, {own} FROM {quoted(source)} AS it FORCE INDEX (PRIMARY) "
            f"WHERE {among(table, 'it', len(keys))}"
        )
        try:
            found = tx.rows(statement, parameters(keys))
        except DriverError as error:
            if error_number(error) not in NOT_COMPARED:
                raise
            # Which of them it is turns out when they are read one by one.
            return 1
        for weight, *raw in found:
            weights[_key(table, raw)] += int(weight)
    return _first(keys, weights, most)


def _key(table: HerdTable, raw: Sequence[object]) -> Key:
    return tuple(part.column.read(value) for part, value in zip(table.key, raw, strict=True))


def _first(keys: Sequence[Key], weights: dict[Key, int], most: int) -> int:
    total = 0
    for number, key in enumerate(keys):
        total += weights.get(key, 0)
        if total > most:
            return max(1, number)
    return len(keys)
