"""Whose part is applied next: one at a time over all links, the links in turn.

One at a time, so that the second way of a delta finds what the first one brought. In turn, so that
a delta in a thousand parts holds up nobody; one that fails waits, and the others go on.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple, TypeAlias

from service.herd.link_actions import Apply
from service.herd.link_sending import RETRY_TICKS
from service.herd.messages import Portion


class Free(NamedTuple):
    """Nothing is being applied."""


class Busy(NamedTuple):
    """A part is being applied."""

    apply: Apply


Serving: TypeAlias = Free | Busy


class Turns:
    """The one who applies."""

    def __init__(self) -> None:
        self.state: Serving = Free()
        self._resting: dict[int, int] = {}
        self._served: dict[int, int] = {}
        self._count = 0

    def next(self, ready: Iterable[int]) -> int | None:
        """The link that was served longest ago; None while busy, or if there is none."""
        if isinstance(self.state, Busy):
            return None
        able = [link for link in ready if link not in self._resting]
        return min(able, key=lambda link: self._served.get(link, 0), default=None)

    def take(self, link: int, portion: Portion) -> Apply:
        """Give a link its turn."""
        self._count += 1
        self._served[link] = self._count
        apply = Apply(link, portion)
        self.state = Busy(apply)
        return apply

    def finish(self, link: int, number: int, part: int) -> Portion | None:
        """A turn is over. None, if it was not this one's."""
        match self.state:
            case Busy(Apply(busy, portion)) if (busy, *portion[:2]) == (link, number, part):
                self.state = Free()
                return portion
        return None

    def rest(self, link: int) -> None:
        """Leave a link out for some ticks."""
        self._resting[link] = RETRY_TICKS

    def forget(self, link: int) -> None:
        """A link is gone; what it has being applied goes on."""
        self._resting.pop(link, None)
        self._served.pop(link, None)

    def tick(self) -> None:
        """An interval has passed."""
        self._resting = {link: left - 1 for link, left in self._resting.items() if left > 1}
