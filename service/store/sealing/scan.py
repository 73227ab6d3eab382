"""From where the inbox is looked through, and how long a scan is rested from.

Sealed entries leave the inbox, but while somebody holds an old snapshot open the server cannot
throw them away, and every scan from the beginning walks over them. So an idle sealer mostly looks
behind the highest entry it has seen. What becomes visible below that, of a transaction that was
slow, is found by the next full look.

Only looks are shortened, never passes. The change that somebody makes to what a slow transaction
wrote has a higher entry than the slow one's, and must not be sealed before it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

CHEAP_SECONDS = 0.005
"""A scan this short is not worth being shortened."""

FULL_EVERY = 10
"""Full looks take at most one tenth of the time."""

BEHIND = 10_000
"""How far below the highest entry a short look begins."""


@dataclass(frozen=True)
class Scan:
    """What is known of scans.

    The highest entry seen, how long the last full scan took, and when it ended, in seconds of a
    clock that only goes forward.
    """

    highest: int = 0
    seconds: float = 0.0
    ended: float = 0.0

    def floor(self, now: float) -> int:
        """Above which entry to look; 0 is everything."""
        if self.seconds < CHEAP_SECONDS or now - self.ended >= FULL_EVERY * self.seconds:
            return 0
        return max(0, self.highest - BEHIND)

    def seen(self, highest: int) -> Scan:
        """What is known after an entry was seen."""
        return replace(self, highest=highest)

    def full(self, seconds: float, now: float) -> Scan:
        """What is known after a scan from the beginning that took so long and ends now."""
        return replace(self, seconds=seconds, ended=now)

    def rest(self) -> float:
        """How long to rest between passes: scans take at most half of the time."""
        return 0.0 if self.seconds < CHEAP_SECONDS else self.seconds
