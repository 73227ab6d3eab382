"""A delta and its form on the wire."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Sequence
from typing import TypeVar

from service.herd.deltas import Delta
from service.herd.faults import OURS, WireFault
from service.herd.wire.forms import MOST_VALUES, DeltaBody
from service.herd.wire.groups import (
    entry_traits,
    pack_entries,
    pack_rows,
    row_traits,
    unpack_entries,
    unpack_rows,
)
from service.herd.wire.lists import numberings_of, pack_lists, unpack_lists
from service.herd.wire.numbering import MOST_ITEMS, Indices, Numbering, listed

_Item = TypeVar("_Item")
_Trait = TypeVar("_Trait", bound=Hashable)


def pack_delta(delta: Delta) -> DeltaBody:
    """A delta for the wire; raises WireFault for a value that cannot be sent, or for too much."""
    numberings = numberings_of(delta)
    _require_few(delta.rows, delta.entries, numberings.versions.things, numberings.slots.things)
    row_groups, row_order = _grouped(delta.rows, row_traits)
    entry_groups, entry_order = _grouped(delta.entries, entry_traits)
    packed_rows = tuple(pack_rows(rows, numberings) for rows in row_groups)
    packed_entries = tuple(pack_entries(entries, numberings) for entries in entry_groups)
    body = DeltaBody(
        delta.sender,
        dict(delta.above),
        dict(delta.covers),
        delta.last,
        pack_lists(numberings),
        packed_rows,
        row_order,
        packed_entries,
        entry_order,
        None if delta.floors is None else dict(delta.floors),
        delta.tables,
    )
    if values_in(body) > MOST_VALUES:
        raise _too_much(f"{values_in(body)} values", MOST_VALUES)
    return body


def unpack_delta(body: DeltaBody) -> Delta:
    """The delta; raises ValueError, IndexError or WireFault where its pieces do not fit."""
    if (body.floors is None) != (body.tables is None):
        raise ValueError("a snapshot, and nothing else, has floors and tables")
    if values_in(body) > MOST_VALUES:
        # As columns they are still small; as rows each would take a hundred bytes.
        raise ValueError(f"{values_in(body)} values, {MOST_VALUES} at most are taken")
    _require_as_many(body.row_order, (group.lives for group in body.row_groups))
    _require_as_many(body.entry_order, (group.positions for group in body.entry_groups))
    listings = unpack_lists(body.lists)
    rows = [unpack_rows(group, listings) for group in body.row_groups]
    entries = [unpack_entries(group, listings) for group in body.entry_groups]
    return Delta(
        body.sender,
        body.above,
        body.covers,
        _in_order(rows, body.row_order),
        _in_order(entries, body.entry_order),
        body.last,
        body.floors,
        body.tables,
    )


def _require_few(*lists: Sequence[object]) -> None:
    most = max(map(len, lists))
    if most > MOST_ITEMS:
        raise _too_much(f"{most} items", MOST_ITEMS)


def _too_much(what: str, most: int) -> WireFault:
    text = f"{what} are too much for one delta, {most} at most: cut it into parts"
    return WireFault(OURS, "wire.size", text)


def values_in(body: DeltaBody) -> int:
    """How many values, slots and names of columns the rows and entries of a delta have."""
    rows = (
        len(group.lives) * (len(group.key) + len(group.columns) + len(group.changed))
        for group in body.row_groups
    )
    entries = (
        len(group.positions) * (len(group.key) + len(group.columns)) for group in body.entry_groups
    )
    return sum(rows) + sum(entries)


def _require_as_many(order: Indices, groups: Iterable[Indices]) -> None:
    """Raise ValueError unless an order has as many items as its groups together."""
    if len(order) != sum(map(len, groups)):
        raise ValueError("the order has more or fewer items than the groups")


def _grouped(
    items: Sequence[_Item], traits: Callable[[_Item], _Trait]
) -> tuple[list[list[_Item]], Indices]:
    """Items with the same traits together, and the group of each item."""
    found = [traits(item) for item in items]
    numbering = Numbering(found)
    order = numbering.of(found)
    groups: list[list[_Item]] = [[] for _ in numbering.things]
    for number, item in zip(order, items, strict=True):
        groups[number].append(item)
    return groups, order


def _in_order(groups: Sequence[list[_Item]], order: Indices) -> tuple[_Item, ...]:
    """The items of all groups as they were before they were grouped."""
    pending = [iter(group) for group in groups]
    items = tuple(map(next, listed(pending, order)))
    if len(items) != len(order):
        raise ValueError("the order takes more of one group than it has")
    return items
