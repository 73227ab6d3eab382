"""What a node takes for the time."""

from __future__ import annotations

from dataclasses import dataclass

START = 1_750_000_000_000_000
"""The first moment, in microseconds since 1970."""

MOMENT = 1_000
"""Microseconds."""

MILLION = 1_000_000


@dataclass
class Clock:
    """A clock that may be wrong: by an offset, by running too fast or slow, and by being coarse.

    `offset` is in microseconds, `drift` in microseconds a second, `grain` the smallest step.
    """

    offset: int = 0
    drift: int = 0
    grain: int = 1

    def read(self, moment: int) -> int:
        """Microseconds since 1970, as this clock has them."""
        passed = moment * MOMENT
        shown = START + passed + passed * self.drift // MILLION + self.offset
        return shown // self.grain * self.grain
