"""What a record is: declare classes here, everything else follows from them.

from records import Record, Reference, References, Text
"""

from __future__ import annotations

from records.base import Record
from records.constraints import Index, Unique
from records.errors import DeclarationError, HerdbookError, ValueRefused
from records.fields import (
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
    Set,
    Text,
    Time,
    Timestamp,
    Uuid,
    Year,
)
from records.relation import Reference, References

__all__ = [
    "Address",
    "Bits",
    "Boolean",
    "Bytes",
    "Cidr",
    "Date",
    "DateTime",
    "Decimal",
    "DeclarationError",
    "Double",
    "Enum",
    "FixedBytes",
    "FixedText",
    "Float",
    "HerdbookError",
    "Index",
    "Integer",
    "Json",
    "Record",
    "Reference",
    "References",
    "Set",
    "Text",
    "Time",
    "Timestamp",
    "Unique",
    "Uuid",
    "ValueRefused",
    "Year",
]
