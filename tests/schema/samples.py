"""Every type of field, and for each what may change about it."""

from __future__ import annotations

import decimal
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any

from records import (
    Address,
    Bits,
    Boolean,
    Bytes,
    Cidr,
    Date,
    DateTime,
    Decimal,
    Double,
    Enum,
    FixedBytes,
    FixedText,
    Float,
    Integer,
    Json,
    Record,
    Set,
    Text,
    Time,
    Timestamp,
    Uuid,
    Year,
)

NOON = datetime(2026, 1, 31, 12, 0, 0, 250_000, tzinfo=UTC)
OTHER_COLLATION = "utf8mb4_unicode_ci"

Maker = Any
"""Makes a field anew: a field belongs to one class."""

CHANGES: Mapping[str, tuple[Maker, Maker]] = {
    "integer_bits": (lambda: Integer(bits=8), lambda: Integer(bits=16)),
    "integer_medium": (lambda: Integer(bits=24), lambda: Integer(bits=32)),
    "integer_unsigned": (lambda: Integer(), lambda: Integer(unsigned=True)),
    "integer_signed": (lambda: Integer(bits=32, unsigned=True), lambda: Integer(bits=32)),
    "integer_none": (lambda: Integer(), lambda: Integer(allow_none=True)),
    "integer_default": (lambda: Integer(default=1), lambda: Integer(default=2)),
    "integer_default_new": (lambda: Integer(), lambda: Integer(default=0)),
    "integer_default_gone": (lambda: Integer(default=-5), lambda: Integer()),
    "boolean": (lambda: Boolean(), lambda: Integer(bits=8)),
    "boolean_default": (lambda: Boolean(default=True), lambda: Boolean(default=False)),
    "bits": (lambda: Bits(length=3), lambda: Bits(length=64)),
    "bits_none": (lambda: Bits(length=8, default=5), lambda: Bits(length=8, allow_none=True)),
    "decimal_precision": (
        lambda: Decimal(precision=9, scale=2),
        lambda: Decimal(precision=65, scale=2),
    ),
    "decimal_scale": (
        lambda: Decimal(precision=65, scale=29),
        lambda: Decimal(precision=65, scale=30),
    ),
    "decimal_default": (
        lambda: Decimal(precision=5, scale=2, default=decimal.Decimal("1.50")),
        lambda: Decimal(precision=5, scale=2, default=decimal.Decimal("1.51")),
    ),
    "float": (lambda: Float(), lambda: Double()),
    "float_default": (lambda: Float(default=0.1), lambda: Float(default=0.2)),
    "double_default": (lambda: Double(default=1e300), lambda: Double(default=-1e-300)),
    "text_length": (lambda: Text(length=10), lambda: Text(length=11)),
    "text_collation": (lambda: Text(length=10), lambda: Text(length=10, collation=OTHER_COLLATION)),
    "text_fixed": (lambda: Text(length=10), lambda: FixedText(length=10)),
    "text_long": (lambda: Text(length=10), lambda: Text()),
    "text_size": (lambda: Text(size="medium"), lambda: Text(size="long")),
    "text_tiny": (lambda: Text(size="tiny"), lambda: Text()),
    "text_default": (
        lambda: Text(length=40, default="it's \\ 100% \" b'1' é 😀"),
        lambda: Text(length=40, default="it's \\ 100% \" b'1' é 😀!"),
    ),
    "text_default_empty": (lambda: Text(length=9, default=""), lambda: Text(length=9)),
    "text_default_null": (
        lambda: Text(length=9, default="NULL", allow_none=True),
        lambda: Text(length=9, default=None, allow_none=True),
    ),
    "text_default_number": (
        lambda: Text(length=9, default="1.0"),
        lambda: Text(length=9, default="1.00"),
    ),
    "fixed_text": (lambda: FixedText(length=2), lambda: FixedText(length=3)),
    "bytes_length": (lambda: Bytes(length=10), lambda: Bytes(length=20)),
    "bytes_fixed": (lambda: Bytes(length=10), lambda: FixedBytes(length=10)),
    "bytes_size": (lambda: Bytes(), lambda: Bytes(size="long")),
    "bytes_tiny": (lambda: Bytes(size="tiny"), lambda: Bytes(size="medium")),
    "bytes_to_text": (lambda: Bytes(), lambda: Text()),
    "date": (lambda: Date(), lambda: DateTime()),
    "date_default": (
        lambda: Date(default=date(2026, 1, 31)),
        lambda: Date(default=date(2026, 2, 1)),
    ),
    "time_precision": (lambda: Time(), lambda: Time(precision=0)),
    "time_default": (
        lambda: Time(default=timedelta(hours=-100, seconds=1.5)),
        lambda: Time(default=timedelta(hours=100)),
    ),
    "moment_precision": (lambda: DateTime(precision=3), lambda: DateTime()),
    "moment_default": (
        lambda: DateTime(precision=3, default=NOON),
        lambda: DateTime(precision=3, default=NOON + timedelta(days=1)),
    ),
    "moment_timestamp": (lambda: DateTime(), lambda: Timestamp()),
    "timestamp_precision": (lambda: Timestamp(), lambda: Timestamp(precision=0)),
    "timestamp_none": (lambda: Timestamp(), lambda: Timestamp(allow_none=True)),
    "timestamp_default": (lambda: Timestamp(default=NOON), lambda: Timestamp()),
    "year": (lambda: Year(), lambda: Integer(bits=16)),
    "year_default": (lambda: Year(default=2026), lambda: Year(default=2027)),
    "enum_values": (lambda: Enum(["a", "b"]), lambda: Enum(["a", "b", "c"])),
    "enum_order": (lambda: Enum(["a", "b"]), lambda: Enum(["b", "a"])),
    "enum_case": (lambda: Enum(["a", "b"]), lambda: Enum(["a", "B"])),
    "enum_signs": (
        lambda: Enum(["it's", "100%", "a\\b", "a,b", "(x)", "é"]),
        lambda: Enum(["it's", "100%", "a\\b", "a,b", "(x)", "é", "z"]),
    ),
    "enum_default": (
        lambda: Enum(["a", "b"], default="a"),
        lambda: Enum(["a", "b"], default="b"),
    ),
    "set_values": (lambda: Set(["a", "b"]), lambda: Set(["a", "b", "c"])),
    "set_default": (
        lambda: Set(["a", "b"], default=frozenset({"a", "b"})),
        lambda: Set(["a", "b"], default=frozenset()),
    ),
    "json_to_text": (lambda: Json(), lambda: Text(size="long")),
    "text_to_json": (lambda: Text(size="long"), lambda: Json()),
    "json_none": (lambda: Json(), lambda: Json(allow_none=True)),
    "uuid": (lambda: Uuid(), lambda: Bytes(length=16)),
    "address": (lambda: Address(), lambda: Cidr()),
}
"""For each name a field as it was first declared, and as it is declared later."""


def sample(*changed: str) -> type[Record]:
    """A record class with every field, those named in their later form."""
    fields = {name: makers[name in changed]() for name, makers in CHANGES.items()}
    # Rows as wide as these do not fit; the changes stay small enough.
    made: type[Record] = type("Sample", (Record,), {"__module__": __name__, **fields})
    return made
