"""The forms of a delta's pieces on the wire.

Rows of one table with the same columns form a group, and so do log entries: names are written once
a group, values in columns. Versions, slots, deaths and writers are listed once and numbered, since
a transaction gives the same ones to many. `row_order` and `entry_order` say from which group the
next row or entry is, so that both come out in the order they had.
"""

from __future__ import annotations

from typing import Annotated, TypeAlias

import msgspec

from service.herd.deltas import DELETE, INSERT, UPDATE
from service.herd.wire.columns import Column
from service.herd.wire.numbering import MOST_ITEMS, Indices, Life, Origin, Position, Stamp

MOST_COLUMNS = 2**12
"""As many as a table of either server has."""

MOST_VALUES = 2**21
"""Values and slots in one delta. Rows of a part have a tenth of that at most, since each weighs
something (`service.herd.weights`), and one row that is a part by itself has `MOST_COLUMNS`."""

_FEW = msgspec.Meta(max_length=MOST_ITEMS)
_OF_COLUMNS = msgspec.Meta(max_length=MOST_COLUMNS)

Limited: TypeAlias = Annotated[Indices, _FEW]
Names: TypeAlias = Annotated[tuple[str, ...], _OF_COLUMNS]
Columns: TypeAlias = Annotated[tuple[Column, ...], _OF_COLUMNS]
Lives: TypeAlias = Annotated[tuple[Life, ...], _FEW]
WireDeath: TypeAlias = tuple[Stamp, str]
WireVector: TypeAlias = dict[Origin, Position]

Kind: TypeAlias = Annotated[str, msgspec.Meta(pattern=rf"^({INSERT}|{UPDATE}|{DELETE})\Z")]


class Versions(msgspec.Struct, array_like=True, frozen=True):
    """Stamps and origins, as two columns."""

    first: Annotated[tuple[Stamp, ...], _FEW]
    second: Annotated[tuple[Origin, ...], _FEW]


class Pairs(msgspec.Struct, array_like=True, frozen=True):
    """Pairs of numbers, as two columns."""

    first: Limited
    second: Limited


class Lists(msgspec.Struct, array_like=True, frozen=True):
    """What groups refer to by number. A slot is two numbers of versions."""

    versions: Versions
    slots: Pairs
    deaths: Annotated[tuple[WireDeath | None, ...], _FEW]
    writers: Annotated[tuple[str, ...], _FEW]


class RowGroup(msgspec.Struct, array_like=True, frozen=True):
    """Rows of one table: whole or not, values of these `columns`, slots of those `changed`."""

    table: str
    whole: bool
    columns: Names
    changed: Names
    key: Columns
    lives: Lives
    births: Limited
    deaths: Limited
    values: Columns
    slots: Annotated[tuple[Limited, ...], _OF_COLUMNS]


class EntryGroup(msgspec.Struct, array_like=True, frozen=True):
    """Log entries of one table and kind that name the same columns."""

    table: str
    kind: Kind
    columns: Names
    key: Columns
    positions: Annotated[tuple[Position, ...], _FEW]
    lives: Lives
    versions: Limited
    writers: Limited


class DeltaBody(msgspec.Struct, array_like=True, frozen=True):
    """A delta."""

    sender: Origin
    above: WireVector
    covers: WireVector
    last: bool
    lists: Lists
    row_groups: Annotated[tuple[RowGroup, ...], _FEW]
    row_order: Limited
    entry_groups: Annotated[tuple[EntryGroup, ...], _FEW]
    entry_order: Limited
    floors: WireVector | None = None
    tables: Annotated[tuple[str, ...], _FEW] | None = None
