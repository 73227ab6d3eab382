"""Values just beyond every kind, and what is said of them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

from netaddr import IPAddress, IPNetwork

from records.kinds.base import Kind
from records.kinds.binary import BytesKind, FixedBytesKind, LongBytesKind
from records.kinds.choices import EnumKind, SetKind
from records.kinds.documents import DEEPEST, JsonKind
from records.kinds.identifiers import UuidKind
from records.kinds.network import AddressKind, CidrKind
from records.kinds.numbers import (
    INTEGER_BITS,
    BitsKind,
    BooleanKind,
    DecimalKind,
    FloatKind,
    IntegerKind,
)
from records.kinds.text import FixedTextKind, LongTextKind, TextKind
from records.kinds.times import (
    LONGEST_TIME,
    DateKind,
    DateTimeKind,
    TimeKind,
    TimestampKind,
    YearKind,
)
from tests.records.samples import (
    COLOURS,
    FIRST_MOMENT,
    FIRST_TIMESTAMP,
    LARGEST_SINGLE,
    LAST_TIMESTAMP,
    SIXTY_FOUR,
    SMALLEST_STEP,
    WIDEST_DECIMAL,
    nested,
)


@dataclass(frozen=True)
class Refusal:
    """A value that does not fit its kind, the code of the refusal, and words of its message."""

    kind: Kind
    value: Any
    code: str
    says: str

    def __str__(self) -> str:
        return f"{self.kind}:{self.says}"


_WRONG, _RANGE, _FORMAT = "value.wrong_type", "value.out_of_range", "value.bad_format"
_PRECISE, _LONG = "value.too_precise", "value.too_long"


def _beyond_integers() -> list[Refusal]:
    """One below and one above every width of integer."""
    kinds = [IntegerKind(bits, unsigned) for bits in INTEGER_BITS for unsigned in (False, True)]
    return [
        Refusal(kind, value, _RANGE, f"is not between {kind.low} and {kind.high}")
        for kind in kinds
        for value in (kind.low - 1, kind.high + 1)
    ]


REFUSED_BY_CHECK = [
    *_beyond_integers(),
    Refusal(IntegerKind(), True, _WRONG, "expected a whole number, not the boolean true"),
    Refusal(IntegerKind(), 1.0, _WRONG, "expected a whole number, not the number 1.0"),
    Refusal(IntegerKind(), "1", _WRONG, "not the text '1'"),
    Refusal(IntegerKind(), [1], _WRONG, "not a list"),
    Refusal(IntegerKind(), 10**5_000, _RANGE, "a number of more than 77 digits"),
    Refusal(BooleanKind(), 1, _WRONG, "expected true or false, not the number 1"),
    Refusal(BitsKind(3), 8, _RANGE, "8 is not between 0 and 7"),
    Refusal(BitsKind(64), 2**64, _RANGE, "is not between 0 and 18446744073709551615"),
    Refusal(BitsKind(3), -1, _RANGE, "-1 is not between 0 and 7"),
    Refusal(BitsKind(3), True, _WRONG, "expected a whole number"),
    Refusal(DecimalKind(5, 2), Decimal("1000"), _RANGE, "more than 3 digits before the point"),
    Refusal(DecimalKind(5, 2), Decimal("1.005"), _PRECISE, "the 2 fractional digits"),
    Refusal(DecimalKind(5, 2), Decimal("1e-400"), _PRECISE, "the 2 fractional digits"),
    Refusal(DecimalKind(65, 30), WIDEST_DECIMAL * 10, _RANGE, "more than 35 digits"),
    Refusal(DecimalKind(65, 30), SMALLEST_STEP / 2, _PRECISE, "the 30 fractional digits"),
    Refusal(DecimalKind(5, 2), Decimal("NaN"), _WRONG, "a finite decimal number"),
    Refusal(DecimalKind(5, 2), Decimal("Infinity"), _WRONG, "a finite decimal number"),
    Refusal(DecimalKind(5, 2), 1.5, _WRONG, "expected a decimal number, not the number 1.5"),
    Refusal(FloatKind(single=True), LARGEST_SINGLE * 1.01, _RANGE, "3.4028234663852886e+38"),
    Refusal(FloatKind(), math.inf, _RANGE, "inf is not between"),
    Refusal(FloatKind(), math.nan, _RANGE, "nan is not between"),
    Refusal(FloatKind(), 10**400, _RANGE, "a number of more than 77 digits is not between"),
    Refusal(FloatKind(), "1.5", _WRONG, "expected a number"),
    Refusal(TextKind(3), "abcd", _LONG, "4 characters, where at most 3 fit"),
    Refusal(TextKind(3), "a\ud83d", "value.not_unicode", "character 1 is half a surrogate pair"),
    Refusal(TextKind(3), b"abc", _WRONG, "expected text"),
    Refusal(FixedTextKind(3), "ab ", "value.trailing_space", "remove them"),
    Refusal(FixedTextKind(3), "abcd", _LONG, "at most 3 fit"),
    Refusal(LongTextKind("tiny"), "é" * 128, _LONG, "256 bytes, where at most 255 fit"),
    Refusal(LongTextKind(), "x" * 65_536, _LONG, "65536 bytes, where at most 65535 fit"),
    Refusal(BytesKind(3), b"abcd", _LONG, "4 bytes, where at most 3 fit"),
    Refusal(BytesKind(3), "abc", _WRONG, "expected bytes"),
    Refusal(FixedBytesKind(3), b"ab", "value.too_short", "2 bytes, where exactly 3 must be"),
    Refusal(FixedBytesKind(3), b"abcd", _LONG, "4 bytes"),
    Refusal(LongBytesKind("tiny"), bytes(256), _LONG, "256 bytes, where at most 255 fit"),
    Refusal(DateKind(), FIRST_MOMENT, _WRONG, "expected a date"),
    Refusal(DateKind(), "2026-01-01", _WRONG, "expected a date"),
    Refusal(DateTimeKind(), datetime(2026, 1, 1), _WRONG, "and time zone"),
    Refusal(DateTimeKind(), date(2026, 1, 1), _WRONG, "a date with time"),
    Refusal(
        DateTimeKind(3),
        datetime(2026, 1, 1, microsecond=1, tzinfo=UTC),
        _PRECISE,
        "the 3 fractional digits",
    ),
    Refusal(
        DateTimeKind(),
        datetime(1, 1, 1, tzinfo=timezone(timedelta(hours=1))),
        _RANGE,
        "is not between 0001-01-01",
    ),
    Refusal(
        TimestampKind(), FIRST_TIMESTAMP - timedelta(microseconds=1), _RANGE, "1970-01-01 00:00:01"
    ),
    Refusal(TimestampKind(), LAST_TIMESTAMP + timedelta(microseconds=1), _RANGE, "2038-01-19"),
    Refusal(TimeKind(), LONGEST_TIME + timedelta(microseconds=1), _RANGE, "and 838:59:59"),
    Refusal(TimeKind(), -LONGEST_TIME - timedelta(microseconds=1), _RANGE, "between -838:59:59"),
    Refusal(TimeKind(0), timedelta(milliseconds=-500), _PRECISE, "the 0 fractional digits"),
    Refusal(TimeKind(), 7, _WRONG, "expected a span of time"),
    Refusal(YearKind(), 1900, _RANGE, "1900 is not between 1901 and 2155"),
    Refusal(YearKind(), 2156, _RANGE, "2156 is not between 1901 and 2155"),
    Refusal(YearKind(), 0, _RANGE, "0 is not between"),
    Refusal(YearKind(), True, _WRONG, "expected a year"),
    Refusal(EnumKind(COLOURS), "Red", "value.not_a_choice", "none of 'red', 'green', 'blue'"),
    Refusal(EnumKind(SIXTY_FOUR), "x" * 9_999, "value.not_a_choice", "'mark9' and 54 more"),
    Refusal(EnumKind(COLOURS), 1, _WRONG, "expected text"),
    Refusal(SetKind(COLOURS), "red", _WRONG, "expected a list of values"),
    Refusal(SetKind(COLOURS), ["red", "pink"], "value.not_a_choice", "'pink' is none of"),
    Refusal(JsonKind(), nested(DEEPEST + 1), "value.too_deep", "deeper than 30 levels"),
    Refusal(JsonKind(), {"a": [2**64]}, _RANGE, "send it as text"),
    Refusal(JsonKind(), -(2**63) - 1, _RANGE, "send it as text"),
    Refusal(JsonKind(), [math.nan], _RANGE, "no infinity and no NaN"),
    Refusal(JsonKind(), {"a": b""}, _WRONG, "expected a JSON value"),
    Refusal(JsonKind(), {1: 2}, _WRONG, "expected text, not the number 1"),
    Refusal(JsonKind(), {"\ud83d": 1}, "value.not_unicode", "surrogate"),
    Refusal(JsonKind(), ["\udc04"], "value.not_unicode", "surrogate"),
    Refusal(UuidKind(), "01890a5d-ac96-774b-bcce-b302099a8057", _WRONG, "expected a UUID"),
    Refusal(AddressKind(), "10.0.0.1", _WRONG, "expected an IP address"),
    Refusal(AddressKind(), IPAddress("::ffff:10.0.0.1"), "value.mapped_address", "write 10.0.0.1"),
    Refusal(CidrKind(), IPNetwork("10.0.0.1/8"), "value.host_bits", "the block is 10.0.0.0/8"),
    Refusal(CidrKind(), IPNetwork("::ffff:0:0/96"), "value.mapped_address", "write 0.0.0.0"),
    Refusal(CidrKind(), IPAddress("10.0.0.1"), _WRONG, "expected a network block"),
]

REFUSED_FROM_JSON = [
    Refusal(IntegerKind(), "01", _FORMAT, "'01' is not a whole number"),
    Refusal(IntegerKind(), "1e3", _FORMAT, "is not a whole number"),
    Refusal(IntegerKind(), "", _FORMAT, "'' is not a whole number"),
    Refusal(IntegerKind(), "9" * 41, _FORMAT, "is not a whole number"),
    Refusal(IntegerKind(), str(2**63), _RANGE, "9223372036854775808 is not between"),
    Refusal(IntegerKind(), 1.0, _WRONG, "expected a whole number"),
    Refusal(IntegerKind(), None, _WRONG, "not null"),
    Refusal(IntegerKind(), {}, _WRONG, "not an object"),
    Refusal(BitsKind(8), "256", _RANGE, "256 is not between 0 and 255"),
    Refusal(DecimalKind(5, 2), 1.5, _WRONG, 'as text, such as "12.50"'),
    Refusal(DecimalKind(5, 2), "1,5", _FORMAT, "'1,5' is not a decimal number"),
    Refusal(DecimalKind(5, 2), "NaN", _FORMAT, "is not a decimal number"),
    Refusal(DecimalKind(5, 2), "1e999", _RANGE, "more than 3 digits before the point"),
    Refusal(BytesKind(3), "abc", _FORMAT, "is not base64"),
    Refusal(BytesKind(3), "YQ==\n", _FORMAT, "is not base64"),
    Refusal(BytesKind(3), "é===", _FORMAT, "is not base64"),
    Refusal(BytesKind(3), "YWJjZA==", _LONG, "4 bytes, where at most 3 fit"),
    Refusal(BytesKind(3), 1, _WRONG, "expected base64 text"),
    Refusal(DateKind(), "2026-02-30", _FORMAT, "'2026-02-30' is not a date such as 2026-01-31"),
    Refusal(DateKind(), "20260131", _FORMAT, "is not a date such as"),
    Refusal(DateKind(), "0000-01-01", _FORMAT, "is not a date such as"),
    Refusal(DateKind(), 20260131, _WRONG, "expected a date such as 2026-01-31"),
    Refusal(DateTimeKind(), "2026-01-31T12:00:00", _FORMAT, "is not a moment such as"),
    Refusal(DateTimeKind(), "2026-01-31T24:00:00Z", _FORMAT, "is not a moment such as"),
    Refusal(DateTimeKind(), "2026-01-31T23:59:60Z", _FORMAT, "is not a moment such as"),
    Refusal(DateTimeKind(), "2026-01-31T12:00:00.1234567Z", _PRECISE, "the 6 fractional digits"),
    Refusal(DateTimeKind(0), "2026-01-31T12:00:00.5Z", _PRECISE, "the 0 fractional digits"),
    Refusal(DateTimeKind(), "0001-01-01T00:00:00+01:00", _RANGE, "is not between"),
    Refusal(DateTimeKind(), 0, _WRONG, "expected a moment such as"),
    Refusal(TimestampKind(), "2038-01-19T03:14:08Z", _RANGE, "is not between 1970-01-01"),
    Refusal(TimeKind(), "839:00:00", _RANGE, "is not between -838:59:59.000000"),
    Refusal(TimeKind(), "838:59:59.000001", _RANGE, "is not between"),
    Refusal(TimeKind(), "12:60:00", _FORMAT, "is not a time such as"),
    Refusal(TimeKind(), "1:00:00", _FORMAT, "is not a time such as"),
    Refusal(TimeKind(), "12:00:00.1234567", _FORMAT, "is not a time such as"),
    Refusal(TimeKind(), 12, _WRONG, "expected a time such as"),
    Refusal(EnumKind(COLOURS), ["red"], _WRONG, "expected text, not a list"),
    Refusal(SetKind(COLOURS), {"red": 1}, _WRONG, "expected a list of values, not an object"),
    Refusal(SetKind(COLOURS), [["red"]], _WRONG, "expected text, not a list"),
    Refusal(UuidKind(), "01890a5dac96774bbcceb302099a8057", _FORMAT, "is not a UUID such as"),
    Refusal(UuidKind(), "{01890a5d-ac96-774b-bcce-b302099a8057}", _FORMAT, "is not a UUID"),
    Refusal(UuidKind(), 7, _WRONG, "expected a UUID"),
    Refusal(AddressKind(), "010.0.0.1", _FORMAT, "is not an IPv4 or IPv6 address"),
    Refusal(AddressKind(), "10.1", _FORMAT, "is not an IPv4 or IPv6 address"),
    Refusal(AddressKind(), "10.0.0.256", _FORMAT, "is not an IPv4 or IPv6 address"),
    Refusal(AddressKind(), "fe80::1%eth0", _FORMAT, "is not an IPv4 or IPv6 address"),
    Refusal(AddressKind(), "::ffff:10.0.0.1", "value.mapped_address", "write 10.0.0.1"),
    Refusal(AddressKind(), 1, _WRONG, "expected an IP address"),
    Refusal(CidrKind(), "10.0.0.0", _FORMAT, "is not a network block such as"),
    Refusal(CidrKind(), "10.0.0.0/33", _FORMAT, "is not a network block such as"),
    Refusal(CidrKind(), "10.0.0.0/08", _FORMAT, "is not a network block such as"),
    Refusal(CidrKind(), "10.0.0.0/255.0.0.0", _FORMAT, "is not a network block such as"),
    Refusal(CidrKind(), "2001:db8::/129", _FORMAT, "is not a network block such as"),
    Refusal(CidrKind(), "10.0.0.1/8", "value.host_bits", "the block is 10.0.0.0/8"),
    Refusal(CidrKind(), "10.0.0.0/8/8", _FORMAT, "is not a network block such as"),
]
