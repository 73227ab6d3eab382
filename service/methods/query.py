"""What a list asks for, as values: conditions, order and place. Fields and values are checked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from records.kinds.base import Kind
from records.values import FieldInfo


@dataclass(frozen=True)
class Path:
    """A field of the record, or of a parent: `country.name` has the step `country`.

    `steps` are names of references, the first one of the record itself; `allow_none` says whether
    the value can be NULL because the field or one of the references may be.
    """

    steps: tuple[str, ...]
    info: FieldInfo
    allow_none: bool

    @property
    def name(self) -> str:
        """As the client writes it."""
        return ".".join((*self.steps, self.info.name))

    @property
    def kind(self) -> Kind:
        """The kind of the values."""
        return self.info.kind


@dataclass(frozen=True)
class Comparison:
    """`[field, operator, value]`: `value` is plain, a tuple of plain values for `in` and `not_in`.

    For `is_null` it is True or False, for `like` and `starts_with` text.
    """

    path: Path
    operator: str
    value: Any


@dataclass(frozen=True)
class Every:
    """All of the conditions hold; none at all is true."""

    conditions: tuple[Condition, ...]


@dataclass(frozen=True)
class Some:
    """At least one of the conditions holds; none at all is false."""

    conditions: tuple[Condition, ...]


@dataclass(frozen=True)
class Not:
    """The condition does not hold. There is no third state: a NULL makes a comparison false."""

    condition: Condition


Condition: TypeAlias = Comparison | Every | Some | Not


@dataclass(frozen=True)
class SortBy:
    """One field to sort by. NULL stands before every value, and after them when descending.

    Where `beginning` is given, only so many characters or bytes of the value count.
    """

    path: Path
    descending: bool = False
    beginning: int | None = None

    def value_in(self, row: Mapping[str, Any]) -> Any:
        """The part of a row that it is sorted by."""
        value = row[self.path.name]
        return value if value is None or self.beginning is None else value[: self.beginning]


@dataclass(frozen=True)
class Query:
    """One page of records.

    `select` are the fields wanted; a row holds them under their paths' names. `order` ends with
    the key's fields, so that no two records are equal in it. `after` holds the plain values (None
    for NULL) of `order` in the last row of the page before. At most `limit` rows come.
    """

    select: tuple[Path, ...]
    order: tuple[SortBy, ...]
    limit: int
    where: Condition | None = None
    after: tuple[Any, ...] | None = None
