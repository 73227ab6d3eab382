"""Ids that any node can give out by itself, that sort by time and are never used twice.

UUID version 7, RFC 9562, section 5.7: 48 bits of milliseconds, then 74 bits of chance. Within one
millisecond the chance part counts up (section 6.2, method 2), so that one process's ids keep the
order in which they were given out.
"""

from __future__ import annotations

import secrets
import threading
import time
import uuid
from collections.abc import Callable

_CHANCE_BITS = 74
_LOW_BITS = 62
_LARGEST_STEP = 2**32 - 1


def uuid7(milliseconds: int, chance: int) -> uuid.UUID:
    """The UUIDv7 of a moment (milliseconds since 1970, 48 bits) and a chance number (74 bits)."""
    high = chance >> _LOW_BITS
    low = chance & ((1 << _LOW_BITS) - 1)
    return uuid.UUID(int=milliseconds << 80 | 0x7 << 76 | high << 64 | 0b10 << 62 | low)


def follow(last: tuple[int, int], milliseconds: int, chance: int) -> tuple[int, int]:
    """What comes after `last` = (milliseconds, chance): later, also when the clock stood or fell.

    `chance` is fresh; in a new millisecond it is taken as it is. Otherwise the last one is raised
    by some of it: a process that was forked goes another way than its parent.
    """
    if milliseconds > last[0]:
        # The top bit stays free, so that counting up has room.
        return milliseconds, chance >> 1
    raised = last[1] + 1 + (chance & _LARGEST_STEP)
    if raised < 1 << _CHANCE_BITS:
        return last[0], raised
    return last[0] + 1, chance >> 1


class IdentitySource:
    """Gives out UUIDv7s in rising order; may be called from any thread."""

    def __init__(self, clock: Callable[[], int], chance: Callable[[int], int]) -> None:
        """`clock` gives milliseconds since 1970, `chance` that many random bits."""
        self._clock = clock
        self._chance = chance
        self._last = (0, 0)
        self._lock = threading.Lock()

    def __call__(self) -> uuid.UUID:
        """The next id."""
        with self._lock:
            self._last = follow(self._last, self._clock(), self._chance(_CHANCE_BITS))
            return uuid7(*self._last)


new_id = IdentitySource(lambda: time.time_ns() // 1_000_000, secrets.randbits)
"""The process's own source."""
