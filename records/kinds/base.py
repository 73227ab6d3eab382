"""The interface every kind of value fulfils."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from typing import Any, ClassVar, NoReturn

from records.errors import ValueRefused

JsonSchema = dict[str, Any]

SAFE_INTEGER = 2**53
"""Integers beyond this lose digits in JSON readers that hold numbers as doubles (RFC 8259, 6)."""

_NAMED_CHOICES = 10
"""How many of the values of a choice a message names; an ENUM may have thousands."""


class Kind(ABC):
    """One type of value: what is allowed, and its Python, JSON and database forms.

    `check` and `from_json` raise `ValueRefused`; the other conversions take what those returned
    (or what the database gave) and cannot fail on it.
    """

    keyable: ClassVar[bool] = True
    """Whether a primary key, unique key or index may hold it."""

    @abstractmethod
    def check(self, value: object) -> Any:
        """The plain Python value for what a program assigned, normalised; never None."""

    def from_json(self, value: object) -> Any:
        """The plain Python value for a decoded JSON value; never None."""
        return self.check(value)

    def to_json(self, value: Any) -> Any:
        """The JSON form of a plain value."""
        return value

    def to_database(self, value: Any) -> Any:
        """What is handed to the database driver for a plain value."""
        return value

    def from_database(self, raw: Any) -> Any:
        """The plain value for what the database driver returned; never None."""
        return raw

    def column_expression(self, column: str) -> str:
        """The SQL that reads the quoted `column` without loss."""
        return column

    @abstractmethod
    def json_schema(self) -> JsonSchema:
        """JSON Schema (2020-12) of the JSON form."""

    def index_bytes(self) -> int:
        """How many bytes of an index entry a value may take (InnoDB allows 3,072 in all)."""
        return 8

    def problems(self) -> Iterator[str]:
        """What is wrong with the declaration of this kind itself, a sentence each."""
        return iter(())


def refuse_type(expected: str, value: object) -> NoReturn:
    """Refuse a value of the wrong type, naming what would fit and what came."""
    raise ValueRefused("value.wrong_type", f"expected {expected}, not {_describe(value)}")


def refuse_range(low: object, high: object, value: object) -> NoReturn:
    """Refuse a value outside `low` to `high` (both included)."""
    raise ValueRefused("value.out_of_range", f"{_short(value)} is not between {low} and {high}")


def refuse_precision(digits: int, value: object) -> NoReturn:
    """Refuse a value with more fractional digits than the column keeps, instead of rounding it."""
    raise ValueRefused(
        "value.too_precise",
        f"{_short(value)} has more than the {digits} fractional digits that are kept",
    )


def refuse_format(expected: str, value: object) -> NoReturn:
    """Refuse text that does not read as the kind asks."""
    raise ValueRefused("value.bad_format", f"{_short(value)} is not {expected}")


def refuse_choice(values: Sequence[str], value: object) -> NoReturn:
    """Refuse what is none of the values; the message names the first of them."""
    named = ", ".join(map(repr, values[:_NAMED_CHOICES]))
    more = f" and {len(values) - _NAMED_CHOICES} more" if len(values) > _NAMED_CHOICES else ""
    raise ValueRefused("value.not_a_choice", f"{_short(value)} is none of {named}{more}")


def _describe(value: object) -> str:
    """A value's type in the words of JSON, with the value where it is short."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return f"the boolean {str(value).lower()}"
    if isinstance(value, int | float):
        return f"the number {_short(value)}"
    if isinstance(value, str):
        return f"the text {_short(value)}"
    if isinstance(value, list | tuple):
        return "a list"
    if isinstance(value, dict):
        return "an object"
    return f"a value of type {type(value).__name__}"


def _short(value: object, limit: int = 60) -> str:
    """A value for a message: quoted if it is text, cut if it is long."""
    if isinstance(value, int) and value.bit_length() > 256:
        return "a number of more than 77 digits"
    text = repr(value) if isinstance(value, str | bytes) else str(value)
    return text if len(text) <= limit else text[: limit - 1] + "…"
