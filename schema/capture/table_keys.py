"""Rows and dead rows of one table by keys, whose entries may be older than the table as it is.

The server takes some spellings for the same key, and refuses keys that the table had before its
columns were changed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from schema.capture.columns import LIFE, STAMP, graveyard_of
from schema.capture.key_lookup import KeyLookup
from schema.capture.locks import LOCKED
from schema.capture.quoting import listed, quoted
from schema.capture.row_key import key_expression
from schema.capture.shape import Capture
from schema.connection import UNREACHABLE, error_code

KEYS_A_STATEMENT = 500

# A table or column that is not there or was changed just now; a right that is missing; a statement
# that was stopped.
_OF_ALL_KEYS = UNREACHABLE | LOCKED | {1054, 1146, 1412, 1142, 1143, 1317, 1969, 3024}


class Row(NamedTuple):
    """A row, alive or dead."""

    key: bytes
    life: int
    stamp: int


@dataclass(frozen=True)
class Found:
    """What the server finds under some keys. The rows may be spelled otherwise than the keys.

    `asked` are the keys that the table could be asked for.
    """

    asked: list[bytes] = field(default_factory=list)
    alive: dict[bytes, Row] = field(default_factory=dict)
    dead: dict[bytes, Row] = field(default_factory=dict)

    @property
    def absent(self) -> list[bytes]:
        """Those of the keys that no row is spelled like."""
        return [key for key in self.asked if key not in self.alive or self.alive[key].key != key]


class TableKeys:
    """The keys of one table and its graveyard, asked for as the entries have them."""

    def __init__(self, connection: Connection, capture: Capture) -> None:
        self._connection = connection
        self._capture = capture
        self._grave = graveyard_of(capture.table)
        self._lookup = KeyLookup(connection, capture.table, capture.key)
        self._selected = f"{key_expression(capture.key, 'this')}, this.{LIFE}, this.{STAMP}"

    def look(self, keys: Iterable[bytes], lock: str = "") -> Found:
        """The rows under these keys. Keys that cannot be asked for are passed over.

        A statement that the server refuses is asked by halves, until the odd keys are alone.
        """
        found = Found()
        waiting = list(_parts([key for key in keys if self._is_shaped(key)]))
        while waiting:
            part = waiting.pop()
            try:
                alive = self._rows(self._capture.table, part, lock)
                dead = self._rows(self._grave, part, lock)
            except DBAPIError as error:
                if error_code(error) in _OF_ALL_KEYS:
                    raise
                half = len(part) // 2
                waiting += [some for some in (part[half:], part[:half]) if half and some]
            else:
                found.asked.extend(part)
                found.alive.update(alive)
                found.dead.update(dead)
        return found

    def unbury(self, keys: Sequence[bytes]) -> None:
        """Take the dead rows under these keys out of the graveyard."""
        grave = quoted(self._grave).replace("%", "%%")
        for part in _parts(keys):
            condition, values = self._lookup.among(self._values(part))
            self._connection.exec_driver_sql(f"DELETE FROM {grave} WHERE {condition}", values)

    def _is_shaped(self, key: bytes) -> bool:
        """Whether it has the form of a key of the table, as the table is now."""
        try:
            self._lookup.values_of(key)
        except (ValueError, ArithmeticError):
            return False
        return True

    def _rows(self, table: str, keys: Sequence[bytes], lock: str) -> dict[bytes, Row]:
        """The row that the server finds under each key."""
        rows = {row.key: row for row, *_ in self._read(table, keys, "", (), lock)}
        same = {key: rows[key] for key in keys if key in rows}
        others = [key for key in keys if key not in rows]
        return same | self._otherwise_spelled(table, others, lock) if rows and others else same

    def _otherwise_spelled(self, table: str, keys: Sequence[bytes], lock: str) -> dict[bytes, Row]:
        """The rows that the server finds under keys that no row is spelled like."""
        names = listed(part.name for part in self._capture.key).replace("%", "%%")
        values = self._values(keys)
        one = f"({names}) <=> ({', '.join(['%s'] * len(self._capture.key))})"
        marks = f", CONCAT({', '.join([one] * len(keys))})"
        given = tuple(value for key in values for value in key)
        return {
            key: row
            for row, marked in self._read(table, keys, marks, given, lock)
            for key, mark in zip(keys, marked, strict=True)
            if mark == "1"
        }

    def _read(
        self, table: str, keys: Sequence[bytes], more: str, given: tuple[Any, ...], lock: str
    ) -> Iterator[tuple[Any, ...]]:
        """Rows that have one of these keys, and what more is selected, with its values."""
        condition, values = self._lookup.among(self._values(keys))
        selected = f"{self._selected.replace('%', '%%')}{more}"
        place = f"{quoted(table)} AS this FORCE INDEX (PRIMARY)".replace("%", "%%")
        query = f"SELECT {selected} FROM {place} WHERE {condition} {lock}"
        found = self._connection.exec_driver_sql(query, given + values)
        return ((Row(bytes(key), life, stamp), *rest) for key, life, stamp, *rest in found)

    def _values(self, keys: Sequence[bytes]) -> list[tuple[Any, ...]]:
        return [self._lookup.values_of(key) for key in keys]


def _parts(keys: Sequence[bytes]) -> Iterator[Sequence[bytes]]:
    """The keys, a statement's worth at a time."""
    return (keys[at : at + KEYS_A_STATEMENT] for at in range(0, len(keys), KEYS_A_STATEMENT))
