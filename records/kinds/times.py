"""Dates and times: DATE, TIME, DATETIME, TIMESTAMP and YEAR."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from records.kinds.base import (
    JsonSchema,
    Kind,
    refuse_format,
    refuse_precision,
    refuse_range,
    refuse_type,
)

_RFC3339 = re.compile(
    r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(?:\.(?P<fraction>\d+))?(?:[Zz]|[+-]\d\d:\d\d)", re.ASCII
)
_COMPACT = re.compile(r"\d{8}T\d\d:\d\d:\d\d", re.ASCII)
_DATE = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_TIME = re.compile(
    r"(?P<sign>-?)(?P<hours>\d{2,3}):(?P<minutes>[0-5]\d):(?P<seconds>[0-5]\d)"
    r"(?:\.(?P<fraction>\d{1,6}))?",
    re.ASCII,
)
_MICROSECOND = timedelta(microseconds=1)
LONGEST_TIME = timedelta(hours=838, minutes=59, seconds=59)
"""The range of TIME that both servers share."""


def _precision_problems(precision: int) -> Iterator[str]:
    """Fractions of a second have up to six digits."""
    if not 0 <= precision <= 6:
        yield f"precision must be 0 to 6 digits, not {precision}"


def _require_precision(microseconds: int, precision: int, shown: object) -> None:
    """Refuse fractions of a second that the column would round away."""
    if microseconds % int(10 ** (6 - precision)):
        refuse_precision(precision, shown)


@dataclass(frozen=True)
class DateKind(Kind):
    """DATE from year 1 to 9999. Python: `datetime.date`."""

    def check(self, value: object) -> date:
        """A date that is not a date with a time."""
        if isinstance(value, datetime) or not isinstance(value, date):
            refuse_type("a date", value)
        return value

    def from_json(self, value: object) -> date:
        """`YYYY-MM-DD`."""
        if not isinstance(value, str):
            refuse_type("a date such as 2026-01-31", value)
        try:
            if not _DATE.fullmatch(value):
                raise ValueError
            return date.fromisoformat(value)
        except ValueError:
            refuse_format("a date such as 2026-01-31", value)

    def to_json(self, value: date) -> str:
        """`YYYY-MM-DD`."""
        return value.isoformat()

    def to_database(self, value: date) -> str:
        """`YYYY-MM-DD`."""
        return value.isoformat()

    def from_database(self, raw: str) -> date:
        """Our connections return dates as text."""
        return date.fromisoformat(raw)

    def json_schema(self) -> JsonSchema:
        """A full date."""
        return {"type": "string", "format": "date"}


@dataclass(frozen=True)
class DateTimeKind(Kind):
    """DATETIME(precision), kept in UTC. Python: an aware `datetime`, in UTC."""

    precision: int = 6

    def check(self, value: object) -> datetime:
        """A moment; one without a time zone could mean any and is refused."""
        if not isinstance(value, datetime):
            refuse_type("a date with time", value)
        if value.tzinfo is None or value.utcoffset() is None:
            refuse_type("a date with time and time zone", value)
        try:
            moment = value.astimezone(UTC)
        except OverflowError:
            refuse_range(*self.limits(), value)
        _require_precision(moment.microsecond, self.precision, value)
        low, high = self.limits()
        if not low <= moment <= high:
            refuse_range(low, high, value)
        return moment

    def limits(self) -> tuple[datetime, datetime]:
        """The first and the last moment."""
        return datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)

    def from_json(self, value: object) -> datetime:
        """RFC 3339 with a zone, or `YYYYMMDDTHH:MM:SS`, which is taken as UTC."""
        if not isinstance(value, str):
            refuse_type("a moment such as 2026-01-31T12:00:00Z", value)
        matched = _RFC3339.fullmatch(value)
        if matched and len(matched["fraction"] or "") > 6:
            refuse_precision(self.precision, value)
        try:
            moment = _parse_moment(value, standard=bool(matched))
        except ValueError:
            refuse_format("a moment such as 2026-01-31T12:00:00Z", value)
        return self.check(moment)

    def to_json(self, value: datetime) -> str:
        """RFC 3339 in UTC with microseconds."""
        return value.replace(tzinfo=None).isoformat("T", "microseconds") + "Z"

    def to_database(self, value: datetime) -> str:
        """UTC without its name; our sessions run in UTC."""
        return value.replace(tzinfo=None).isoformat(" ", "microseconds")

    def from_database(self, raw: str) -> datetime:
        """Our connections return moments as text in UTC."""
        return datetime.fromisoformat(raw).replace(tzinfo=UTC)

    def json_schema(self) -> JsonSchema:
        """An RFC 3339 moment."""
        return {"type": "string", "format": "date-time"}

    def problems(self) -> Iterator[str]:
        """Up to six fractional digits."""
        return _precision_problems(self.precision)


def _parse_moment(text: str, standard: bool) -> datetime:
    """A moment in RFC 3339, or in the compact form of older clients; else ValueError."""
    if standard:
        return datetime.fromisoformat(text.upper())
    if not _COMPACT.fullmatch(text):
        raise ValueError(text)
    return datetime.strptime(text, "%Y%m%dT%H:%M:%S").replace(tzinfo=UTC)


@dataclass(frozen=True)
class TimestampKind(DateTimeKind):
    """TIMESTAMP(precision): seconds since 1970, up to 2038. Python: an aware `datetime` in UTC."""

    def limits(self) -> tuple[datetime, datetime]:
        """The range that every supported server has."""
        first = datetime(1970, 1, 1, 0, 0, 1, tzinfo=UTC)
        return first, datetime(2038, 1, 19, 3, 14, 7, 999_999, tzinfo=UTC)


@dataclass(frozen=True)
class TimeKind(Kind):
    """TIME(precision): a span or time of day, up to ±838:59:59. Python: `timedelta`."""

    precision: int = 6

    def check(self, value: object) -> timedelta:
        """A span in range."""
        if not isinstance(value, timedelta):
            refuse_type("a span of time", value)
        if abs(value) > LONGEST_TIME:
            refuse_range(_time_text(-LONGEST_TIME), _time_text(LONGEST_TIME), value)
        _require_precision(value // _MICROSECOND, self.precision, value)
        return value

    def from_json(self, value: object) -> timedelta:
        """`[-]HH:MM:SS[.ffffff]`, hours up to 838."""
        if not isinstance(value, str):
            refuse_type("a time such as 12:30:00", value)
        if not _TIME.fullmatch(value):
            refuse_format("a time such as 12:30:00 or -100:00:00.5", value)
        return self.check(self.from_database(value))

    def to_json(self, value: timedelta) -> str:
        """`[-]HH:MM:SS.ffffff`."""
        return _time_text(value)

    def to_database(self, value: timedelta) -> str:
        """`[-]HH:MM:SS.ffffff`; the driver's own form drops the fraction."""
        return _time_text(value)

    def from_database(self, raw: str) -> timedelta:
        """Our connections return times as text."""
        matched = _TIME.fullmatch(raw)
        assert matched, f"the server returned {raw!r} for a TIME"
        span = timedelta(
            hours=int(matched["hours"]),
            minutes=int(matched["minutes"]),
            seconds=int(matched["seconds"]),
            microseconds=int((matched["fraction"] or "0").ljust(6, "0")),
        )
        return -span if matched["sign"] else span

    def json_schema(self) -> JsonSchema:
        """Hours, minutes, seconds; not RFC 3339's time, which ends at 24 hours."""
        return {"type": "string", "pattern": r"^-?[0-9]{2,3}:[0-5][0-9]:[0-5][0-9](\.[0-9]{1,6})?$"}

    def problems(self) -> Iterator[str]:
        """Up to six fractional digits."""
        return _precision_problems(self.precision)


def _time_text(span: timedelta) -> str:
    """A span as the servers write it."""
    sign = "-" if span < timedelta(0) else ""
    seconds, microseconds = divmod(abs(span) // _MICROSECOND, 1_000_000)
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{sign}{hours:02d}:{minutes:02d}:{seconds:02d}.{microseconds:06d}"


@dataclass(frozen=True)
class YearKind(Kind):
    """YEAR: 1901 to 2155. Python: `int`."""

    def check(self, value: object) -> int:
        """A year in range; the servers' own year 0 stands for a mistake and is refused."""
        if isinstance(value, bool) or not isinstance(value, int):
            refuse_type("a year", value)
        if not 1901 <= value <= 2155:
            refuse_range(1901, 2155, value)
        return value

    def json_schema(self) -> JsonSchema:
        """An integer in range."""
        return {"type": "integer", "minimum": 1901, "maximum": 2155}
