"""The parameters of the methods that compare nodes; what is wrong is noted in their problems."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TypeVar

from service.herd.digests import MOST_DIGITS
from service.herd.vectors import Vector
from service.methods.params import Arguments
from service.methods.verifying_port import MOST_BUCKETS, MOST_KEYS, MOST_PHANTOMS

_T = TypeVar("_T")

_DIGEST = re.compile(r"[0-9a-f]{32}\Z")
_BUCKET = re.compile(rf"[0-9a-f]{{0,{MOST_DIGITS}}}\Z")
_KEY = re.compile(r"(?:[0-9a-f]{2}){0,3200}\Z")
_NUMBER = re.compile(r"[0-9]{1,5}\Z")
_ORIGIN = re.compile(r"[0-9]{1,10}\Z")
_HIGHEST = 2**63 - 1
_MOST_COLUMNS = 4_096
_MOST_ORIGINS = 10_000


def read_table(arguments: Arguments) -> str:
    """The parameter `table`."""
    given = arguments.get("table")
    if isinstance(given, str):
        return given
    if "table" in arguments.values:
        arguments.problems.add("value.wrong_type", "table is text", arguments.place("table"))
    return ""


def read_digits(arguments: Arguments) -> int:
    """The parameter `digits`."""
    given = arguments.get("digits")
    if given is None:
        return 0
    if isinstance(given, int) and not isinstance(given, bool) and 0 <= given <= MOST_DIGITS:
        return given
    message = f"digits is a whole number from 0 to {MOST_DIGITS}"
    arguments.problems.add("digits.invalid", message, arguments.place("digits"))
    return 0


def read_columns(arguments: Arguments) -> list[str] | None:
    """The parameter `columns`; None: all."""
    if arguments.get("columns") is None:
        return None
    return _texts(arguments, "columns", _NUMBER, _MOST_COLUMNS, str)


def read_phantoms(arguments: Arguments) -> list[int]:
    """The parameter `selftest`."""
    if arguments.get("selftest") is None:
        return []
    return _texts(arguments, "selftest", _DIGEST, MOST_PHANTOMS, lambda text: int(text, 16))


def read_buckets(arguments: Arguments) -> list[str]:
    """The parameter `buckets`."""
    buckets = _texts(arguments, "buckets", _BUCKET, MOST_BUCKETS, str)
    if len({len(bucket) for bucket in buckets}) > 1:
        message = "buckets are all of as many digits"
        arguments.problems.add("buckets.unequal", message, arguments.place("buckets"))
    return buckets


def read_keys(arguments: Arguments) -> list[bytes]:
    """The parameter `keys`."""
    return _texts(arguments, "keys", _KEY, MOST_KEYS, bytes.fromhex)


def read_vector(arguments: Arguments) -> Vector:
    """The parameter `above`."""
    given = arguments.get("above")
    if given is None:
        return {}
    if (
        isinstance(given, dict)
        and len(given) <= _MOST_ORIGINS
        and all(_ORIGIN.match(origin) and _is_position(at) for origin, at in given.items())
    ):
        return {int(origin): at for origin, at in given.items()}
    message = 'above is an object of positions by origin, such as {"4711": 12}'
    arguments.problems.add("vector.malformed", message, arguments.place("above"))
    return {}


def _is_position(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= _HIGHEST


def _texts(
    arguments: Arguments,
    name: str,
    form: re.Pattern[str],
    most: int,
    convert: Callable[[str], _T],
) -> list[_T]:
    """A list of texts of one form."""
    given = arguments.get(name)
    if (
        isinstance(given, list)
        and 0 < len(given) <= most
        and all(isinstance(item, str) and form.match(item) for item in given)
    ):
        return [convert(item) for item in given]
    if name in arguments.values:
        message = f"{name} is a list of 1 to {most} texts, each as the method's help says"
        arguments.problems.add("value.wrong_type", message, arguments.place(name))
    return []
