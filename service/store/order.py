"""In which order rows and tables that refer to each other are written. Pure rules over values."""

from __future__ import annotations

from collections.abc import Collection, Hashable, Iterator, Mapping, Sequence
from graphlib import CycleError, TopologicalSorter
from types import MappingProxyType
from typing import TypeAlias, TypeVar

from records.validation import Key, Row
from records.values import RecordInfo, ReferenceInfo

Item = TypeVar("Item", bound=Hashable)

Alike: TypeAlias = Mapping[str, Mapping[Hashable, Hashable]]
"""By field of a key: values that the server takes for the same, each with what stands for them."""


def layers(before: Mapping[Item, Collection[Item]]) -> Iterator[list[Item]]:
    """All items in as few steps as can be, each after those it has `before` it.

    A circle has no such order; all come in one step then, and the server says what it thinks of it.
    """
    sorter = TopologicalSorter(before)
    try:
        sorter.prepare()
    except CycleError:
        yield list(before)
        return
    while sorter.is_active():
        ready = list(sorter.get_ready())
        yield ready
        sorter.done(*ready)


def circle(before: Mapping[Item, Collection[Item]]) -> list[Item] | None:
    """Some items that lead back to the first of them, which is named again at the end."""
    try:
        TopologicalSorter(before).prepare()
    except CycleError as error:
        found: list[Item] = error.args[1]
        return found
    return None


def reachable(steps: Mapping[Item, Collection[Item]], start: Item) -> set[Item]:
    """All that is reached from `start` in one step or more; itself only by way of a circle."""
    found: set[Item] = set()
    waiting = [start]
    while waiting:
        fresh = set(steps.get(waiting.pop(), ())) - found
        found |= fresh
        waiting.extend(fresh)
    return found


def own_references(record: RecordInfo) -> list[ReferenceInfo]:
    """The references of a class to itself."""
    return [info for info in record.references.values() if info.target == record.name]


def comparable(record: RecordInfo, values: Sequence[Hashable], alike: Alike) -> Key:
    """The values of a key, with what stands for each in the place of those that are alike."""
    named = zip(record.key, values, strict=True)
    return tuple(alike.get(name, {}).get(value, value) for name, value in named)


def own_parents(
    record: RecordInfo, rows: Sequence[Row], alike: Alike = MappingProxyType({})
) -> dict[int, set[int]]:
    """For each of some rows of one class, by place, those of the others that it refers to."""
    own = own_references(record)
    if not own:
        return {}

    def part(row: Row, fields: Sequence[str]) -> Key:
        return comparable(record, [row.get(name) for name in fields], alike)

    places = {part(row, record.key): at for at, row in enumerate(rows)}
    found: dict[int, set[int]] = {}
    for place, row in enumerate(rows):
        targets = (part(row, reference.fields) for reference in own)
        above = {places[target] for target in targets if None not in target and target in places}
        found[place] = above - {place}
    return found


def parents_first(
    record: RecordInfo, rows: Sequence[Row], alike: Alike = MappingProxyType({})
) -> list[Row]:
    """The rows so that none comes before one it refers to; InnoDB checks row by row."""
    parents = own_parents(record, rows, alike)
    if not parents:
        return list(rows)
    return [rows[place] for layer in layers(parents) for place in layer]
