"""Finds the rows of keys in a table, a thousand at a time, exactly and through its primary key."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from sqlalchemy import Connection, text

from schema.capture.columns import graveyard_of
from schema.capture.quoting import listed, quoted
from schema.capture.row_key import as_read, split
from schema.capture.shape import BITS, KeyPart

KeyValues = tuple[Any, ...]
"""The values of a key, as the driver takes them for this table."""

_TYPES = text(
    "SELECT column_name, data_type FROM information_schema.columns "
    "WHERE table_schema = DATABASE() AND table_name = :table"
)
# The driver would lose fractions of seconds and dates that no calendar has.
_READ_AS_TEXT = frozenset({"date", "time", "datetime", "timestamp"})


class KeyLookup:
    """The key of one table, from the database and back into it."""

    def __init__(self, connection: Connection, table: str, key: Sequence[KeyPart]) -> None:
        self.table = table
        self._key = key
        types = {name: str(kind) for name, kind in connection.execute(_TYPES, {"table": table})}
        self._types = [types[part.name] for part in key]

    @property
    def selected(self) -> str:
        """What to select, to get `KeyValues`."""
        return ", ".join(map(_read, self._key, self._types))

    def values_of(self, row_key: bytes) -> KeyValues:
        """The values of a key as the changelog has it; ValueError where it cannot be one."""
        parts = split(row_key, len(self._key))
        return tuple(map(_written, self._key, self._types, parts))

    def among(self, keys: Sequence[KeyValues]) -> tuple[str, tuple[Any, ...]]:
        """The condition that a row's key is one of these, and its parameters."""
        names = listed(part.name for part in self._key).replace("%", "%%")
        one = f"({', '.join(['%s'] * len(self._key))})"
        condition = f"({names}) IN ({', '.join([one] * len(keys))})"
        return condition, tuple(value for key in keys for value in key)

    def count_kept(self, connection: Connection, keys: Sequence[KeyValues]) -> int:
        """How many of these keys the table or its graveyard holds."""
        condition, values = self.among(keys)
        table, graveyard = (
            quoted(name).replace("%", "%%") for name in (self.table, graveyard_of(self.table))
        )
        same = " AND ".join(
            f"alive.{name} = dead.{name}".replace("%", "%%")
            for name in (quoted(part.name) for part in self._key)
        )
        return int(
            connection.exec_driver_sql(
                f"SELECT (SELECT COUNT(*) FROM {table} WHERE {condition}) + "
                f"(SELECT COUNT(*) FROM {graveyard} AS dead WHERE {condition} "
                f"AND NOT EXISTS (SELECT 1 FROM {table} AS alive WHERE {same}))",
                values + values,
            ).scalar_one()
        )


def _read(part: KeyPart, kind: str) -> str:
    """The SQL that reads a part of the key."""
    if kind in _READ_AS_TEXT:
        return f"CAST({quoted(part.name)} AS CHAR)"
    return f"{quoted(part.name)} + 0" if part.form == BITS else quoted(part.name)


def _written(part: KeyPart, kind: str, found: bytes) -> Any:
    """A part of a key in the changelog as the driver takes it."""
    if part.form == BITS:
        return int(found)
    # Compared with a text, a decimal would be compared as a floating number.
    return Decimal(found.decode()) if kind == "decimal" else as_read(part.form, found)
