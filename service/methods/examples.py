"""Example values for the help texts; each is one that its field takes."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterable
from typing import Any

from records.kinds.base import Kind
from records.kinds.binary import BytesKind, FixedBytesKind, LongBytesKind
from records.kinds.choices import EnumKind, SetKind
from records.kinds.documents import JsonKind
from records.kinds.identifiers import UuidKind
from records.kinds.network import AddressKind, CidrKind
from records.kinds.numbers import BitsKind, BooleanKind, DecimalKind, FloatKind, IntegerKind
from records.kinds.text import LongTextKind, TextKind
from records.kinds.times import DateKind, DateTimeKind, TimeKind, YearKind
from records.values import RecordInfo

_WORD = "example"


def _base64(length: int) -> str:
    """Bytes as they are sent."""
    return base64.b64encode(b"\x01" * length).decode()


# The first class that fits counts, so derived kinds stand before their bases.
_BY_KIND: tuple[tuple[type[Kind], Callable[[Any], Any]], ...] = (
    (IntegerKind, lambda kind: 1),
    (BooleanKind, lambda kind: True),
    (BitsKind, lambda kind: 1),
    (DecimalKind, lambda kind: "1" if kind.precision > kind.scale else "0"),
    (FloatKind, lambda kind: 1.5),
    (TextKind, lambda kind: _WORD[: kind.length]),
    (LongTextKind, lambda kind: _WORD),
    (FixedBytesKind, lambda kind: _base64(kind.length)),
    (BytesKind, lambda kind: _base64(1)),
    (LongBytesKind, lambda kind: _base64(1)),
    (DateKind, lambda kind: "2026-01-31"),
    (DateTimeKind, lambda kind: "2026-01-31T12:00:00Z"),
    (TimeKind, lambda kind: "12:30:00"),
    (YearKind, lambda kind: 2026),
    (EnumKind, lambda kind: kind.values[0]),
    (SetKind, lambda kind: [kind.values[0]]),
    (JsonKind, lambda kind: {"any": ["JSON"]}),
    (UuidKind, lambda kind: "01890a5d-ac96-774b-bcce-b302099a8057"),
    (AddressKind, lambda kind: "192.0.2.1"),
    (CidrKind, lambda kind: "192.0.2.0/24"),
)


def example_value(kind: Kind) -> Any:
    """A value of the kind, as JSON."""
    return next(make(kind) for cls, make in _BY_KIND if isinstance(kind, cls))


def example_fields(record: RecordInfo, names: Iterable[str]) -> dict[str, Any]:
    """Some fields with values, as JSON."""
    return {name: example_value(record.fields[name].kind) for name in names}


def example_key(record: RecordInfo) -> Any:
    """A key, as JSON: the bare value, or an object where it has several fields."""
    named = example_fields(record, record.key)
    return named if len(named) > 1 else next(iter(named.values()))


def example_new(record: RecordInfo, without: Iterable[str] = ()) -> dict[str, Any]:
    """A new record: the fields that must be given, else the first that is no key."""
    left_out = set(without)
    usable = [name for name in record.fields if name not in left_out]
    required = [name for name in usable if record.fields[name].required]
    others = [name for name in usable if name not in record.key]
    return example_fields(record, required or others[:1])


def example_change(record: RecordInfo) -> dict[str, Any]:
    """A key and the first field that is no part of it."""
    others = [name for name in record.fields if name not in record.key]
    return example_fields(record, (*record.key, *others[:1]))
