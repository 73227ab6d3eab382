"""What merging has to know of a table: its key, and which rules hold between rows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from records.merging import NO_GROUPS, Groups

Key: TypeAlias = tuple[Any, ...]
"""The values of a row's primary key, in its order."""

Place: TypeAlias = tuple[str, Key]
"""A table and the key of a row in it."""


@dataclass(frozen=True)
class Reference:
    """A foreign key: `columns` here hold the key of a row of the table `parent`.

    `on_delete` is `restrict`, `cascade` or `set_null`.
    """

    name: str
    columns: tuple[str, ...]
    parent: str
    on_delete: str


@dataclass(frozen=True)
class Unique:
    """A unique key over some columns, not the primary one.

    `released` is the column that gives way when two rows claim one value: it becomes NULL
    (`nullable`), or gets an ending within `length` characters. None: the row is withdrawn.
    """

    name: str
    columns: tuple[str, ...]
    released: str | None = None
    nullable: bool = False
    length: int | None = None


@dataclass(frozen=True)
class Shape:
    """One table."""

    table: str
    key: tuple[str, ...]
    references: tuple[Reference, ...] = ()
    uniques: tuple[Unique, ...] = ()
    groups: Groups = field(default_factory=lambda: NO_GROUPS)


Shapes: TypeAlias = Mapping[str, Shape]
"""By table."""
