"""How many bytes things may take on the wire: never less than they do, uncompressed.

It is reckoned as if rows shared nothing. Many rows of one table with the same columns take about
a quarter of it.
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

from records.states import Value
from service.herd.deltas import DeltaRow, LogEntry

_HEAD = 5
"""The head of a text or of a list."""

_NUMBER = 9
_INDEX = _HEAD
"""A number into a list."""

_RUN = 2 * _HEAD + 2
"""A value in a run of its own, in a column of its own."""

_VERSION = 2 * _NUMBER
_SLOT = 2 * _INDEX + 2 * _VERSION

_ROW = 80
"""The heads of a group's lists, its flags, and a row's numbers."""


def weight_of_row(row: DeltaRow) -> int:
    """The bytes of a row."""
    state = row.state
    return (
        _ROW
        + _text(row.table)
        + _NUMBER
        + _VERSION
        + (0 if state.death is None else _NUMBER + _HEAD + _text(state.death.writer))
        + _values(row.key)
        + _values(state.values.values())
        + sum(map(_text, state.values))
        + sum(map(_text, state.slots))
        + (_SLOT + _INDEX + _HEAD) * len(state.slots)
    )


def weight_of_entry(entry: LogEntry) -> int:
    """The bytes of a log entry."""
    return (
        _ROW
        + _text(entry.table)
        + _values(entry.key)
        + sum(map(_text, entry.columns))
        + 2 * _NUMBER
        + _VERSION
        + _text(entry.writer)
    )


def _values(values: Iterable[Value]) -> int:
    return sum(_RUN + _value(value) for value in values)


def _value(value: Value) -> int:
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, bytes):
        return _HEAD + len(value)
    return _HEAD + len(str(value)) if isinstance(value, Decimal) else _NUMBER


def _text(text: str) -> int:
    return _HEAD + (len(text) if text.isascii() else len(text.encode()))
