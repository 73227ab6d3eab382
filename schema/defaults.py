"""Defaults that the database itself fills in, so that a plain INSERT gets them too."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from records.catalogue import MISSING, FieldInfo
from records.kinds.base import Kind
from records.kinds.choices import EnumKind, SetKind
from records.kinds.numbers import BooleanKind, DecimalKind, FloatKind, IntegerKind
from records.kinds.text import FixedTextKind, TextKind
from records.kinds.times import DateKind, DateTimeKind, TimeKind, TimestampKind, YearKind


def server_default(field: FieldInfo) -> str | None:
    """The default of a field as the database keeps it, or None where it keeps none.

    It keeps none for what a function computes, and for the kinds that one of the servers refuses a
    default for (TEXT, BLOB, JSON) or shows in a form that cannot be compared (BINARY, BIT).
    """
    if field.default is MISSING or field.default is None or callable(field.default):
        return None
    writer = _WRITERS.get(type(field.kind))
    return None if writer is None else writer(field.kind, field.new_value())


def _moment(kind: DateTimeKind | TimeKind, value: Any) -> str:
    """With as many fractional digits as the column has."""
    whole, _, fraction = kind.to_database(value).partition(".")
    return f"{whole}.{fraction[: kind.precision]}" if kind.precision else whole


def _plain(kind: Any, value: Any) -> str:
    """As the driver would write it, in quotes: both servers turn that into any number."""
    return str(kind.to_database(value))


_WRITERS: dict[type[Kind], Callable[[Any, Any], str]] = {
    IntegerKind: _plain,
    BooleanKind: _plain,
    DecimalKind: _plain,
    FloatKind: _plain,
    TextKind: _plain,
    FixedTextKind: _plain,
    DateKind: _plain,
    YearKind: _plain,
    TimeKind: _moment,
    DateTimeKind: _moment,
    TimestampKind: _moment,
    EnumKind: _plain,
    SetKind: _plain,
}
