"""Who seals: one process at a time, by a row in the database, and without any clock of the wall's.

The holder raises the row's beat at least every second. Whoever waits for the lease looks at the row
every second, and takes it once holder and beat have stood still for three seconds of its own time.
A holder that stood still and comes back finds another name in the row, and waits in turn.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto

BEAT_SECONDS = 1.0
"""A holder that has written nothing for so long raises its beat."""

PATIENCE_SECONDS = 3.0
"""How long a row stands still before its holder counts as gone: three beats."""

NOBODY = ""
"""The holder where there is none."""


class NotHolder(Exception):
    """Another process seals."""


@dataclass(frozen=True)
class Lease:
    """What the row says."""

    holder: str
    beat: int


class Decision(Enum):
    """What a process that does not seal does next."""

    WAIT = auto()
    TAKE = auto()


@dataclass(frozen=True)
class Watch:
    """What a process knows that does not seal: what it saw last, and since when it is so.

    Times are seconds of a clock that only goes forward, from any starting point.
    """

    seen: Lease | None = None
    since: float = 0.0

    def look(self, lease: Lease, now: float) -> tuple[Watch, Decision]:
        """What it knows and does after it saw the row at some time."""
        watch = self if lease == self.seen else Watch(lease, now)
        free = lease.holder == NOBODY or now - watch.since >= PATIENCE_SECONDS
        return watch, Decision.TAKE if free else Decision.WAIT
