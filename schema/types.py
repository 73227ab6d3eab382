"""The column type of each kind of value, the same on MySQL and on MariaDB."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sqlalchemy.dialects import mysql
from sqlalchemy.types import TypeEngine

from records.kinds.base import Kind
from records.kinds.binary import BytesKind, FixedBytesKind, LongBytesKind
from records.kinds.choices import EnumKind, SetKind
from records.kinds.documents import JsonKind
from records.kinds.identifiers import UuidKind
from records.kinds.network import AddressKind, CidrKind
from records.kinds.numbers import BitsKind, BooleanKind, DecimalKind, FloatKind, IntegerKind
from records.kinds.text import BINARY_COLLATION, FixedTextKind, LongTextKind, TextKind
from records.kinds.times import DateKind, DateTimeKind, TimeKind, TimestampKind, YearKind

ColumnType = TypeEngine[Any]

_INTEGERS: dict[int, Callable[..., ColumnType]] = {
    8: mysql.TINYINT,
    16: mysql.SMALLINT,
    24: mysql.MEDIUMINT,
    32: mysql.INTEGER,
    64: mysql.BIGINT,
}
_TEXTS: dict[str, Callable[..., ColumnType]] = {
    "tiny": mysql.TINYTEXT,
    "": mysql.TEXT,
    "medium": mysql.MEDIUMTEXT,
    "long": mysql.LONGTEXT,
}
_BLOBS: dict[str, Callable[..., ColumnType]] = {
    "tiny": mysql.TINYBLOB,
    "": mysql.BLOB,
    "medium": mysql.MEDIUMBLOB,
    "long": mysql.LONGBLOB,
}


def column_type(kind: Kind) -> ColumnType:
    """The type of the column that keeps values of this kind.

    Text always says its collation: the table it is added to may have another one.
    """
    return _MAKERS[type(kind)](kind)


def _integer(kind: IntegerKind) -> ColumnType:
    """Only what is unsigned says so: what a type leaves out should not appear in a revision."""
    return _INTEGERS[kind.bits](**({"unsigned": True} if kind.unsigned else {}))


_MAKERS: dict[type[Kind], Callable[[Any], ColumnType]] = {
    IntegerKind: _integer,
    BooleanKind: lambda kind: mysql.TINYINT(display_width=1),
    BitsKind: lambda kind: mysql.BIT(kind.length),
    DecimalKind: lambda kind: mysql.DECIMAL(precision=kind.precision, scale=kind.scale),
    FloatKind: lambda kind: mysql.FLOAT() if kind.single else mysql.DOUBLE(),
    TextKind: lambda kind: mysql.VARCHAR(kind.length, collation=kind.collation),
    FixedTextKind: lambda kind: mysql.CHAR(kind.length, collation=kind.collation),
    LongTextKind: lambda kind: _TEXTS[kind.size](collation=kind.collation),
    BytesKind: lambda kind: mysql.VARBINARY(kind.length),
    FixedBytesKind: lambda kind: mysql.BINARY(kind.length),
    LongBytesKind: lambda kind: _BLOBS[kind.size](),
    DateKind: lambda kind: mysql.DATE(),
    TimeKind: lambda kind: mysql.TIME(fsp=kind.precision),
    DateTimeKind: lambda kind: mysql.DATETIME(fsp=kind.precision),
    TimestampKind: lambda kind: mysql.TIMESTAMP(fsp=kind.precision),
    YearKind: lambda kind: mysql.YEAR(),
    EnumKind: lambda kind: mysql.ENUM(*kind.values, collation=BINARY_COLLATION),
    SetKind: lambda kind: mysql.SET(*kind.values, collation=BINARY_COLLATION),
    JsonKind: lambda kind: mysql.JSON(),
    UuidKind: lambda kind: mysql.BINARY(16),
    AddressKind: lambda kind: mysql.BINARY(16),
    CidrKind: lambda kind: mysql.BINARY(17),
}
