"""References: no live row may be left without the parent it refers to.

What dies along with a dead parent is found first, as if one DELETE did it all. Then what is held
on to from below by a live row is taken out again, with all that this row's parents need; what
remains dies, and what refers to it optionally lets go.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Set
from typing import NamedTuple

from service.herd import journal
from service.herd.planning.draft import Draft
from service.herd.shapes import CASCADE, RESTRICT, SET_NULL, Key, Place, Reference


class Edge(NamedTuple):
    """A live row refers to a parent."""

    child: Place
    reference: Reference
    parent: Place


class Family:
    """The references around some rows that changed, in one draft.

    `barred` rows stay dead, whatever holds on to them: all that cannot be without them dies along.
    """

    def __init__(self, draft: Draft, barred: Set[Place] = frozenset()) -> None:
        self._draft = draft
        self._barred = set(barred)
        self._edges: dict[Place, list[Edge]] = {}
        self._planned: dict[tuple[str, Reference], dict[Key, list[Place]]] = {}

    def settle(self, changed: Collection[Place]) -> set[Place]:
        """Repair the draft; the rows that were changed by it."""
        dead = self._dead_ends(changed)
        while True:
            self._bar_what_needs_the_barred()
            dying, kept = self._dying_and_kept(dead)
            failing = [edge for edge in self.upward(kept) if self._fails(edge)]
            impossible = {edge.child for edge in failing}
            self._draft.lost.update(e.child for e in failing if self._draft.absent(e.parent))
            if not impossible:
                return self._repair(dead, dying, kept)
            self._barred |= impossible

    def _dead_ends(self, changed: Collection[Place]) -> set[Place]:
        """The dead rows that live rows may refer to: changed ones, and parents of changed ones."""
        draft = self._draft
        parents = {edge.parent for edge in self.upward(filter(draft.alive, changed))}
        return {place for place in parents.union(changed) if not draft.alive(place)}

    def _bar_what_needs_the_barred(self) -> None:
        wave = set(self._barred)
        while wave:
            needing = {e.child for e in self._downward(wave) if e.reference.on_delete != SET_NULL}
            wave = needing - self._barred
            self._barred |= wave

    def _dying_and_kept(self, dead: Set[Place]) -> tuple[set[Place], set[Place]]:
        """What dies along with dead rows, and what may not die, or must live again."""
        kept: set[Place] = set()
        while True:
            dying = self._dying(dead, kept)
            needed = self._held_from_below((dead | dying) - kept - self._barred, dying)
            if not needed:
                return dying, kept
            while needed:
                kept |= needed
                needed = self._needed_by(needed, dying) - kept - self._barred

    def _dying(self, dead: Set[Place], kept: Set[Place]) -> set[Place]:
        dying: set[Place] = set()
        wave = dead - kept
        while wave:
            wave = {e.child for e in self._downward(wave) if self._dies_along(e)} - dying - kept
            dying |= wave
        return dying

    def _dies_along(self, edge: Edge) -> bool:
        return edge.reference.on_delete == CASCADE or edge.child in self._barred

    def _held_from_below(self, gone: Set[Place], dying: Set[Place]) -> set[Place]:
        edges = (e for e in self._downward(gone) if e.reference.on_delete == RESTRICT)
        return {edge.parent for edge in edges if edge.child not in dying}

    def _needed_by(self, kept: Iterable[Place], dying: Set[Place]) -> set[Place]:
        """The parents without which these rows cannot be kept."""
        needed = (e.parent for e in self.upward(kept) if e.reference.on_delete != SET_NULL)
        return {place for place in needed if place in dying or self._dead(place)}

    def _dead(self, place: Place) -> bool:
        return not self._draft.alive(place) and not self._draft.absent(place)

    def _fails(self, edge: Edge) -> bool:
        """Whether a row that is to be kept needs one that cannot be there."""
        missing = edge.parent in self._barred or self._draft.absent(edge.parent)
        return missing and edge.reference.on_delete != SET_NULL

    def _repair(self, dead: Set[Place], dying: Set[Place], kept: Set[Place]) -> set[Place]:
        draft = self._draft
        revived = {place for place in kept if not draft.alive(place)}
        for place in revived:
            draft.revive(place)
        for place in dying:
            draft.kill(place, journal.TAKEN_ALONG)
        freed = [*self._downward((dead | dying) - kept), *self.upward(revived)]
        repaired = revived | dying | self._let_go(freed)
        for edge in (*freed, *self._downward(revived)):
            if edge.child in repaired or edge.parent in repaired:
                draft.link(edge.child, edge.parent)
        return repaired

    def _let_go(self, edges: Iterable[Edge]) -> set[Place]:
        """Set the references of living rows to dead ones to NULL."""
        columns: dict[Place, list[str]] = defaultdict(list)
        for child, reference, parent in edges:
            if self._draft.alive(child) and not self._draft.alive(parent):
                columns[child] += reference.columns
        for place, names in columns.items():
            self._draft.write(place, dict.fromkeys(sorted(names)), journal.LET_GO)
        return set(columns)

    def upward(self, places: Iterable[Place]) -> list[Edge]:
        """The references of these rows; the parents are loaded."""
        edges = [
            Edge(place, reference, parent)
            for place in places
            for reference in self._draft.shape(place[0]).references
            if (parent := self._draft.parent(place, reference)) is not None
        ]
        self._draft.load(edge.parent for edge in edges)
        return edges

    def _downward(self, parents: Iterable[Place]) -> list[Edge]:
        """The references of live rows to these rows, as the draft had them at first."""
        parents = list(parents)
        self._read_children({place for place in parents if place not in self._edges})
        return [edge for place in parents for edge in self._edges[place]]

    def _read_children(self, parents: Set[Place]) -> None:
        self._edges.update((parent, []) for parent in parents)
        keys: dict[str, set[Key]] = defaultdict(set)
        for table, key in parents:
            keys[table].add(key)
        for shape in self._draft.shapes.values():
            for reference in shape.references:
                if reference.parent in keys:
                    self._read_references(shape.table, reference, keys[reference.parent])

    def _read_references(self, table: str, reference: Reference, keys: Set[Key]) -> None:
        """Note the live rows of one table that refer to these keys."""
        draft = self._draft
        planned = self._planned_children(table, reference)
        stored = draft.tables.children(table, reference, keys)
        draft.load(stored)
        for child in stored:
            if child not in draft.after and draft.alive(child):
                parent = draft.parent(child, reference)
                if parent in self._edges:
                    self._edges[parent].append(Edge(child, reference, parent))
        for key in keys & planned.keys():
            parent = (reference.parent, key)
            self._edges[parent] += (Edge(child, reference, parent) for child in planned[key])

    def _planned_children(self, table: str, reference: Reference) -> dict[Key, list[Place]]:
        """The live rows of the draft by the parent they refer to."""
        known = self._planned.get((table, reference))
        if known is None:
            known = self._planned[table, reference] = defaultdict(list)
            for place in self._draft.after:
                if place[0] == table and self._draft.alive(place):
                    parent = self._draft.parent(place, reference)
                    if parent is not None:
                        known[parent[1]].append(place)
        return known
