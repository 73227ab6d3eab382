"""Values of every kind: at its extremes, with their JSON forms, and just beyond."""

from __future__ import annotations

import uuid
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

ALL_BYTES = bytes(range(256))
EVERY_SIGN = "\x00\x01\n\\'\"%?`;\x7f\x80ÿŒ€\ufeff\ufffd\uffff𝄞🐄\U0010ffff"
"""Text with NUL, quotes, marks of parameters, and characters of one to four bytes."""

WIDEST_DECIMAL = Decimal("9" * 35 + "." + "9" * 30)
LOWEST_DECIMAL = WIDEST_DECIMAL.copy_negate()
SMALLEST_STEP = Decimal(1).scaleb(-30)
LARGEST_SINGLE, SMALLEST_SINGLE = 3.4028234663852886e38, 1.401298464324817e-45
LARGEST_DOUBLE, SMALLEST_DOUBLE = 1.7976931348623157e308, 5e-324
SEVEN_DIGITS = 16777217.0
"""A whole number between two singles; its neighbours need eight digits."""

FIRST_MOMENT = datetime(1, 1, 1, tzinfo=UTC)
LAST_MOMENT = datetime(9999, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC)
FIRST_TIMESTAMP = datetime(1970, 1, 1, 0, 0, 1, tzinfo=UTC)
LAST_TIMESTAMP = datetime(2038, 1, 19, 3, 14, 7, 999_999, tzinfo=UTC)
AROUND_CLOCK_CHANGES = (
    datetime(2026, 3, 29, 0, 59, 59, 999_999, tzinfo=UTC),
    datetime(2026, 3, 29, 1, 0, tzinfo=UTC),
    datetime(2026, 3, 29, 1, 30, tzinfo=UTC),
    datetime(2026, 10, 25, 0, 30, tzinfo=UTC),
    datetime(2026, 10, 25, 1, 30, tzinfo=UTC),
)
"""Half past two in Berlin exists twice in October and not at all in March 2026."""

COLOURS = ("red", "green", "blue")
SIXTY_FOUR = tuple(f"mark{number}" for number in range(64))


def nested(levels: int) -> Any:
    """A number within so many lists."""
    document: Any = 7
    for _level in range(levels):
        document = [document]
    return document


@dataclass(frozen=True)
class Sample:
    """A value that fits its kind, and its JSON form."""

    kind: Kind
    value: Any
    json: Any

    def __str__(self) -> str:
        shown = str(self.json)
        return f"{self.kind}:{shown if len(shown) < 40 else shown[:40]}".replace("\x00", "NUL")


def _integers() -> list[Sample]:
    """The ends of every width of integer."""
    kinds = [IntegerKind(bits, unsigned) for bits in INTEGER_BITS for unsigned in (False, True)]
    return [
        Sample(kind, value, value if abs(value) <= 2**53 else str(value))
        for kind in kinds
        for value in (kind.low, kind.high, 0, 1)
    ]


NUMBERS = [
    *_integers(),
    Sample(IntegerKind(), 2**53, 2**53),
    Sample(IntegerKind(), 2**53 + 1, "9007199254740993"),
    Sample(IntegerKind(), -(2**53) - 1, "-9007199254740993"),
    Sample(BooleanKind(), True, True),
    Sample(BooleanKind(), False, False),
    *(Sample(BitsKind(length), 2**length - 1, 2**length - 1) for length in (1, 7, 8, 9, 53)),
    Sample(BitsKind(64), 2**64 - 1, "18446744073709551615"),
    Sample(BitsKind(64), 0x3C3E225C2725, 0x3C3E225C2725),
    Sample(BitsKind(64), 0, 0),
    Sample(DecimalKind(65, 30), WIDEST_DECIMAL, str(WIDEST_DECIMAL)),
    Sample(DecimalKind(65, 30), LOWEST_DECIMAL, str(LOWEST_DECIMAL)),
    Sample(DecimalKind(65, 30), SMALLEST_STEP, "0." + "0" * 29 + "1"),
    Sample(DecimalKind(65, 30), Decimal(0).scaleb(-30), "0." + "0" * 30),
    Sample(DecimalKind(65, 0), Decimal("9" * 65), "9" * 65),
    Sample(DecimalKind(30, 30), Decimal("-0." + "9" * 30), "-0." + "9" * 30),
    Sample(FloatKind(single=True), LARGEST_SINGLE, LARGEST_SINGLE),
    Sample(FloatKind(single=True), -LARGEST_SINGLE, -LARGEST_SINGLE),
    Sample(FloatKind(single=True), SMALLEST_SINGLE, SMALLEST_SINGLE),
    Sample(FloatKind(single=True), 1.17549435e-38, 1.1754943508222875e-38),
    Sample(FloatKind(single=True), 0.1, 0.10000000149011612),
    Sample(FloatKind(single=True), 1234567.875, 1234567.875),
    Sample(FloatKind(single=True), SEVEN_DIGITS, 16777216.0),
    Sample(FloatKind(), LARGEST_DOUBLE, LARGEST_DOUBLE),
    Sample(FloatKind(), -LARGEST_DOUBLE, -LARGEST_DOUBLE),
    Sample(FloatKind(), SMALLEST_DOUBLE, SMALLEST_DOUBLE),
    Sample(FloatKind(), 2.2250738585072014e-308, 2.2250738585072014e-308),
    Sample(FloatKind(), 0.1 + 0.2, 0.30000000000000004),
    Sample(FloatKind(), -0.0, 0.0),
    Sample(FloatKind(), 3, 3.0),
]

TEXTS = [
    Sample(TextKind(len(EVERY_SIGN)), EVERY_SIGN, EVERY_SIGN),
    Sample(TextKind(3), "𝄞" * 3, "𝄞" * 3),
    Sample(TextKind(3), "", ""),
    Sample(TextKind(3), "a  ", "a  "),
    Sample(FixedTextKind(3), "🐄🐄🐄", "🐄🐄🐄"),
    Sample(FixedTextKind(3), "\x00a\n", "\x00a\n"),
    Sample(FixedTextKind(3), "", ""),
    Sample(LongTextKind("tiny"), "é" * 127 + "x", "é" * 127 + "x"),
    Sample(LongTextKind(), "𝄞" * 16_383 + "abc", "𝄞" * 16_383 + "abc"),
    Sample(LongTextKind("medium"), EVERY_SIGN * 3_000, EVERY_SIGN * 3_000),
    Sample(LongTextKind("long"), EVERY_SIGN + " ", EVERY_SIGN + " "),
]

BYTES = [
    Sample(BytesKind(4), b"", ""),
    Sample(BytesKind(4), b"a\x00 \xff", "YQAg/w=="),
    Sample(FixedBytesKind(3), b"\x00\x00\x00", "AAAA"),
    Sample(FixedBytesKind(3), b"a\x00 ", "YQAg"),
    Sample(LongBytesKind("tiny"), ALL_BYTES[1:], None),
    Sample(LongBytesKind(), ALL_BYTES * 255 + ALL_BYTES[1:], None),
    Sample(LongBytesKind("medium"), ALL_BYTES * 300, None),
    Sample(LongBytesKind("long"), ALL_BYTES[::-1], None),
]

TIMES = [
    Sample(DateKind(), date.min, "0001-01-01"),
    Sample(DateKind(), date.max, "9999-12-31"),
    Sample(DateKind(), date(2024, 2, 29), "2024-02-29"),
    Sample(DateTimeKind(), FIRST_MOMENT, "0001-01-01T00:00:00.000000Z"),
    Sample(DateTimeKind(), LAST_MOMENT, "9999-12-31T23:59:59.999999Z"),
    Sample(
        DateTimeKind(),
        datetime(2026, 1, 1, tzinfo=timezone(timedelta(hours=14))),
        "2025-12-31T10:00:00.000000Z",
    ),
    Sample(
        DateTimeKind(0),
        datetime(2026, 1, 1, 1, 2, 3, tzinfo=UTC),
        "2026-01-01T01:02:03.000000Z",
    ),
    Sample(
        DateTimeKind(3),
        datetime(2026, 1, 1, 1, 2, 3, 999_000, tzinfo=UTC),
        "2026-01-01T01:02:03.999000Z",
    ),
    Sample(TimestampKind(), FIRST_TIMESTAMP, "1970-01-01T00:00:01.000000Z"),
    Sample(TimestampKind(), LAST_TIMESTAMP, "2038-01-19T03:14:07.999999Z"),
    *(
        Sample(TimestampKind(), moment, moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ"))
        for moment in AROUND_CLOCK_CHANGES
    ),
    Sample(TimeKind(), LONGEST_TIME, "838:59:59.000000"),
    Sample(TimeKind(), -LONGEST_TIME, "-838:59:59.000000"),
    Sample(TimeKind(), timedelta(microseconds=-1), "-00:00:00.000001"),
    Sample(TimeKind(), timedelta(microseconds=1), "00:00:00.000001"),
    Sample(TimeKind(), timedelta(0), "00:00:00.000000"),
    Sample(TimeKind(), LONGEST_TIME - timedelta(microseconds=1), "838:59:58.999999"),
    Sample(TimeKind(1), timedelta(hours=-1, milliseconds=-100), "-01:00:00.100000"),
    Sample(YearKind(), 1901, 1901),
    Sample(YearKind(), 2155, 2155),
]

CHOICES = [
    *(Sample(EnumKind(COLOURS), colour, colour) for colour in COLOURS),
    Sample(EnumKind(("2", "1", "ä'\\")), "1", "1"),
    Sample(EnumKind(("2", "1", "ä'\\")), "ä'\\", "ä'\\"),
    Sample(SetKind(COLOURS), frozenset(), []),
    Sample(SetKind(COLOURS), frozenset({"blue", "red"}), ["red", "blue"]),
    Sample(SetKind(SIXTY_FOUR), frozenset(SIXTY_FOUR), list(SIXTY_FOUR)),
    Sample(SetKind(SIXTY_FOUR), frozenset({"mark63"}), ["mark63"]),
]

DOCUMENTS = [
    Sample(JsonKind(), document, document)
    for document in (
        {},
        [],
        "",
        0,
        False,
        EVERY_SIGN,
        {"b": [1, {"a": None}], "a": EVERY_SIGN, "": "\\u0000", EVERY_SIGN: True},
        [2**64 - 1, -(2**63), 2**53 + 1, 0],
        [1e308, -1e308, 5e-324, 1e22, 0.1, 1.5e300, 0.30000000000000004],
        nested(DEEPEST),
        {"deep": nested(DEEPEST - 1)},
        ["x" * 70_000],
    )
]

IDENTIFIERS = [
    Sample(UuidKind(), uuid.UUID(int=0), "00000000-0000-0000-0000-000000000000"),
    Sample(UuidKind(), uuid.UUID(int=2**128 - 1), "ffffffff-ffff-ffff-ffff-ffffffffffff"),
    Sample(
        UuidKind(),
        uuid.UUID("01890a5d-ac96-774b-bcce-b302099a8057"),
        "01890a5d-ac96-774b-bcce-b302099a8057",
    ),
]

NETWORKS = [
    *(
        Sample(AddressKind(), IPAddress(text), text)
        for text in ("0.0.0.0", "255.255.255.255", "10.0.0.1", "::", "::1", "2001:db8::a")
    ),
    Sample(AddressKind(), IPAddress(2**128 - 1, 6), ":".join(["ffff"] * 8)),
    *(
        Sample(CidrKind(), IPNetwork(text), text)
        for text in ("0.0.0.0/0", "10.0.0.0/8", "255.255.255.255/32", "::/0", "2001:db8::/32")
    ),
    Sample(CidrKind(), IPNetwork((2**128 - 1, 128), version=6), ":".join(["ffff"] * 8) + "/128"),
]

SAMPLES = [
    *NUMBERS,
    *TEXTS,
    *BYTES,
    *TIMES,
    *CHOICES,
    *DOCUMENTS,
    *IDENTIFIERS,
    *NETWORKS,
]


KINDS = list(dict.fromkeys(sample.kind for sample in SAMPLES))
