"""A node's database as its links use it."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Awaitable, Callable
from functools import partial
from typing import TypeAlias

from service.errors import ServiceError
from service.herd.messages import Portion
from service.herd.peers import Network
from service.herd.port import Origin, Reading, Sibling
from service.herd.topology import Roll
from service.herd.vectors import Vector
from service.store.feed.snapshots import in_snapshot
from service.store.herd import retiring, siblings
from service.store.herd.arrivals import Arrivals
from service.store.herd.paced_peers import PacedPeers
from service.store.herd.reading import DeltaReader
from service.store.herd.renewing import draw
from service.store.herd.roll import roll
from service.store.herd.snapshots import moment_of
from service.store.threads import Lane, StepLane
from service.store.transaction import Transaction

MOST_ORIGIN = 2**32 - 1

Peers: TypeAlias = Callable[[Transaction], dict[str, tuple[Network, ...]]]
"""Reads from where links of each node come."""

_log = logging.getLogger("herdbook.herd")


class StoredHerd:
    """Implements `service.herd.port.HerdStore` on MySQL.

    `reading` is a lane whose connections commit each statement, `deltas` has a thread for each
    delta that is being read, and `applying` one for what comes, whoever brings it. `follow` lets
    triggers follow a new origin.
    """

    def __init__(
        self,
        reading: Lane,
        applying: Lane,
        deltas: StepLane,
        reader: DeltaReader,
        arrivals: Arrivals,
        follow: Callable[[], Awaitable[None]],
    ) -> None:
        self._reading = reading
        self.applying = applying
        self._deltas = deltas
        self._reader = reader
        self._arrivals = arrivals
        self._follow = follow
        self._peers = PacedPeers()

    def start(self) -> None:
        """Start the threads."""
        self.applying.start()
        self._deltas.start()

    def stop(self) -> None:
        """Finish what is being applied, close what is being read, end the threads; blocks."""
        self._deltas.stop()
        self.applying.stop()

    async def origin(self) -> Origin:
        """See the port. Who is retired by his record is retired here from then on."""
        look = partial(standing_and_unheeded, peers=self._peers.read)
        told, unheeded = await self._reading.run(in_snapshot(look))
        if unheeded:
            await self._heed()
        return told

    async def _heed(self) -> None:
        """Where that fails they are refused all the same, and it is tried again."""
        try:
            for origin, name in await self.applying.run(retiring.heed):
                _log.warning("%s (origin %d) is retired here, as its record says", name, origin)
        except ServiceError as error:
            _log.warning("who is retired cannot be noted, which is tried again: %s", error)

    def roll(self) -> Awaitable[Roll]:
        """See the port."""
        return self._reading.run(in_snapshot(roll))

    def read(self, above: Vector) -> Awaitable[Reading]:
        """See the port."""
        return self._deltas.begin(lambda: self._reader.read(above))

    def apply(self, link: int, sender: int, portion: Portion) -> Awaitable[Vector]:
        """See the port."""
        applied = self.applying.run(self._arrivals.work(link, portion))
        return applied.addCallback(lambda outcome: self._arrivals.keep(link, portion, outcome))

    def forget(self, link: int) -> None:
        """See the port."""
        self._arrivals.forget(link)

    def note(self, met: tuple[Sibling, ...]) -> Awaitable[None]:
        """See the port."""
        return self.applying.run(lambda tx: siblings.note(tx, met))

    def renew(self, former: int) -> Awaitable[None]:
        """See the port. Triggers follow where the node's account may make them."""
        drawn = secrets.randbelow(MOST_ORIGIN) + 1
        return self._renewed(former, drawn)

    async def _renewed(self, former: int, drawn: int) -> None:
        await self.applying.run(lambda tx: draw(tx, former, drawn))
        await self._follow()


def origin_of(tx: Transaction) -> Origin:
    """Who the node is, and the vector of what is committed and sealed."""
    moment = moment_of(tx)
    return Origin(moment.origin, moment.vector)


def standing_of(tx: Transaction) -> Origin:
    """The same, who is retired, here or by his record, and from where links may come."""
    return standing_and_unheeded(tx)[0]


def standing_and_unheeded(
    tx: Transaction, peers: Peers = siblings.peers
) -> tuple[Origin, tuple[tuple[int, str], ...]]:
    """The same, and the origins and names of those who are not retired here yet."""
    retired, unheeded = retiring.retired_by_now(tx)
    return origin_of(tx)._replace(retired=retired, peers=peers(tx)), unheeded
