"""Shapes, rows and drafts in few words, for tests of planning.

A row is named as `city 1`: its table and its key. A reference has the name of its parent's table.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, TypeAlias

from records.groups import Groups
from records.stamps import Version
from records.states import Death, RowState, Value, born, changed, died
from service.herd.deltas import DELETE, INSERT, UPDATE, Delta, DeltaRow, LogEntry
from service.herd.planning.draft import Draft
from service.herd.planning.plan import Here, Plan, plan
from service.herd.shapes import Place, Reference, Shape, Shapes, Unique
from service.simulation.memory import MemoryTables

Rows: TypeAlias = Mapping[str, RowState]

OURS, THEIRS, OTHERS = 1, 2, 3
"""Origins."""

NOW = 1_000
"""When plans are made."""


def place(name: str) -> Place:
    """Which row a name means."""
    table, key = name.split()
    return table, (int(key) if key.isdigit() else key,)


def name(of: Place) -> str:
    """A row's name."""
    return f"{of[0]} {of[1][0]}"


def shape(table: str, *references: str, uniques: Iterable[Unique] = (), groups: str = "") -> Shape:
    """A table whose references are written as `country restrict`."""
    made = (reference.split() for reference in references)
    together = tuple(groups.split())
    by_column: Groups = dict.fromkeys(together, together)
    found = tuple(Reference(parent, (parent,), parent, rule) for parent, rule in made)
    return Shape(table, ("id",), found, tuple(uniques), by_column)


def shapes(*of: Shape) -> Shapes:
    """Shapes by table."""
    return {each.table: each for each in of}


def row(at: int = 10, origin: int = OURS, life: int = 1, **values: Value) -> RowState:
    """A row that was born at a moment."""
    return born(values, at, origin, life)


def written(state: RowState, at: int, origin: int, **values: Value) -> RowState:
    """The row after a write."""
    return changed(state, values, at, origin)


def dead(state: RowState, at: int = 50) -> RowState:
    """The row after its deletion."""
    return died(state, Death(at, "somebody"))


def tables_with(of: Shapes, here: Rows) -> MemoryTables:
    """Tables that hold some rows."""
    tables = MemoryTables(of)
    for each, state in here.items():
        tables.put(place(each), state)
    return tables


def draft_of(of: Shapes, here: Rows, came: Rows | None = None) -> Draft:
    """A draft over some rows, with others that came and are not settled yet."""
    draft = Draft(tables_with(of, here), of, OURS, NOW)
    draft.load(map(place, here))
    draft.load(map(place, came or {}))
    for each, state in (came or {}).items():
        draft.take(place(each), state)
    return draft


def rules(draft: Draft) -> set[tuple[str, str]]:
    """What repairs put into the journal: the rule and the row."""
    return {(entry.rule, name(entry.place)) for entry in draft.repairs()}


def outcome(draft: Draft) -> dict[str, Any]:
    """The rows that change: the values of those that live, None for those that are dead."""
    return {
        name(of): dict(state.values) if state.alive else None for of, state in draft.after.items()
    }


def entry(of: str, state: RowState, position: int, *columns: str, kind: str = "") -> LogEntry:
    """The log entry of a row's last write; `columns` if it was an update."""
    version: Version = state.latest
    kind = kind or (UPDATE if columns else INSERT if state.alive else DELETE)
    where = place(of)
    return LogEntry(
        version.origin, position, *where, kind, columns, state.life, version.stamp, "somebody"
    )


def whole(of: str, state: RowState) -> DeltaRow:
    """A whole row of a delta."""
    return DeltaRow(*place(of), state, whole=True)


def part(of: str, state: RowState, *columns: str) -> DeltaRow:
    """Some columns of a row of a delta."""
    kept = state._replace(
        slots={c: slot for c, slot in state.slots.items() if c in columns},
        values={c: value for c, value in state.values.items() if c in columns},
    )
    return DeltaRow(*place(of), kept, whole=False)


def delta(*rows: DeltaRow, entries: tuple[LogEntry, ...] = (), last: bool = True) -> Delta:
    """A delta from a node that has nothing else of anybody than these entries."""
    covers = {each.origin: each.position for each in entries}
    return Delta(THEIRS, {}, covers, rows, entries, last)


def planned(of: Shapes, tables: MemoryTables, came: Delta, **vector: int) -> Plan:
    """The plan for a delta at this node; `vector` as `_2=5`, for origin 2."""
    seen = {int(origin.lstrip("_")): position for origin, position in vector.items()}
    return plan(came, tables, of, Here(OURS, seen, NOW))
