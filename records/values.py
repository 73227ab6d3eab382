"""Record classes as plain values: what every other room works from."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from records.base import Record
from records.fields import MISSING, Validator
from records.kinds.base import Kind


@dataclass(frozen=True)
class FieldInfo:
    """One field. `default` is MISSING, a value, or a function that gives one."""

    name: str
    column: str
    kind: Kind
    allow_none: bool
    default: Any
    validator: Validator | None
    reference: str | None

    @property
    def required(self) -> bool:
        """Whether a new record must give a value."""
        return not self.allow_none and self.default is MISSING

    def new_value(self) -> Any:
        """The plain value of a new record that gives none.

        Raises ValueRefused where a default function gives what does not fit.
        """
        if self.default is MISSING:
            return None
        value = self.default() if callable(self.default) else self.default
        return None if value is None and self.allow_none else self.kind.check(value)


@dataclass(frozen=True)
class ReferenceInfo:
    """One reference: `fields` here hold the key `target_fields` of the record `target`."""

    name: str
    target: str
    fields: tuple[str, ...]
    target_fields: tuple[str, ...]
    on_delete: str
    allow_none: bool
    constraint: str


@dataclass(frozen=True)
class Order:
    """One field to sort by."""

    field: str
    descending: bool = False


@dataclass(frozen=True)
class CollectionInfo:
    """The children of a record: those of class `child` whose `reference` names it."""

    name: str
    child: str
    reference: str
    order_by: tuple[Order, ...]


@dataclass(frozen=True)
class KeyInfo:
    """A unique key or an index over some fields, with its name in the database."""

    name: str
    fields: tuple[str, ...]


@dataclass(frozen=True)
class RecordInfo:
    """One record class."""

    name: str
    cls: type[Record] = field(repr=False)
    table: str
    fields: Mapping[str, FieldInfo]
    key: tuple[str, ...]
    references: Mapping[str, ReferenceInfo]
    collections: Mapping[str, CollectionInfo]
    uniques: tuple[KeyInfo, ...]
    indexes: tuple[KeyInfo, ...]
    atomic: tuple[tuple[str, ...], ...]
    """Groups of fields that are written together; no field is in two of them."""

    def columns(self, names: Iterable[str]) -> tuple[str, ...]:
        """The columns of some fields."""
        return tuple(self.fields[name].column for name in names)
