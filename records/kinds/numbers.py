"""Numbers: integers, decimals, floats, booleans and bits."""

from __future__ import annotations

import decimal
import math
import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass

from records.errors import ValueRefused
from records.kinds.base import (
    SAFE_INTEGER,
    JsonSchema,
    Kind,
    refuse_format,
    refuse_precision,
    refuse_range,
    refuse_type,
)

INTEGER_BITS = (8, 16, 24, 32, 64)
_INTEGER_TEXT = re.compile(r"-?(0|[1-9][0-9]{0,39})", re.ASCII)
_DECIMAL_TEXT = re.compile(r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]{1,3})?", re.ASCII)
# 65 digits is the widest DECIMAL; the context must hold them without rounding.
_EXACT = decimal.Context(prec=200, rounding=decimal.ROUND_HALF_EVEN)


def integer_from_json(value: object, low: int, high: int) -> int:
    """An integer from a JSON number or, as large ones are sent, from its digits as text."""
    if isinstance(value, str):
        if not _INTEGER_TEXT.fullmatch(value):
            refuse_format("a whole number", value)
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int):
        refuse_type("a whole number", value)
    if not low <= value <= high:
        refuse_range(low, high, value)
    return value


def integer_to_json(value: int) -> int | str:
    """A JSON number while every reader can hold it exactly, else text."""
    return value if -SAFE_INTEGER <= value <= SAFE_INTEGER else str(value)


def _integer_schema(low: int, high: int) -> JsonSchema:
    """The JSON Schema of an integer that may have to travel as text."""
    number: JsonSchema = {"type": "integer", "minimum": low, "maximum": high}
    if low >= -SAFE_INTEGER and high <= SAFE_INTEGER:
        return number
    return {"anyOf": [number, {"type": "string", "pattern": "^-?[0-9]+$"}]}


@dataclass(frozen=True)
class IntegerKind(Kind):
    """TINYINT to BIGINT, signed or unsigned. Python: `int`."""

    bits: int = 64
    unsigned: bool = False

    @property
    def low(self) -> int:
        """The smallest value."""
        return 0 if self.unsigned else -(2 ** (self.bits - 1))

    @property
    def high(self) -> int:
        """The largest value."""
        return int(2**self.bits if self.unsigned else 2 ** (self.bits - 1)) - 1

    def check(self, value: object) -> int:
        """Whole numbers in range; a boolean is no number here."""
        if isinstance(value, bool) or not isinstance(value, int):
            refuse_type("a whole number", value)
        if not self.low <= value <= self.high:
            refuse_range(self.low, self.high, value)
        return int(value)

    def from_json(self, value: object) -> int:
        """A JSON integer or its digits as text."""
        return integer_from_json(value, self.low, self.high)

    def to_json(self, value: int) -> int | str:
        """A number up to ±2^53, text beyond."""
        return integer_to_json(value)

    def json_schema(self) -> JsonSchema:
        """An integer with its limits."""
        return _integer_schema(self.low, self.high)

    def problems(self) -> Iterator[str]:
        """MySQL has integers of 8, 16, 24, 32 and 64 bits."""
        if self.bits not in INTEGER_BITS:
            yield f"bits must be one of {', '.join(map(str, INTEGER_BITS))}, not {self.bits}"


@dataclass(frozen=True)
class BooleanKind(Kind):
    """BOOLEAN, which both servers keep as TINYINT(1). Python: `bool`."""

    def check(self, value: object) -> bool:
        """True or False and nothing that merely looks like it."""
        if not isinstance(value, bool):
            refuse_type("true or false", value)
        return value

    def to_database(self, value: bool) -> int:
        """1 or 0."""
        return int(value)

    def from_database(self, raw: int) -> bool:
        """Any number but 0 is true."""
        return bool(raw)

    def json_schema(self) -> JsonSchema:
        """A boolean."""
        return {"type": "boolean"}


@dataclass(frozen=True)
class BitsKind(Kind):
    """BIT(length), up to 64 bits. Python: a non-negative `int`."""

    length: int = 1

    @property
    def high(self) -> int:
        """All bits set."""
        return int(2**self.length) - 1

    def check(self, value: object) -> int:
        """A whole number that the bits can hold."""
        if isinstance(value, bool) or not isinstance(value, int):
            refuse_type("a whole number", value)
        if not 0 <= value <= self.high:
            refuse_range(0, self.high, value)
        return int(value)

    def from_json(self, value: object) -> int:
        """A JSON integer or its digits as text."""
        return integer_from_json(value, 0, self.high)

    def to_json(self, value: int) -> int | str:
        """A number up to 2^53, text beyond."""
        return integer_to_json(value)

    def from_database(self, raw: bytes) -> int:
        """The driver returns a BIT as big-endian bytes."""
        return int.from_bytes(raw, "big")

    def json_schema(self) -> JsonSchema:
        """A non-negative integer."""
        return _integer_schema(0, self.high)

    def problems(self) -> Iterator[str]:
        """A BIT column holds 1 to 64 bits."""
        if not 1 <= self.length <= 64:
            yield f"length must be 1 to 64 bits, not {self.length}"


@dataclass(frozen=True)
class DecimalKind(Kind):
    """DECIMAL(precision, scale), exact. Python: `decimal.Decimal` with `scale` digits."""

    precision: int
    scale: int

    def check(self, value: object) -> decimal.Decimal:
        """A Decimal or whole number; more digits than the column keeps are refused, not rounded."""
        if isinstance(value, bool) or not isinstance(value, int | decimal.Decimal):
            refuse_type("a decimal number", value)
        number = decimal.Decimal(value)
        if not number.is_finite():
            refuse_type("a finite decimal number", str(value))
        if number and number.adjusted() >= self.precision - self.scale:
            raise ValueRefused(
                "value.out_of_range",
                f"the number has more than {self.precision - self.scale} digits before the point",
            )
        return self._scaled(number)

    def _scaled(self, number: decimal.Decimal) -> decimal.Decimal:
        """The same number with exactly `scale` fractional digits."""
        if number.adjusted() < -self.scale and number:
            refuse_precision(self.scale, number)
        scaled = number.quantize(decimal.Decimal(1).scaleb(-self.scale), context=_EXACT)
        if scaled != number:
            refuse_precision(self.scale, number)
        return scaled if scaled else abs(scaled)

    def from_json(self, value: object) -> decimal.Decimal:
        """Text such as "12.50", or a JSON integer; a JSON float has lost its digits already."""
        if isinstance(value, float):
            refuse_type('a decimal number as text, such as "12.50"', value)
        if isinstance(value, str):
            if not _DECIMAL_TEXT.fullmatch(value):
                refuse_format("a decimal number", value)
            value = decimal.Decimal(value)
        return self.check(value)

    def to_json(self, value: decimal.Decimal) -> str:
        """All digits, as text, without an exponent."""
        return format(value, "f")

    def from_database(self, raw: object) -> decimal.Decimal:
        """The driver returns Decimal; a whole-number column may give an int."""
        return raw if isinstance(raw, decimal.Decimal) else decimal.Decimal(str(raw))

    def json_schema(self) -> JsonSchema:
        """Digits as text, or an integer."""
        return {
            "anyOf": [
                {"type": "string", "format": "decimal", "pattern": _schema_pattern(_DECIMAL_TEXT)},
                {"type": "integer"},
            ],
            "x-precision": self.precision,
            "x-scale": self.scale,
        }

    def index_bytes(self) -> int:
        """Nine digits take four bytes."""
        return 4 * math.ceil(self.precision / 9) + 4

    def problems(self) -> Iterator[str]:
        """MySQL allows up to 65 digits, at most 30 of them after the point."""
        if not 1 <= self.precision <= 65:
            yield f"precision must be 1 to 65 digits, not {self.precision}"
        if not 0 <= self.scale <= min(30, self.precision):
            yield f"scale must be 0 to 30 and at most the precision, not {self.scale}"


@dataclass(frozen=True)
class FloatKind(Kind):
    """FLOAT (single precision) or DOUBLE. Python: `float`, always finite.

    A FLOAT keeps the nearest single; `check` rounds to it, so that what is written is what is read.
    """

    single: bool = False
    keyable = False

    def check(self, value: object) -> float:
        """A finite number that the column can hold."""
        if isinstance(value, bool) or not isinstance(value, int | float):
            refuse_type("a number", value)
        try:
            number = float(value)
            if self.single and math.isfinite(number):
                number = struct.unpack("<f", struct.pack("<f", number))[0]
        except OverflowError:
            number = math.inf
        if not math.isfinite(number):
            refuse_range(*self._limits(), value)
        # The servers do not keep the sign of zero in the same way.
        return number or 0.0

    def _limits(self) -> tuple[float, float]:
        """The largest magnitudes, for the message."""
        largest = 3.4028234663852886e38 if self.single else 1.7976931348623157e308
        return -largest, largest

    def from_database(self, raw: float) -> float:
        """The driver returns a float, an int where an expression has no fraction."""
        return float(raw)

    def column_expression(self, column: str) -> str:
        """Both servers print a FLOAT with six digits; widened to DOUBLE it comes out whole."""
        return f"({column} + 0e0)" if self.single else column

    def json_schema(self) -> JsonSchema:
        """A number."""
        return {"type": "number", "format": "float" if self.single else "double"}


def _schema_pattern(pattern: re.Pattern[str]) -> str:
    """A full-match pattern in the form JSON Schema wants."""
    return f"^{pattern.pattern}$"
