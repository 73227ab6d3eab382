"""Columns as the herd knows them: how a value is read without loss, and how keys become bytes.

Values are what the driver gives, so that one that no record class would take travels as well: dates
and times are text, bits are a number, JSON is text.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from records.states import Value
from schema.capture.row_key import as_read, split
from schema.capture.shape import BINARY, BITS, INTEGER, MOMENT, TEXT
from service.herd.shapes import Key
from service.store.sql import quoted

_EPOCH = datetime.datetime(1970, 1, 1)

# A FLOAT is printed with six digits; widened to a DOUBLE it comes out whole.
_READ: Mapping[str, str] = {"float": "({0} + 0e0)", "bit": "({0} + 0)"}


@dataclass(frozen=True)
class HerdColumn:
    """One column.

    `id` is its number in the capture, as text: it stays the same when the column gets another
    name, and is what travels. `length` is in characters, None where it is not text; so is
    `collation`. The server sets a `timed` column to the time at each update that says nothing of
    it.
    """

    id: str
    name: str
    data_type: str
    nullable: bool
    has_default: bool
    length: int | None = None
    collation: str | None = None
    timed: bool = False

    def read_from(self, alias: str) -> str:
        """The SQL that reads it without loss."""
        return _READ.get(self.data_type, "{0}").format(f"{alias}.{quoted(self.name)}")

    def read(self, raw: Any) -> Value:
        """The value of what the driver gave."""
        return raw.decode() if self.data_type == "json" and isinstance(raw, bytes) else raw


@dataclass(frozen=True)
class KeyColumn:
    """One column of the key, and its form in row keys."""

    column: HerdColumn
    form: str

    def from_bytes(self, part: bytes) -> Value:
        """The value of a part of a row key; raises ValueError where it is none."""
        try:
            if self.form == BITS:
                return int(part)
            value = as_read(self.form, part)
            return Decimal(value) if self.column.data_type == "decimal" else value
        except ArithmeticError as error:
            raise ValueError(f"{part!r} is no {self.column.data_type}") from error

    def to_bytes(self, value: Value) -> bytes:
        """The part of a row key; raises ValueError where the value cannot be in this key."""
        try:
            return _WRITTEN[self.form](value)
        except (AttributeError, TypeError) as error:
            raise ValueError(f"{value!r} is no {self.column.data_type} of a key") from error


def key_of(columns: Sequence[KeyColumn], row_key: bytes) -> Key:
    """The key of a row from its bytes; raises ValueError where they are none."""
    parts = split(row_key, len(columns))
    return tuple(map(KeyColumn.from_bytes, columns, parts))


def bytes_of(columns: Sequence[KeyColumn], key: Key) -> bytes:
    """A key as changelogs have it; raises ValueError where it is no key of these columns."""
    if len(key) != len(columns):
        raise ValueError(f"{key!r} is no key of {len(columns)} parts")
    return joined(list(map(KeyColumn.to_bytes, columns, key)))


def joined(parts: Sequence[bytes]) -> bytes:
    """The key of some parts: `schema.capture.row_key` the other way."""
    if len(parts) == 1:
        return parts[0]
    return b"".join(len(part).to_bytes(2, "big") + part for part in parts)


def _text(value: Value) -> bytes:
    text = f"{value:f}" if isinstance(value, Decimal) else value
    encoded: bytes = text.encode()
    return encoded


def _moment(value: Value) -> bytes:
    """The seconds since 1970 of a TIMESTAMP in UTC, with as many digits as it has."""
    whole, dot, fraction = value.partition(".")
    if whole.startswith("0000"):
        seconds = 0
    else:
        since = datetime.datetime.fromisoformat(whole) - _EPOCH
        seconds = since.days * 86_400 + since.seconds
    return f"{seconds}{dot}{fraction}".encode("ascii")


_WRITTEN: Mapping[str, Callable[[Value], bytes]] = {
    INTEGER: lambda value: b"%d" % value,
    BINARY: bytes,
    TEXT: _text,
    MOMENT: _moment,
    BITS: lambda value: b"%d" % value,
}
