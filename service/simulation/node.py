"""One node: its tables, its changelog, its vector, its journal, and what its applications write."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Set

from records.groups import together
from records.states import Death, RowState, Value, born, born_again, changed, died
from service.herd.building import build, rows_of
from service.herd.deltas import DELETE, INSERT, UPDATE, Delta, DeltaRow, LogEntry
from service.herd.held import Held, state_to_send
from service.herd.journal import JournalEntry
from service.herd.planning.forgetting import forgets_with, is_behind, left_out, names_rows_of
from service.herd.planning.plan import NOTHING, Here, Plan, plan
from service.herd.planning.retrying import retry, waking
from service.herd.shapes import CASCADE, RESTRICT, SET_NULL, Place, Reference, Shapes
from service.herd.vectors import Vector, includes, joined
from service.simulation.memory import MemoryTables


class Refused(Exception):
    """A constraint does not let an application write this."""


class Node:
    """What is durable of one node. Its database refuses to write the `poison` rows."""

    def __init__(self, origin: int, shapes: Shapes) -> None:
        self.origin = origin
        self.shapes = shapes
        self.tables = MemoryTables(shapes)
        self.vector: dict[int, int] = {origin: 0}
        self.journal: list[JournalEntry] = []
        self.poison: frozenset[Place] = frozenset()

    def adopt(self, shapes: Shapes) -> None:
        """A migration: the node has other tables and columns now."""
        self.shapes = shapes
        self.tables.adopt(shapes)

    def insert(self, place: Place, values: Mapping[str, Value], now: int) -> None:
        """An application inserts a row. Raises Refused."""
        dead = self.tables.states.get(place)
        if dead is not None and dead.alive:
            raise Refused("the key is taken")
        self._require(place, values)
        if dead is None:
            state = born(values, now, self.origin)
        else:
            state = born_again(dead, now, self.origin)._replace(values=values)
        self._commit(place, state, INSERT)

    def update(self, place: Place, values: Mapping[str, Value], now: int) -> None:
        """An application writes columns of a live row. Raises Refused."""
        state = self.tables.states[place]
        real = {column: value for column, value in values.items() if state.values[column] != value}
        if not real:
            return
        self._require(place, {**state.values, **real})
        groups = self.shapes[place[0]].groups
        after = changed(state, real, now, self.origin, groups)
        self._commit(place, after, UPDATE, tuple(sorted(together(real, groups))))

    def delete(self, place: Place, now: int) -> None:
        """An application deletes a live row, with what its references say. Raises Refused."""
        doomed = self._doomed(place)
        for shape in self.shapes.values():
            for reference in shape.references:
                if reference.on_delete == RESTRICT and self._children(reference, doomed) - doomed:
                    raise Refused("something holds on to it")
        self._let_go(doomed, now)
        for gone in sorted(doomed, key=repr):
            self._commit(gone, died(self.tables.states[gone], Death(now, "application")), DELETE)

    def _doomed(self, place: Place) -> set[Place]:
        doomed, wave = {place}, {place}
        while wave:
            wave = {
                child
                for shape in self.shapes.values()
                for reference in shape.references
                if reference.on_delete == CASCADE
                for child in self._children(reference, wave)
            } - doomed
            doomed |= wave
        return doomed

    def _let_go(self, doomed: set[Place], now: int) -> None:
        for shape in self.shapes.values():
            for reference in shape.references:
                if reference.on_delete == SET_NULL:
                    for child in sorted(self._children(reference, doomed) - doomed, key=repr):
                        self.update(child, dict.fromkeys(reference.columns), now)

    def _children(self, reference: Reference, parents: set[Place]) -> set[Place]:
        keys = [key for table, key in parents if table == reference.parent]
        return {
            child
            for shape in self.shapes.values()
            if reference in shape.references
            for child in self.tables.children(shape.table, reference, keys)
        }

    def _require(self, place: Place, values: Mapping[str, Value]) -> None:
        shape = self.shapes[place[0]]
        for reference in shape.references:
            key = tuple(values.get(column) for column in reference.columns)
            parent = self.tables.states.get((reference.parent, key))
            if None not in key and (parent is None or not parent.alive):
                raise Refused(f"{reference.name} is not there")
        for unique in shape.uniques:
            claim = tuple(values.get(column) for column in unique.columns)
            if None not in claim and self.tables.holders(shape.table, unique, [claim]) - {place}:
                raise Refused(f"{unique.name} is taken")

    def _commit(
        self, place: Place, state: RowState, kind: str, columns: tuple[str, ...] = ()
    ) -> None:
        self.tables.put(place, state)
        stamp = state.death.died if kind == DELETE and state.death else state.latest.stamp
        entry = LogEntry(self.origin, 0, *place, kind, columns, state.life, stamp, "application")
        self._log(entry)

    def _log(self, entry: LogEntry) -> None:
        position = self.vector[self.origin] + 1
        self.vector[self.origin] = position
        self.tables.keep(entry._replace(position=position))

    def delta(self, above: Vector) -> Delta:
        """What a node at this vector lacks."""
        entries = tuple(self.tables.above(above))
        if not includes(above, self.tables.floors()):
            return self._snapshot(above, entries)
        states = self.states(rows_of(entries))
        return build(self.origin, (dict(above), dict(self.vector)), entries, states, self.shapes)

    def _snapshot(self, above: Vector, entries: tuple[LogEntry, ...]) -> Delta:
        """All rows, for a node that lacks what was pruned here."""
        states = self.states(dict.fromkeys((*self.tables.states, *self.tables.waiting)))
        rows = tuple(DeltaRow(*place, state, whole=True) for place, state in states.items())
        floors = dict(self.tables.floors())
        vector, tables = dict(self.vector), tuple(sorted(self.shapes))
        return Delta(self.origin, dict(above), vector, rows, entries, floors=floors, tables=tables)

    def states(self, places: Collection[Place]) -> dict[Place, RowState]:
        """The rows as they are known here: what the tables have, and what is held."""
        rows, held = self.tables.rows(places), self.tables.held(places)
        found = ((p, state_to_send(rows.get(p), held.get(p))) for p in places)
        return {place: state for place, state in found if state is not None}

    def apply(self, delta: Delta, now: int, named: Set[Place] = frozenset()) -> Plan:
        """Apply a delta, as one transaction does.

        `named` are the rows that the parts before of a snapshot have named.
        """
        here = Here(self.origin, self.vector, now)
        if is_behind(delta, self.tables.floors()):
            return NOTHING
        unnamed = self._unnamed(delta, named)
        died = left_out(delta, unnamed, self.tables, now) if unnamed else ()
        dead = self._dead(unnamed, delta) if forgets_with(delta, self.vector) else []
        delta = delta._replace(rows=delta.rows + died)
        made = plan(delta, self.tables, self.shapes, here, self._refused())
        for entry in made.kept:
            if entry.position > self.vector.get(entry.origin, 0):
                self.tables.keep(entry)
        if delta.last:
            self._raise_floors(delta)
            self.vector = joined(self.vector, delta.covers)
        self._carry_out(made)
        noted = {entry.place for entry in made.noted}
        self._bury({row.place for row in died} - noted, self.tables.seen(delta.covers, dead))
        return made

    def _unnamed(self, delta: Delta, named: Set[Place]) -> list[Place]:
        """The rows here that a snapshot has not named with all its parts."""
        if delta.floors is None or not delta.last or includes(self.vector, delta.covers):
            return []
        there = named | {row.place for row in delta.rows}
        return [place for place in self.tables.states if place not in there]

    def _bury(self, died: Iterable[Place], forgotten: Iterable[Place]) -> None:
        """Of rows that a snapshot leaves out nothing is kept, unless repairs wrote to them."""
        for place in (*died, *forgotten):
            if not self.tables.states[place].alive:
                del self.tables.states[place]

    def _dead(self, places: Iterable[Place], delta: Delta) -> list[Place]:
        states = self.tables.states
        return [p for p in places if not states[p].alive and names_rows_of(delta, p[0])]

    def _raise_floors(self, delta: Delta) -> None:
        """Where the sender has pruned what was not here, all its floors count here too."""
        if delta.floors is not None and forgets_with(delta, self.vector):
            self.tables.pruned = joined(self.tables.pruned, delta.floors)

    def retry(self, now: int, helds: Collection[Held] | None = None) -> Plan:
        """Try to write what is held; None: all of it."""
        chosen = tuple(self.tables.waiting.values()) if helds is None else helds
        here = Here(self.origin, self.vector, now)
        made = retry(chosen, self.tables, self.shapes, here, self._refused())
        self._carry_out(made)
        return made

    def woken(self, made: Plan) -> list[Held]:
        """What is held and may be written after a plan was carried out."""
        return waking(self.tables.waiting.values(), made, self.shapes)

    def _carry_out(self, made: Plan) -> None:
        for place, state in made.rows.items():
            self.tables.put(place, state)
        for held in made.held:
            self.tables.waiting[held.row.place] = held
        for place in made.released:
            del self.tables.waiting[place]
        for entry in made.noted:
            self._log(entry)
        self.journal += made.journal

    def _refused(self) -> dict[Place, str]:
        """The rows that this node's database does not take, though nobody knows why."""
        return dict.fromkeys(self.poison, "it is poison")
