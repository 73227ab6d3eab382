"""Tables in memory, with the indexes that planning asks for."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Hashable, Iterator, Mapping, Sequence, Set
from itertools import chain

from records.stamps import Version
from records.states import RowState
from service.herd.deltas import DELETE, UPDATE, LogEntry
from service.herd.held import Held
from service.herd.shapes import Key, Place, Reference, Shapes, Unique
from service.herd.tables import Claim
from service.herd.vectors import Vector


class MemoryTables:
    """The rows of one node, live and dead, what it holds, and its changelog.

    `unsealed` are the entries that have no position yet.
    """

    def __init__(self, shapes: Shapes) -> None:
        self.shapes = shapes
        self.states: dict[Place, RowState] = {}
        self.waiting: dict[Place, Held] = {}
        self.log: dict[int, dict[int, LogEntry]] = defaultdict(dict)
        self.unsealed: list[LogEntry] = []
        self.pruned: dict[int, int] = {}
        self._came: list[tuple[int, int]] = []
        self._highest: dict[int, int] = defaultdict(int)
        self._children: dict[tuple[str, Reference, Key], set[Place]] = defaultdict(set)
        self._holders: dict[tuple[str, Unique, Hashable], set[Place]] = defaultdict(set)

    def copied(self) -> MemoryTables:
        """The same once more; what happens to one of them does not happen to the other."""
        copy = MemoryTables(self.shapes)
        for place, state in self.states.items():
            copy.put(place, state)
        for entries in self.log.values():
            for entry in entries.values():
                copy.keep(entry)
        copy.waiting = dict(self.waiting)
        copy.unsealed = list(self.unsealed)
        copy.pruned, copy._came = dict(self.pruned), list(self._came)
        return copy

    def adopt(self, shapes: Shapes) -> None:
        """A migration: other tables and columns; rows get the defaults of new columns."""
        states, self.shapes, self.states = self.states, shapes, {}
        self._children.clear()
        self._holders.clear()
        for place, state in states.items():
            self.put(place, state)

    def put(self, place: Place, state: RowState) -> None:
        """A row gets a state; columns that it says nothing of have their default if it lives."""
        lacking = (self.shapes[place[0]].columns or frozenset()) - state.values.keys()
        if lacking and state.alive:
            values = {**state.values, **dict.fromkeys(sorted(lacking))}
            state = state._replace(values=values)
        known = self.states.get(place)
        if known is not None and known.alive:
            for bucket in self._buckets(place, known):
                bucket.discard(place)
        self.states[place] = state
        if state.alive:
            for bucket in self._buckets(place, state):
                bucket.add(place)

    def _buckets(self, place: Place, state: RowState) -> Iterator[set[Place]]:
        shape = self.shapes[place[0]]
        for reference in shape.references:
            key = tuple(state.values.get(column) for column in reference.columns)
            if None not in key:
                yield self._children[shape.table, reference, key]
        for unique in shape.uniques:
            is_key = unique.columns == shape.key
            claim = place[1] if is_key else tuple(map(state.values.get, unique.columns))
            if None not in claim:
                yield self._holders[shape.table, unique, claim]

    def live(self) -> Iterator[tuple[Place, RowState]]:
        """The rows that are there."""
        return ((place, state) for place, state in self.states.items() if state.alive)

    def rows(self, places: Collection[Place]) -> Mapping[Place, RowState]:
        """See the port."""
        return {place: self.states[place] for place in places if place in self.states}

    def held(self, places: Collection[Place]) -> Mapping[Place, Held]:
        """See the port."""
        if not self.waiting:
            return {}
        return {place: self.waiting[place] for place in places if place in self.waiting}

    def children(self, table: str, reference: Reference, parents: Collection[Key]) -> Set[Place]:
        """See the port."""
        found: set[Place] = set()
        for key in parents:
            found |= self._children.get((table, reference, key), set())
        return found

    def holders(self, table: str, unique: Unique, claims: Collection[Claim]) -> Set[Place]:
        """See the port."""
        found: set[Place] = set()
        for claim in claims:
            found |= self._holders.get((table, unique, claim), set())
        return found

    def folded(self, table: str, unique: Unique, claims: Sequence[Claim]) -> Sequence[Hashable]:
        """See the port; bytes are compared."""
        return claims

    def unseen(self, vector: Vector, places: Collection[Place]) -> Mapping[Place, Set[Version]]:
        """See the port."""
        wanted = set(places)
        found: dict[Place, set[Version]] = defaultdict(set)
        for entry in self._not_at(vector):
            if entry.kind != DELETE and entry.place in wanted:
                found[entry.place].add(entry.version)
        return found

    def seen(self, vector: Vector, places: Collection[Place], lives: bool = False) -> Set[Place]:
        """See the port."""
        above = self._not_at(vector)
        return set(places) - {e.place for e in above if not lives or e.kind != UPDATE}

    def _not_at(self, vector: Vector) -> Iterator[LogEntry]:
        return chain(self.above(vector), self.unsealed)

    def floors(self) -> Vector:
        """See the port."""
        return self.pruned

    def prune(self, upto: Vector) -> None:
        """Forget entries up to a vector, and dead rows of which nothing else is told."""
        for origin, last in upto.items():
            for at in sorted(self.log.get(origin, ())):
                if at <= last:
                    self._forget(origin, at)

    def prune_oldest(self, most: int, may_go: Callable[[int, int], bool]) -> int:
        """Forget entries in the order in which they came, up to the first that is needed."""
        gone = 0
        while gone < min(most, len(self._came)) and may_go(*self._came[gone]):
            self._forget(*self._came[gone])
            gone += 1
        del self._came[:gone]
        return gone

    def _forget(self, origin: int, at: int) -> None:
        entry = self.log[origin].pop(at, None)
        if entry is None:
            return
        self.pruned[origin] = max(at, self.pruned.get(origin, 0))
        state = self.states.get(entry.place)
        if entry.kind != DELETE or state is None or state.alive:
            return
        if not any(other.place == entry.place for other in self.entries()):
            del self.states[entry.place]

    def entries(self) -> Iterator[LogEntry]:
        """The changelog, and what has no position yet."""
        logged = (entries.values() for entries in self.log.values())
        return chain(chain.from_iterable(logged), self.unsealed)

    def above(self, vector: Vector) -> Iterator[LogEntry]:
        """The entries that a node at this vector does not have."""
        for origin, entries in self.log.items():
            first, last = vector.get(origin, 0) + 1, self._highest[origin]
            yield from (entries[at] for at in range(first, last + 1) if at in entries)

    def in_part(self, vector: Vector) -> bool:
        """Whether there is something above what a node at this vector has whole."""
        return any(last > vector.get(origin, 0) for origin, last in self._highest.items())

    def keep(self, entry: LogEntry) -> None:
        """Take an entry into the changelog; it may be there already."""
        if entry.position not in self.log[entry.origin]:
            self._came.append((entry.origin, entry.position))
        self.log[entry.origin][entry.position] = entry
        self._highest[entry.origin] = max(self._highest[entry.origin], entry.position)

    def take_out(self, origin: int, above: int) -> list[LogEntry]:
        """Take what stands above a position of an origin out of the changelog."""
        entries = self.log[origin]
        gone = [entries.pop(at) for at in sorted(entries) if at > above]
        self._came = [one for one in self._came if one[0] != origin or one[1] <= above]
        self._highest[origin] = min(self._highest[origin], above)
        return gone
