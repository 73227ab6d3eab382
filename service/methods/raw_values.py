"""Rows as the herd keeps them, told as JSON: raw values, and columns by name.

The herd keeps what the database driver reads, also of columns and tables that no record class has.
What a class has is told as its fields; all else as it is.
"""

from __future__ import annotations

import base64
import datetime
from dataclasses import dataclass
from decimal import Decimal

from records.catalogue import Catalogue
from records.kinds.base import Kind
from records.kinds.numbers import BitsKind, integer_to_json
from records.states import Value
from records.validation import Key
from records.values import FieldInfo, RecordInfo


@dataclass(frozen=True)
class RawRow:
    """Which row of which table; the values of its key are raw, in the order of `key_columns`.

    Where the table's key is not known there are no columns, and the key is what stands for it.
    """

    table: str
    key_columns: tuple[str, ...]
    key: tuple[Value, ...]


class Unreadable(Exception):
    """A raw value that is none of its field: a date without a day, say."""


def record_of(catalogue: Catalogue, table: str) -> RecordInfo | None:
    """The class of a table."""
    found = (record for record in catalogue.records.values() if record.table == table)
    return next(found, None)


def field_of(record: RecordInfo | None, column: str) -> FieldInfo | None:
    """The field of a column."""
    fields = () if record is None else record.fields.values()
    return next((info for info in fields if info.column == column), None)


def plain_key(record: RecordInfo | None, row: RawRow) -> Key | None:
    """The key as the class has it; None where it has another one, or the values are none of it."""
    if record is None or record.columns(record.key) != row.key_columns:
        return None
    kinds = [record.fields[name].kind for name in record.key]
    try:
        return tuple(plain_value(kind, raw) for kind, raw in zip(kinds, row.key, strict=True))
    except Unreadable:
        return None


def plain_value(kind: Kind, raw: Value) -> object:
    """The value of a field; raises Unreadable."""
    if raw is None or (isinstance(kind, BitsKind) and isinstance(raw, int)):
        return raw
    try:
        return kind.from_database(raw)
    except (ValueError, TypeError, ArithmeticError, AssertionError) as error:
        raise Unreadable(str(error)) from error


def row_json(record: RecordInfo | None, row: RawRow) -> dict[str, object]:
    """Which row: `record` and `key`; where no class has it `record` is null, and `table` told."""
    key = plain_key(record, row)
    if record is not None and key is not None:
        named = zip(record.key, key, strict=True)
        told = {name: record.fields[name].kind.to_json(value) for name, value in named}
        return {"record": record.name, "key": told}
    names = row.key_columns or tuple(str(at) for at in range(1, len(row.key) + 1))
    raw = {name: raw_json(value) for name, value in zip(names, row.key, strict=True)}
    return {"record": None, "table": row.table, "key": raw}


def column_json(record: RecordInfo | None, column: str) -> dict[str, object]:
    """Which column: a `field`, or a `column` that the class does not have."""
    info = field_of(record, column)
    return {"column": column} if info is None else {"field": info.name}


def value_json(record: RecordInfo | None, column: str, raw: Value) -> object:
    """A value as its field tells it; one that is none of the field as it is."""
    info = field_of(record, column)
    if info is None or raw is None:
        return raw_json(raw)
    try:
        return info.kind.to_json(plain_value(info.kind, raw))
    except Unreadable:
        return raw_json(raw)


def raw_json(raw: Value) -> object:
    """A value whose kind is not known."""
    if isinstance(raw, bytes):
        return base64.b64encode(raw).decode()
    if isinstance(raw, int) and not isinstance(raw, bool):
        return integer_to_json(raw)
    if isinstance(raw, Decimal | datetime.date | datetime.timedelta):
        return str(raw)
    return raw
