"""Parameters of simple types, read with every mistake noted at its place."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from records.catalogue import Catalogue
from records.fields import MISSING
from records.kinds.base import Kind
from records.kinds.binary import FixedBytesKind
from records.kinds.numbers import IntegerKind
from records.kinds.times import DateTimeKind
from records.validation import Key, parse_key
from records.values import FieldInfo, RecordInfo
from service.methods.cursor import digest_of, read_cursor, write_cursor
from service.methods.listing import LARGEST_LIMIT, USUAL_LIMIT
from service.methods.params import Arguments
from service.methods.query import Path, SortBy

_EPOCH, _MICROSECOND = datetime(1970, 1, 1, tzinfo=UTC), timedelta(microseconds=1)
NUMBER = IntegerKind(64, unsigned=True)
PLACE = FixedBytesKind(32)


class Cursor:
    """The `next` of lists that are no lists of records: what it is about, and its parts."""

    def __init__(self, about: str, **parts: Kind) -> None:
        self._about = about
        self._order = tuple(SortBy(Path((), _field(*part), False)) for part in parts.items())

    def read(self, arguments: Arguments, asked: Mapping[str, object]) -> tuple[Any, ...] | None:
        """Where to go on, None for the beginning; `asked` is what the list is of, as JSON."""
        text = arguments.get("next")
        if text is None:
            return None
        digest = digest_of(self._about, dict(asked))
        return arguments.problems.attempt(
            arguments.place("next"), lambda: read_cursor(text, digest, self._order)
        )

    def write(self, asked: Mapping[str, object], *values: object) -> str:
        """The text for the place after these values."""
        names = [sort.path.name for sort in self._order]
        digest = digest_of(self._about, dict(asked))
        return write_cursor(digest, self._order, dict(zip(names, values, strict=True)))


def read_limit(arguments: Arguments, usual: int = USUAL_LIMIT, most: int = LARGEST_LIMIT) -> int:
    """The parameter `limit`."""
    limit = arguments.get("limit")
    if limit is None:
        return usual
    if isinstance(limit, bool) or not isinstance(limit, int) or not 1 <= limit <= most:
        message = f"limit is a whole number from 1 to {most}; the next pages follow by next"
        arguments.problems.add("limit.invalid", message, arguments.place("limit"))
        return usual
    return limit


def read_class(arguments: Arguments, catalogue: Catalogue) -> RecordInfo | None:
    """The parameter `record`, the name of a class."""
    name = arguments.get("record")
    known = catalogue.records
    if name is None:
        return None
    if not isinstance(name, str) or name not in known:
        arguments.problems.class_unknown(name, known, arguments.place("record"))
        return None
    return known[name]


def read_key(arguments: Arguments, record: RecordInfo) -> Key | None:
    """The parameter `key`, of a record of this class."""
    place = arguments.place("key")
    suggest = arguments.problems.suggest
    key, failures = parse_key(record, arguments.get("key"), None, place, suggest)
    arguments.problems.failures.extend(failures)
    return key


def read_choice(arguments: Arguments, name: str, choices: Mapping[str, object]) -> str | None:
    """A parameter that is one of some words."""
    value = arguments.get(name)
    if value is None:
        return None
    if not isinstance(value, str) or value not in choices:
        message = f"{name} is one of {', '.join(choices)}"
        arguments.problems.add("value.not_a_choice", message, arguments.place(name))
        return None
    return value


def read_moment(arguments: Arguments, name: str) -> int | None:
    """A parameter that is a moment; in microseconds since 1970, UTC."""
    value, kind = arguments.get(name), DateTimeKind()
    if value is None:
        return None
    moment = arguments.problems.attempt(arguments.place(name), lambda: kind.from_json(value))
    return None if moment is None else max(0, (moment - _EPOCH) // _MICROSECOND)


def read_number(arguments: Arguments, name: str) -> int:
    """A parameter that is a number from 1 on; 1 where it is none, or absent."""
    value = arguments.get(name)
    if value is None and name not in arguments.values:
        return 1
    number = arguments.problems.attempt(arguments.place(name), lambda: NUMBER.from_json(value))
    return 1 if number is None else int(number)


def read_flag(arguments: Arguments, name: str) -> bool:
    """A parameter that is true or false; false if absent."""
    value = arguments.get(name)
    if value is not None and not isinstance(value, bool):
        arguments.problems.add(
            "value.wrong_type", f"{name} is true or false", arguments.place(name)
        )
    return value is True


def _field(name: str, kind: Kind) -> FieldInfo:
    return FieldInfo(name, name, kind, False, MISSING, None, None)
