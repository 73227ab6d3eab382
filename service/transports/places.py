"""Who has a place at a listener, and who goes for a newcomer where there is none left.

Clients but those over the loopback have so many places for a block of addresses. Where nobody is
let in without a token, those who have shown none that counts are strangers, and the one who has
been there for longest gives its place to whoever comes: so strangers who stay silent keep nobody
out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Generic, TypeVar

from service.access.rates import block_of
from service.transports.timing import Clock

_Place = TypeVar("_Place")

TELL_SECONDS = 60.0
"""Between two lines of the log about the same: a flood of connections is no flood of lines."""


class NoPlace(Exception):
    """A newcomer finds no place; `why` is "full" or "address"."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


class Places(Generic[_Place]):
    """The connections to one listener: `most` of them, `of_block` of one block; 0: no limit."""

    def __init__(self, most: int, of_block: int = 0) -> None:
        self._most = most
        self._of_block = of_block
        self._blocks: dict[_Place, str | None] = {}
        self._strangers: dict[_Place, None] = {}
        self._neighbours: dict[str, dict[_Place, None]] = {}

    def __len__(self) -> int:
        return len(self._blocks)

    def __iter__(self) -> Iterator[_Place]:
        """Those who have a place now, whoever leaves meanwhile."""
        return iter(tuple(self._blocks))

    def for_one_more(self, address: str | None) -> _Place | None:
        """Who has to go for a newcomer, None where there is a place; raises NoPlace.

        `address` is None on a socket.
        """
        block = _block(address)
        near = self._neighbours.get(block, {}) if block is not None else {}
        if self._of_block and len(near) >= self._of_block:
            return _oldest((one for one in near if one in self._strangers), "address")
        if len(self._blocks) >= self._most:
            return _oldest(iter(self._strangers), "full")
        return None

    def take(self, place: _Place, address: str | None, is_stranger: bool) -> None:
        """Somebody comes in."""
        block = self._blocks[place] = _block(address)
        if block is not None:
            self._neighbours.setdefault(block, {})[place] = None
        if is_stranger:
            self._strangers[place] = None

    def recognise(self, place: _Place) -> None:
        """Somebody is no stranger any more."""
        self._strangers.pop(place, None)

    def leave(self, place: _Place) -> bool:
        """Somebody is gone; whether he had a place."""
        if place not in self._blocks:
            return False
        block = self._blocks.pop(place)
        self._strangers.pop(place, None)
        if block is not None:
            self._neighbours[block].pop(place)
            if not self._neighbours[block]:
                del self._neighbours[block]
        return True


class TurnedAway:
    """Tells of connections that were refused or cut off for others: each is counted, few logged.

    `count` is told why: "full", "address", or "stranger" for one that had to go.
    """

    def __init__(
        self, count: Callable[[str], None], log: Callable[[str], None], clock: Clock
    ) -> None:
        self._count = count
        self._log = log
        self._clock = clock
        self._told: dict[str, float] = {}

    def __call__(self, why: str) -> None:
        """One more."""
        self._count(why)
        now = self._clock.seconds()
        if now - self._told.get(why, -TELL_SECONDS) >= TELL_SECONDS:
            self._told[why] = now
            self._log(_WORDS[why])


_WORDS = {
    "full": "there are as many connections as there may be; others are refused",
    "address": "there are as many connections from one block of addresses as there may be",
    "stranger": "connections that show no token are cut off, since there is no place for others",
}


def is_near(address: str | None) -> bool:
    """Whether a client is on this machine."""
    return _block(address) is None


def _block(address: str | None) -> str | None:
    return None if address is None else block_of(address)


def _oldest(strangers: Iterator[_Place], why: str) -> _Place:
    found = next(strangers, None)
    if found is None:
        raise NoPlace(why)
    return found
