"""A node's database in memory, as links see it: the simulator's tables behind the port."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from twisted.internet.defer import Deferred

from records.states import Value
from service.errors import DatabaseFull, Unavailable
from service.herd.deltas import Delta
from service.herd.messages import Portion
from service.herd.parts import parts
from service.herd.peers import EVERYWHERE
from service.herd.planning.draft import DeltaRefused
from service.herd.port import Origin, Sibling
from service.herd.retirement import NOBODY
from service.herd.shapes import CASCADE, Place, Reference, Shape, Shapes, Unique
from service.herd.topology import Roll
from service.herd.vectors import Vector
from service.herd.waiting_rows import Waiting
from service.simulation.clock import Clock
from service.simulation.durable import DurableNode
from service.simulation.ledger import Ledger

SHAPES: Shapes = {
    "country": Shape(
        "country", ("id",), uniques=(Unique("country.name", ("name",), "name", False, 40),)
    ),
    "city": Shape("city", ("id",), (Reference("city.country", ("country",), "country", CASCADE),)),
}
"""Countries, whose names are unique, and their cities, which die with them."""


class MemoryReading:
    """A delta that is being read. `closed` counts how often it was told to end."""

    def __init__(self, store: MemoryHerdStore, cut: Iterator[Delta]) -> None:
        self.closed = 0
        self._store = store
        self._cut = cut

    async def next(self) -> Delta:
        """See the port."""
        assert not self.closed, "a part was asked for after the end"
        self._store.require_reads()
        return next(self._cut)

    def close(self) -> None:
        """See the port."""
        self.closed += 1


class MemoryHerdStore:
    """One node. What was committed is sealed at once, and told to whoever subscribed.

    While `reads_fail` or `applies_fail` is true, those fail; what comes from `refuse_from` is
    refused. `before_apply` may give something to wait for.
    """

    def __init__(self, number: int, most_rows: int = 1_000) -> None:
        self.node = DurableNode(number, SHAPES, Clock(), Ledger(SHAPES, SHAPES))
        self.reads_fail = False
        self.applies_fail = False
        self.before_apply: Callable[[], Any] | None = None
        self.refuse_from: int | None = None
        self.origins: list[int] = []
        self.readings: list[MemoryReading] = []
        self.forgotten: list[int] = []
        self.noted: list[Sibling] = []
        self.retired = NOBODY
        self.peers = EVERYWHERE
        self.known = Roll()
        self.asked = 0
        self.applied = 0
        self._most_rows = most_rows
        self._waiting: dict[int, Waiting] = {}
        self._subscribers: list[Callable[[int], None]] = []
        self._moment = 0

    # What an application does.

    def insert(self, table: str, key: int, **values: Value) -> None:
        """Insert a row."""
        self.node.insert((table, (key,)), {"id": key, **values}, self._now())
        self.seal()

    def update(self, table: str, key: int, **values: Value) -> None:
        """Change a row."""
        self.node.update((table, (key,)), values, self._now())
        self.seal()

    def delete(self, table: str, key: int) -> None:
        """Delete a row."""
        self.node.delete((table, (key,)), self._now())
        self.seal()

    def rows(self) -> dict[Place, dict[str, Value]]:
        """The live rows."""
        return {place: dict(state.values) for place, state in self.node.tables.live()}

    def seal(self) -> None:
        """Give positions, and tell of it."""
        if self.node.seal():
            for tell in tuple(self._subscribers):
                tell(self.node.vector[self.node.origin])

    def hold(self) -> Deferred[None]:
        """Whatever is applied waits for this."""
        held: Deferred[None] = Deferred()
        self.before_apply = lambda: held
        return held

    def subscribe(self, on_sealed: Callable[[int], None]) -> Callable[[], None]:
        """Be told each new position."""
        self._subscribers.append(on_sealed)
        return lambda: self._subscribers.remove(on_sealed)

    # The port.

    async def origin(self) -> Origin:
        """See the port."""
        self.asked += 1
        self.require_reads()
        return Origin(self.node.origin, dict(self.node.vector), self.retired, self.peers)

    async def roll(self) -> Roll:
        """See the port."""
        self.require_reads()
        return self.known

    async def read(self, above: Vector) -> MemoryReading:
        """See the port."""
        self.require_reads()
        reading = MemoryReading(self, parts(self.node.delta(above), SHAPES, self._most_rows))
        self.readings.append(reading)
        return reading

    async def apply(self, link: int, sender: int, portion: Portion) -> Vector:
        """See the port."""
        if self.before_apply is not None:
            await self.before_apply()
        if sender == self.refuse_from:
            raise DeltaRefused("it comes without its parents")
        if self.applies_fail:
            raise DatabaseFull("the disk is full")
        number, _part, delta = portion
        assert sender == delta.sender
        waiting = self._waiting.pop(link, None)
        if waiting is None or waiting.number != number:
            waiting = Waiting(number)
        plan = self.node.apply(waiting.with_last(delta) if delta.last else delta, self._now())
        if not delta.last:
            self._waiting[link] = waiting.and_more(plan)
        self.applied += 1
        self.seal()
        return dict(self.node.vector)

    def forget(self, link: int) -> None:
        """See the port."""
        self.forgotten.append(link)
        self._waiting.pop(link, None)

    async def renew(self, former: int) -> None:
        """See the port; while there are no `origins` left, the database cannot."""
        if not self.origins:
            raise Unavailable(f"origin {former} stays")
        if self.node.origin == former:
            self.node.origin = self.origins.pop(0)
            self.node.vector = {**self.node.vector, self.node.origin: 0}

    async def note(self, siblings: tuple[Sibling, ...]) -> None:
        """See the port."""
        self.require_reads()
        self.noted += siblings

    def require_reads(self) -> None:
        """Raise Unavailable while the database does not answer."""
        if self.reads_fail:
            raise Unavailable("the database does not answer")

    def _now(self) -> int:
        self._moment += 1
        return self.node.clock.read(self._moment)
