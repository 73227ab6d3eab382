"""A node's database as its links use it."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Protocol

from service.herd.messages import Portion
from service.herd.port import Origin, Reading, Sibling
from service.herd.vectors import Vector
from service.store.feed.snapshots import in_snapshot
from service.store.herd import siblings
from service.store.herd.reading import DeltaReader
from service.store.herd.snapshots import moment_of
from service.store.threads import Lane, StepLane
from service.store.transaction import Transaction


class Applier(Protocol):
    """Applies what siblings send; see `service.herd.port.HerdStore`."""

    def apply(self, link: int, sender: int, portion: Portion) -> Awaitable[Vector]:
        """Apply a part of a delta in one transaction; the node's vector after it."""
        ...

    def forget(self, link: int) -> None:
        """A link is closed: what waits for more of its delta is dropped."""
        ...


class StoredHerd:
    """Implements `service.herd.port.HerdStore` on MySQL.

    `reading` is a lane whose connections commit each statement, `deltas` has a thread for each
    delta that is being read.
    """

    def __init__(
        self, reading: Lane, writing: Lane, deltas: StepLane, reader: DeltaReader, applier: Applier
    ) -> None:
        self._reading = reading
        self._writing = writing
        self._deltas = deltas
        self._reader = reader
        self._applier = applier

    def origin(self) -> Awaitable[Origin]:
        """See the port."""
        return self._reading.run(in_snapshot(origin_of))

    def read(self, above: Vector) -> Awaitable[Reading]:
        """See the port."""
        return self._deltas.begin(lambda: self._reader.read(above))

    def apply(self, link: int, sender: int, portion: Portion) -> Awaitable[Vector]:
        """See the port."""
        return self._applier.apply(link, sender, portion)

    def forget(self, link: int) -> None:
        """See the port."""
        self._applier.forget(link)

    def note(self, met: tuple[Sibling, ...]) -> Awaitable[None]:
        """See the port."""
        return self._writing.run(lambda tx: siblings.note(tx, met))


def origin_of(tx: Transaction) -> Origin:
    """Who the node is, and the vector of what is committed and sealed."""
    moment = moment_of(tx)
    return Origin(moment.origin, moment.vector)
