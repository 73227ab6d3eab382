"""Keys of rows as people read them, in what commands print and in the log."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from records.kinds.base import Kind
from records.kinds.identifiers import UuidKind
from records.kinds.network import AddressKind
from schema.capture.row_key import as_read, split
from schema.capture.shape import BITS, KeyPart

_TEXT_BYTES = 16
"""Of UUIDs and addresses: whatever these bytes are, they have a text form that people know."""


def in_words(columns: Iterable[str], values: Iterable[Any], kinds: Mapping[str, Kind]) -> str:
    """The values of a key with a space between them; `kinds` has those of declared columns."""
    shown = (_shown(value, kinds.get(name)) for name, value in zip(columns, values, strict=True))
    return " ".join(shown)


def row_key_in_words(key: Iterable[KeyPart], row_key: bytes, kinds: Mapping[str, Kind]) -> str:
    """A key as entries have it; as it is written there, where it is none of the table as it is."""
    parts = list(key)
    try:
        found = split(row_key, len(parts))
        values = [_value(part.form, raw) for part, raw in zip(parts, found, strict=True)]
    except (ValueError, ArithmeticError):
        text = row_key.decode("ascii", "replace")
        return text if text.isascii() and text.isprintable() else _hexadecimal(row_key)
    return in_words((part.name for part in parts), values, kinds)


def _value(form: str, raw: bytes) -> Any:
    return int(raw) if form == BITS else as_read(form, raw)


def _shown(value: Any, kind: Kind | None) -> str:
    if not isinstance(value, bytes):
        return str(value)
    if isinstance(kind, UuidKind | AddressKind) and len(value) == _TEXT_BYTES:
        return str(kind.from_database(value))
    return _hexadecimal(value)


def _hexadecimal(value: bytes) -> str:
    """Bytes as plain SQL takes them."""
    return f"X'{value.hex()}'"
