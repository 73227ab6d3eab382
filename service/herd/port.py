"""What links need of a node's database: deltas read and applied, each in a transaction.

The store fulfils it; tests have a double in memory.
"""

from __future__ import annotations

from collections.abc import Awaitable, Mapping
from typing import NamedTuple, Protocol

from service.herd.deltas import Delta
from service.herd.messages import Portion
from service.herd.peers import EVERYWHERE, Network
from service.herd.retirement import NOBODY, Retired
from service.herd.topology import Roll
from service.herd.vectors import Vector


class Origin(NamedTuple):
    """The node itself: its origin, the vector of what is committed and sealed, who is retired.

    `peers` are the blocks that links of each node come from, by its name, where it has any.
    """

    origin: int
    vector: Vector
    retired: Retired = NOBODY
    peers: Mapping[str, tuple[Network, ...]] = EVERYWHERE


class Sibling(NamedTuple):
    """Another node as a link knows it: who it is, and what it surely has."""

    origin: int
    name: str
    vector: Vector


class Reading(Protocol):
    """A delta that is being read part by part, all of it as of one moment."""

    def next(self) -> Awaitable[Delta]:
        """The next part; the one after the `last` is never asked for.

        Fails with ServiceError where nothing can be read now; then the reading is over.
        """
        ...

    def close(self) -> None:
        """No more of it is wanted; also after it was read to its end."""
        ...


class HerdStore(Protocol):
    """A node's database, for its links. All of it is used from one thread."""

    def origin(self) -> Awaitable[Origin]:
        """Who the node is and what it has; fails with ServiceError."""
        ...

    def roll(self) -> Awaitable[Roll]:
        """All nodes of the herd, as far as it is known here; fails with ServiceError."""
        ...

    def read(self, above: Vector) -> Awaitable[Reading]:
        """Begin to read what is here and not at a vector; fails with ServiceError."""
        ...

    def apply(self, link: int, sender: int, portion: Portion) -> Awaitable[Vector]:
        """Apply a part of a delta in one transaction; the node's vector after it.

        Rows that must wait for later parts are kept by link. Fails with ServiceError, or with
        DeltaRefused where the delta cannot come from a node that keeps the protocol: nothing of the
        part is applied then.
        """
        ...

    def forget(self, link: int) -> None:
        """A link is closed: what waits for more of its delta is dropped."""
        ...

    def renew(self, former: int) -> Awaitable[None]:
        """Give the node a new origin in place of a former one; fails with ServiceError.

        Nothing happens where it has another one already.
        """
        ...

    def note(self, siblings: tuple[Sibling, ...]) -> Awaitable[None]:
        """Remember what siblings were last known to have; fails with ServiceError."""
        ...
