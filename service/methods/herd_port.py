"""What the methods need to tell how a node stands among its siblings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from service.herd.status import HerdState
from service.herd.vectors import Vector


@dataclass(frozen=True)
class KnownSibling:
    """A node that this one has met; moments are in microseconds since 1970, UTC.

    `lacks` are the changes here that it is not known to have, and `lacks_seconds` how long the
    oldest of them that the changelog still holds has been here: None where it lacks nothing.
    `ahead_seconds` is how far ahead of this node's clock the latest write of it that came here was
    stamped: None where that is no more than clocks may differ.
    """

    origin: int
    name: str
    state: str
    met_at: int
    seen_at: int
    lacks: int
    lacks_seconds: float | None
    ahead_seconds: float | None = None

    @property
    def retired(self) -> bool:
        """Whether nobody waits for it any more."""
        return self.state == "retired"


@dataclass(frozen=True)
class Known:
    """Who the node is, what it has, and all siblings that it has met."""

    origin: int
    vector: Vector
    siblings: Sequence[KnownSibling]


@dataclass(frozen=True)
class Entries:
    """How many entries of a rule the journal has, and how many of the last hour."""

    total: int
    last_hour: int


@dataclass(frozen=True)
class Aside:
    """How many rows are held, by reason, and what the journal has above a number, by rule."""

    held: Mapping[str, int]
    journal: Mapping[str, Entries]
    above: int = 0


class Herd(Protocol):
    """A node in its herd."""

    def state(self) -> HerdState:
        """The links as they are now; without any where the node has no siblings."""
        ...

    async def known(self, linked: Mapping[int, Vector]) -> Known:
        """What the database tells of nodes. `linked` are the vectors of those linked now."""
        ...

    async def aside(self) -> Aside:
        """What was put aside."""
        ...
