"""Groups of rows and of log entries, there and back."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TypeVar

from records.states import RowState, Value
from service.herd.deltas import DeltaRow, LogEntry
from service.herd.shapes import Key
from service.herd.wire.columns import Column, pack_column, turned, unpack_column
from service.herd.wire.forms import EntryGroup, RowGroup
from service.herd.wire.lists import Listings, Numberings
from service.herd.wire.numbering import listed

_Item = TypeVar("_Item")


def row_traits(row: DeltaRow) -> tuple[object, ...]:
    """What the rows of one group have in common."""
    state = row.state
    return row.table, row.whole, len(row.key), tuple(state.values), tuple(state.slots)


def entry_traits(entry: LogEntry) -> tuple[object, ...]:
    """What the entries of one group have in common."""
    return entry.table, entry.kind, len(entry.key), entry.columns


def pack_rows(rows: list[DeltaRow], numberings: Numberings) -> RowGroup:
    """Rows with the same traits, at least one; raises WireFault."""
    first, states = rows[0], [row.state for row in rows]
    columns, changed = tuple(first.state.values), tuple(first.state.slots)
    slots = zip(*(state.slots.values() for state in states), strict=True)
    values = zip(*(state.values.values() for state in states), strict=True)
    return RowGroup(
        first.table,
        first.whole,
        columns,
        changed,
        _pack_keys(first.table, [row.key for row in rows]),
        tuple(state.life for state in states),
        numberings.versions.of(state.born for state in states),
        numberings.deaths.of(state.death for state in states),
        _pack_columns(first.table, columns, values),
        tuple(numberings.slots.of(column) for column in slots),
    )


def unpack_rows(group: RowGroup, listings: Listings) -> list[DeltaRow]:
    """The rows of a group; raises ValueError, IndexError or WireFault."""
    count = len(group.lives)
    slots = [listed(listings.slots, numbers) for numbers in group.slots]
    values = _unpack_columns(group.table, group.columns, group.values)
    states = zip(
        group.lives,
        listed(listings.versions, group.births),
        _mappings(group.changed, slots, count),
        _mappings(group.columns, values, count),
        listed(listings.deaths, group.deaths),
        strict=True,
    )
    keys = _unpack_keys(group.table, group.key, count)
    return [
        DeltaRow(group.table, key, RowState(*state), group.whole)
        for key, state in zip(keys, states, strict=True)
    ]


def pack_entries(entries: list[LogEntry], numberings: Numberings) -> EntryGroup:
    """Entries with the same traits, at least one; raises WireFault."""
    first = entries[0]
    return EntryGroup(
        first.table,
        first.kind,
        first.columns,
        _pack_keys(first.table, [entry.key for entry in entries]),
        tuple(entry.position for entry in entries),
        tuple(entry.life for entry in entries),
        numberings.versions.of(entry.version for entry in entries),
        numberings.writers.of(entry.writer for entry in entries),
    )


def unpack_entries(group: EntryGroup, listings: Listings) -> list[LogEntry]:
    """The entries of a group; raises ValueError, IndexError or WireFault."""
    found = zip(
        listed(listings.versions, group.versions),
        group.positions,
        _unpack_keys(group.table, group.key, len(group.positions)),
        group.lives,
        listed(listings.writers, group.writers),
        strict=True,
    )
    table, kind, columns = group.table, group.kind, group.columns
    return [
        LogEntry(origin, position, table, key, kind, columns, life, stamp, writer)
        for (stamp, origin), position, key, life, writer in found
    ]


def _mappings(
    names: tuple[str, ...], columns: Sequence[Sequence[_Item]], count: int
) -> Iterator[dict[str, _Item]]:
    """For each row its values by column."""
    if not len(names) == len(set(names)) == len(columns):
        raise ValueError("columns and their names differ in number")
    return (dict(zip(names, row, strict=True)) for row in turned(columns, count))


def _pack_keys(table: str, keys: Iterable[Key]) -> tuple[Column, ...]:
    columns = zip(*keys, strict=True)
    return tuple(pack_column(column, f"the key of {table}") for column in columns)


def _unpack_keys(table: str, columns: tuple[Column, ...], count: int) -> Iterable[Key]:
    return turned([unpack_column(column, f"the key of {table}") for column in columns], count)


def _pack_columns(
    table: str, names: Iterable[str], columns: Iterable[Sequence[Value]]
) -> tuple[Column, ...]:
    return tuple(
        pack_column(column, f"{table}.{name}") for name, column in zip(names, columns, strict=True)
    )


def _unpack_columns(
    table: str, names: Iterable[str], columns: Iterable[Column]
) -> list[tuple[Value, ...]]:
    return [
        unpack_column(column, f"{table}.{name}")
        for name, column in zip(names, columns, strict=True)
    ]
