"""Choices from a fixed list: ENUM (one of them) and SET (any of them)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from records.kinds.base import JsonSchema, Kind, refuse_choice, refuse_type


def _require_choice(choice: object, values: tuple[str, ...]) -> str:
    """The choice, if it is one of the values."""
    if not isinstance(choice, str):
        refuse_type("text", choice)
    if choice not in values:
        refuse_choice(values, choice)
    # The declared value itself: what came may be of a class of its own.
    return values[values.index(choice)]


def _choice_problems(values: tuple[str, ...], most: int) -> Iterator[str]:
    """What neither ENUM nor SET can hold."""
    if not 1 <= len(values) <= most:
        yield f"1 to {most} values are needed, not {len(values)}"
    if len(set(values)) != len(values):
        yield "the values must differ from each other"
    for value in values:
        if not isinstance(value, str) or value != value.rstrip(" ") or not value:
            yield f"{value!r} must be text, not empty, without trailing spaces"


@dataclass(frozen=True)
class EnumKind(Kind):
    """ENUM. Python: the chosen `str`."""

    values: tuple[str, ...]

    def check(self, value: object) -> str:
        """One of the values, to the letter."""
        return _require_choice(value, self.values)

    def json_schema(self) -> JsonSchema:
        """One of the values."""
        return {"type": "string", "enum": list(self.values)}

    def problems(self) -> Iterator[str]:
        """An ENUM has at most 65,535 values."""
        return _choice_problems(self.values, 65_535)


@dataclass(frozen=True)
class SetKind(Kind):
    """SET. Python: a `frozenset` of `str`."""

    values: tuple[str, ...]

    def check(self, value: object) -> frozenset[str]:
        """Any of the values, each at most once; a bare text is no set."""
        if isinstance(value, str) or not isinstance(value, set | frozenset | list | tuple):
            refuse_type("a list of values", value)
        return frozenset(_require_choice(choice, self.values) for choice in value)

    def from_json(self, value: object) -> frozenset[str]:
        """A list of values."""
        if not isinstance(value, list):
            refuse_type("a list of values", value)
        return self.check(value)

    def to_json(self, value: frozenset[str]) -> list[str]:
        """The values in their declared order."""
        return [choice for choice in self.values if choice in value]

    def to_database(self, value: frozenset[str]) -> str:
        """Comma-separated, as the servers keep it."""
        return ",".join(self.to_json(value))

    def from_database(self, raw: str) -> frozenset[str]:
        """The empty text is the empty set."""
        return frozenset(raw.split(",")) if raw else frozenset()

    def json_schema(self) -> JsonSchema:
        """A list without repetition."""
        return {
            "type": "array",
            "items": {"type": "string", "enum": list(self.values)},
            "uniqueItems": True,
        }

    def problems(self) -> Iterator[str]:
        """A SET has at most 64 values, and a comma parts them."""
        yield from _choice_problems(self.values, 64)
        for value in self.values:
            if isinstance(value, str) and "," in value:
                yield f"{value!r} must not hold a comma"
