"""Values of every kind at random, for properties that hold for all of them."""

from __future__ import annotations

import struct
from datetime import UTC, timedelta
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st
from netaddr import IPAddress, IPNetwork

from records.kinds.base import Kind
from records.kinds.binary import BytesKind, FixedBytesKind, LongBytesKind
from records.kinds.choices import EnumKind, SetKind
from records.kinds.documents import HIGHEST_INTEGER, LOWEST_INTEGER, JsonKind
from records.kinds.identifiers import UuidKind
from records.kinds.network import AddressKind, CidrKind
from records.kinds.numbers import BitsKind, BooleanKind, DecimalKind, FloatKind, IntegerKind
from records.kinds.text import FixedTextKind, LongTextKind, TextKind
from records.kinds.times import (
    LONGEST_TIME,
    DateKind,
    DateTimeKind,
    TimeKind,
    TimestampKind,
    YearKind,
)
from tests.records.samples import COLOURS, SIXTY_FOUR

UNICODE = st.characters(exclude_categories=["Cs"])


def _decimals(precision: int, scale: int) -> st.SearchStrategy[Any]:
    """Every number of a DECIMAL column."""
    largest = 10**precision - 1
    return st.integers(-largest, largest).map(lambda number: _scaled(number, scale))


def _scaled(number: int, scale: int) -> Decimal:
    """Digits with the point set; the context's precision does not cut them."""
    sign, digits = int(number < 0), tuple(map(int, str(abs(number))))
    return Decimal((sign, digits, -scale))


def _time_spans(step: timedelta) -> st.SearchStrategy[timedelta]:
    """Spans in steps, within the range of TIME."""
    most = LONGEST_TIME // step
    return st.integers(-most, most).map(lambda count: count * step)


def _moments(kind: DateTimeKind) -> st.SearchStrategy[Any]:
    """Moments in range."""
    low, high = (limit.replace(tzinfo=None) for limit in kind.limits())
    return st.datetimes(low, high, timezones=st.just(UTC))


def _blocks() -> st.SearchStrategy[IPNetwork]:
    """Blocks of both families."""
    four = st.tuples(st.integers(0, 2**32 - 1), st.integers(0, 32))
    six = st.tuples(st.integers(0, 2**128 - 1), st.integers(0, 128))
    made = st.one_of(
        four.map(lambda part: IPNetwork(part, version=4).cidr),
        six.map(lambda part: IPNetwork(part, version=6).cidr),
    )
    return made.filter(lambda block: block.version == 4 or int(block.network) >> 32 != 0xFFFF)


def _addresses() -> st.SearchStrategy[IPAddress]:
    """Addresses of both families."""
    four = st.integers(0, 2**32 - 1).map(lambda number: IPAddress(number, 4))
    six = st.integers(0, 2**128 - 1).filter(lambda number: number >> 32 != 0xFFFF)
    return st.one_of(four, six.map(lambda number: IPAddress(number, 6)))


def _documents() -> st.SearchStrategy[Any]:
    """JSON documents, a few levels deep."""
    scalars = st.one_of(
        st.none(),
        st.booleans(),
        st.integers(LOWEST_INTEGER, HIGHEST_INTEGER),
        st.floats(allow_nan=False, allow_infinity=False),
        st.text(UNICODE, max_size=8),
    )
    nested = st.recursive(
        scalars,
        lambda part: (
            st.lists(part, max_size=3)
            | st.dictionaries(st.text(UNICODE, max_size=4), part, max_size=3)
        ),
        max_leaves=8,
    )
    # None as a whole stands for SQL NULL.
    return nested.filter(lambda document: document is not None)


_SINGLES = st.binary(min_size=4, max_size=4).map(lambda raw: struct.unpack("<f", raw)[0])
_DOUBLES = st.floats(allow_nan=False, allow_infinity=False)

STRATEGIES: list[tuple[Kind, st.SearchStrategy[Any]]] = [
    *(
        (kind, st.integers(kind.low, kind.high))
        for kind in (IntegerKind(8), IntegerKind(24, True), IntegerKind(), IntegerKind(64, True))
    ),
    (BooleanKind(), st.booleans()),
    *((BitsKind(length), st.integers(0, 2**length - 1)) for length in (1, 9, 64)),
    *(
        (DecimalKind(precision, scale), _decimals(precision, scale))
        for precision, scale in ((65, 30), (65, 0), (30, 30), (5, 2))
    ),
    (
        FloatKind(single=True),
        _SINGLES.filter(lambda number: abs(number) <= 3.4028234663852886e38),
    ),
    (FloatKind(), _DOUBLES),
    (TextKind(20), st.text(UNICODE, max_size=20)),
    (
        FixedTextKind(20),
        st.text(UNICODE, max_size=20).map(lambda text: text.rstrip(" ")),
    ),
    (LongTextKind("tiny"), st.text(UNICODE, max_size=63)),
    (LongTextKind("long"), st.text(UNICODE, max_size=300)),
    (BytesKind(20), st.binary(max_size=20)),
    (FixedBytesKind(20), st.binary(min_size=20, max_size=20)),
    (LongBytesKind(), st.binary(max_size=300)),
    (DateKind(), st.dates()),
    (DateTimeKind(), _moments(DateTimeKind())),
    (DateTimeKind(0), _moments(DateTimeKind(0)).map(lambda moment: moment.replace(microsecond=0))),
    (TimestampKind(), _moments(TimestampKind())),
    (TimeKind(), _time_spans(timedelta(microseconds=1))),
    (TimeKind(2), _time_spans(timedelta(milliseconds=10))),
    (YearKind(), st.integers(1901, 2155)),
    (EnumKind(COLOURS), st.sampled_from(COLOURS)),
    (SetKind(SIXTY_FOUR), st.frozensets(st.sampled_from(SIXTY_FOUR))),
    (JsonKind(), _documents()),
    (UuidKind(), st.uuids()),
    (AddressKind(), _addresses()),
    (CidrKind(), _blocks()),
]
"""A kind, and its values."""
