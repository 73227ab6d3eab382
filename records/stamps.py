"""When and where a value was written: stamps order all writes of a herd, alike on every node.

A stamp alone is a number of microseconds. A *version* is a stamp and the origin that wrote; no two
writes of a row have the same version, because a node gives a row only rising stamps.
"""

from __future__ import annotations

from typing import NamedTuple


class Version(NamedTuple):
    """Microseconds since 1970, UTC, and the origin that wrote. Later is greater."""

    stamp: int
    origin: int


NEVER = Version(0, 0)
"""Before every write."""


class Slot(NamedTuple):
    """The version of one column, and the last version of another origin that it overwrote."""

    version: Version
    over: Version = NEVER


def next_stamp(now: int, last: int) -> int:
    """The stamp of a write at `now` upon one at `last`: later than that, whatever clocks say.

    The rule of Lamport's clocks, with the physical time as a floor.
    """
    return max(now, last + 1)
