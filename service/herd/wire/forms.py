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
from service.herd.wire.numbering import Indices, Natural

MOST_ITEMS = 2**18
"""Rows, entries or versions in one delta: a few bytes of each would become a hundred in memory.

A part holds far fewer, by its size.
"""

Limited: TypeAlias = Annotated[Indices, msgspec.Meta(max_length=MOST_ITEMS)]
WireDeath: TypeAlias = tuple[Natural, str]
WireVector: TypeAlias = dict[Natural, Natural]

Kind: TypeAlias = Annotated[str, msgspec.Meta(pattern=rf"^({INSERT}|{UPDATE}|{DELETE})\Z")]


class Pairs(msgspec.Struct, array_like=True, frozen=True):
    """Pairs of numbers, as two columns."""

    first: Limited
    second: Limited


class Lists(msgspec.Struct, array_like=True, frozen=True):
    """What groups refer to by number. A slot is two numbers of versions."""

    versions: Pairs
    slots: Pairs
    deaths: tuple[WireDeath | None, ...]
    writers: tuple[str, ...]


class RowGroup(msgspec.Struct, array_like=True, frozen=True):
    """Rows of one table: whole or not, values of these `columns`, slots of those `changed`."""

    table: str
    whole: bool
    columns: tuple[str, ...]
    changed: tuple[str, ...]
    key: tuple[Column, ...]
    lives: tuple[Natural, ...]
    births: Indices
    deaths: Indices
    values: tuple[Column, ...]
    slots: tuple[Indices, ...]


class EntryGroup(msgspec.Struct, array_like=True, frozen=True):
    """Log entries of one table and kind that name the same columns."""

    table: str
    kind: Kind
    columns: tuple[str, ...]
    key: tuple[Column, ...]
    positions: tuple[Natural, ...]
    lives: tuple[Natural, ...]
    versions: Indices
    writers: Indices


class DeltaBody(msgspec.Struct, array_like=True, frozen=True):
    """A delta."""

    sender: Natural
    above: WireVector
    covers: WireVector
    last: bool
    lists: Lists
    row_groups: tuple[RowGroup, ...]
    row_order: Limited
    entry_groups: tuple[EntryGroup, ...]
    entry_order: Limited
    floors: WireVector | None = None
    tables: tuple[str, ...] | None = None
