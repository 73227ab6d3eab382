"""How long certificates count, and when they are to be renewed."""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import Enum
from typing import NamedTuple

NODE_DAYS = 365
AUTHORITY_DAYS = 3_650

CLOCKS_DIFFER = timedelta(minutes=5)
"""A certificate counts from so long before it is made: other nodes' clocks may be behind."""


SOON = timedelta(days=30)
"""What is left of a certificate when somebody is called, if it counts long enough."""


class Standing(Enum):
    """Where a certificate is in its life."""

    EARLY = "not valid yet"
    GOOD = "valid"
    DUE = "valid, to be renewed"
    OVER = "expired"


class Life(NamedTuple):
    """From when and until when a certificate counts; both moments are in UTC, and know it."""

    begins: datetime
    ends: datetime

    @property
    def renew_at(self) -> datetime:
        """At two thirds of it: a third is left for whoever has to do it."""
        return self.begins + (self.ends - self.begins) * 2 / 3

    @property
    def alarm_at(self) -> datetime:
        """When somebody is called: `SOON` before its end, or when a sixth of it is left.

        So whoever renews by himself has as long for it before as somebody who is called has after.
        """
        return self.ends - min(SOON, (self.ends - self.begins) / 6)

    def standing(self, now: datetime) -> Standing:
        """Where it is at a moment."""
        if now < self.begins:
            return Standing.EARLY
        if now > self.ends:
            return Standing.OVER
        return Standing.DUE if now >= self.renew_at else Standing.GOOD


def life_from(now: datetime, days: int, until: datetime | None = None) -> Life:
    """So many days from now on, but no longer than who vouches for it counts.

    Certificates know whole seconds only.
    """
    begins = now.replace(microsecond=0) - CLOCKS_DIFFER
    ends = now.replace(microsecond=0) + timedelta(days=days)
    return Life(begins, ends if until is None else min(ends, until))
