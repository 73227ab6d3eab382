"""In which order rows and tables that refer to each other are written. Pure rules over values."""

from __future__ import annotations

from collections.abc import Collection, Hashable, Iterator, Mapping, Sequence
from graphlib import CycleError, TopologicalSorter
from typing import TypeVar

from records.validation import Row
from records.values import RecordInfo

Item = TypeVar("Item", bound=Hashable)


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


def own_parents(record: RecordInfo, rows: Sequence[Row]) -> dict[int, set[int]]:
    """For each of some rows of one class, by place, those of the others that it refers to."""
    own = [info for info in record.references.values() if info.target == record.name]
    if not own:
        return {}
    places = {tuple(row.get(name) for name in record.key): at for at, row in enumerate(rows)}
    found: dict[int, set[int]] = {}
    for place, row in enumerate(rows):
        targets = (tuple(row.get(name) for name in reference.fields) for reference in own)
        above = {places[target] for target in targets if None not in target and target in places}
        found[place] = above - {place}
    return found


def parents_first(record: RecordInfo, rows: Sequence[Row]) -> list[Row]:
    """The rows so that none comes before one it refers to; InnoDB checks row by row."""
    parents = own_parents(record, rows)
    if not parents:
        return list(rows)
    return [rows[place] for layer in layers(parents) for place in layer]
