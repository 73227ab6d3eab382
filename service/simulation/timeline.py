"""What happens when: time that passes only because something happens."""

from __future__ import annotations

import heapq
from collections.abc import Callable
from itertools import count
from typing import Any

SECOND = 1_000
"""Moments; one is a millisecond."""

TICK = SECOND // 5
"""How often a node's links are ticked."""


class Timeline:
    """What is still to happen. Of two things at one moment the one that was put down first.

    `now` are the moments that were lived through; `slept` those in which nothing happened at all.
    """

    def __init__(self) -> None:
        self.now = 0
        self.slept = 0
        self._queue: list[tuple[int, int, Callable[..., None], tuple[Any, ...]]] = []
        self._order = count()

    @property
    def date(self) -> int:
        """The moment that clocks show, if they are right."""
        return self.now + self.slept

    def later(self, delay: int, happen: Callable[..., None], *arguments: Any) -> None:
        """Let something happen after some moments."""
        entry = (self.now + delay, next(self._order), happen, arguments)
        heapq.heappush(self._queue, entry)

    def run(self, moments: int) -> None:
        """Let time pass, with all that is due."""
        end = self.now + moments
        queue = self._queue
        while queue and queue[0][0] <= end:
            self.now, _order, happen, arguments = heapq.heappop(queue)
            happen(*arguments)
        self.now = end
