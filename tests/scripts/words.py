"""What a server's node holds, in the words of a story: its columns have names there, not numbers.

Who wrote is left out: a story does not know a server's accounts. So are positions: those of a
server are counted through all of its changelog, whoever wrote, and those in memory by origin.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Set
from typing import Any, NamedTuple

from records.merging import Loss
from records.states import Death, RowState
from service.herd.deltas import Delta, LogEntry
from service.herd.journal import JournalEntry
from service.herd.shapes import Place
from service.herd.vectors import Vector

Names = Mapping[str, Mapping[str, str]]
"""For each table the names of its columns, by what they are called there."""


class Told(NamedTuple):
    """A delta, comparable."""

    covers: Set[int]
    rows: Mapping[Place, tuple[RowState, bool]]
    entries: Counter[Any]


class Seen(NamedTuple):
    """A node, comparable."""

    origins: Set[int]
    rows: Mapping[Place, RowState]
    held: frozenset[Place]
    journal: Counter[Any]


def told(delta: Delta, names: Names) -> Told:
    """What a delta says."""
    rows = {row.place: (state(row.state, names[row.table]), row.whole) for row in delta.rows}
    return Told(origins(delta.covers), rows, Counter(entry(e, names) for e in delta.entries))


def origins(vector: Vector) -> Set[int]:
    """Whose entries there are. Nothing of an origin is as good as no word of it."""
    return {origin for origin, position in vector.items() if position}


def state(found: RowState, names: Mapping[str, str]) -> RowState:
    """A row."""
    death = None if found.death is None else Death(found.death.died, "")
    slots = {names[column]: slot for column, slot in found.slots.items()}
    values = {names[column]: value for column, value in found.values.items()}
    return found._replace(slots=slots, values=values, death=death)


def entry(found: LogEntry, names: Names) -> tuple[object, ...]:
    """A log entry."""
    columns = tuple(sorted(names[found.table][column] for column in found.columns))
    return found.origin, found.place, found.kind, columns, found.life, found.stamp


def journal(entries: Iterable[JournalEntry], names: Names) -> Counter[Any]:
    """All entries of a journal."""
    return Counter(
        (one.rule, one.place, one.life, frozenset(_losses(one.losses, names[one.place[0]])))
        for one in entries
    )


def _losses(losses: Iterable[Loss], names: Mapping[str, str]) -> Iterable[Loss]:
    return (loss._replace(column=names[loss.column]) for loss in losses)
