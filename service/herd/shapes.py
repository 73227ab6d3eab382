"""What merging has to know of a table: its key, and which rules hold between rows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from records.groups import NO_GROUPS, Groups

RESTRICT, CASCADE, SET_NULL = "restrict", "cascade", "set_null"
"""What becomes of children when their parent is deleted, in the words of record classes."""

Key: TypeAlias = tuple[Any, ...]
"""The values of a row's primary key, in its order."""

Place: TypeAlias = tuple[str, Key]
"""A table and the key of a row in it."""


@dataclass(frozen=True)
class Reference:
    """A foreign key: `columns` here hold the key of a row of the table `parent`.

    `on_delete` is RESTRICT, CASCADE or SET_NULL; raises ValueError where it is none of them.
    """

    name: str
    columns: tuple[str, ...]
    parent: str
    on_delete: str

    def __post_init__(self) -> None:
        if self.on_delete not in (RESTRICT, CASCADE, SET_NULL):
            raise ValueError(f"{self.name}: {self.on_delete} is no rule for deleting")


@dataclass(frozen=True)
class Unique:
    """A unique key over some columns.

    `released` is the column that gives way when two rows claim one value: it becomes NULL
    (`nullable`), or gets an ending within `length` characters. None: the row is withdrawn.

    The primary key is one only where the database takes different keys for the same, such as two
    spellings of a name; it releases nothing.
    """

    name: str
    columns: tuple[str, ...]
    released: str | None = None
    nullable: bool = False
    length: int | None = None


@dataclass(frozen=True)
class Shape:
    """One table.

    `columns` are all that it has; None: not known, everything is taken. `required` are those
    without which no row can be written: NOT NULL, and no default. `dropped` are columns that it had
    once: what siblings that still have them write there is not waited with.

    Raises ValueError where a unique key is to release a column whose value means another row, since
    an ending would make it mean none; or a column of the primary key.
    """

    table: str
    key: tuple[str, ...]
    references: tuple[Reference, ...] = ()
    uniques: tuple[Unique, ...] = ()
    groups: Groups = field(default_factory=lambda: NO_GROUPS)
    columns: frozenset[str] | None = None
    required: frozenset[str] = frozenset()
    dropped: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        meaning = {*self.key, *(name for one in self.references for name in one.columns)}
        for unique in self.uniques:
            released = unique.released
            if released in self.key or (not unique.nullable and released in meaning):
                raise ValueError(f"{unique.name} of {self.table} may not release {unique.released}")


Shapes: TypeAlias = Mapping[str, Shape]
"""By table."""

_NOTHING = Shape("", ())


def shape_of(shapes: Shapes, table: str) -> Shape:
    """What is known of a table; of an unknown one nothing has to hold."""
    return shapes.get(table, _NOTHING)
