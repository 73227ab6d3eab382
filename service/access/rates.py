"""How many calls a client may make: token buckets, as a function of what was called and when.

A bucket holds `burst` calls and fills at `a_second`. All that is kept of one is the moment at which
it is full again. That of a key that is not kept is full, so those that have been left alone for
longest are forgotten first: after `burst / a_second` seconds nothing is lost by it.
"""

from __future__ import annotations

import math
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterator
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address
from typing import NamedTuple

from service.access.tokens import Token
from service.addresses import plain
from service.errors import TooManyCalls

BURST_SECONDS = 10
"""What a bucket holds, in seconds of its filling: programs call in bursts, when they start."""

MOST_BUCKETS = 10_000
"""Of addresses; a hundred bytes each."""

IPV4_BITS, IPV6_BITS = 24, 64
"""The blocks that share a bucket: what one customer of a provider often has, or can choose from."""

SITE_BITS = 48
"""The widest IPv6 block that one customer often has (RFC 6177): it holds 65,536 of the others."""

SITE_TIMES = 4
"""So many times the rate of a block for all blocks of a site: some of them may be busy at once."""

_ROUNDING = 1e-6
"""Seconds, for sums of fractions that come out a little more or less than they are."""


class Rate(NamedTuple):
    """So many calls a second on average, and so many at once."""

    a_second: float
    burst: int

    @property
    def fills_in(self) -> float:
        """The seconds in which an empty bucket is full."""
        return self.burst / self.a_second


def rate_of(a_second: float | None) -> Rate | None:
    """The rate with its burst; 0 and None are no limit."""
    if not a_second:
        return None
    return Rate(a_second, max(1, math.ceil(a_second * BURST_SECONDS)))


class Buckets:
    """The buckets of many keys, `most` of them at a time."""

    def __init__(self, most: int = MOST_BUCKETS) -> None:
        self._most = most
        self._full_at: OrderedDict[Hashable, float] = OrderedDict()

    def __len__(self) -> int:
        return len(self._full_at)

    def wait(self, key: Hashable, rate: Rate, now: float) -> float:
        """In how many seconds this key may make its next call; 0.0 where it may now."""
        late = self._after_one(key, rate, now) - now - rate.fills_in
        return late if late > _ROUNDING else 0.0

    def take(self, key: Hashable, rate: Rate, now: float) -> None:
        """Count a call of this key, which may be made now."""
        self._full_at[key] = self._after_one(key, rate, now)
        self._full_at.move_to_end(key)
        if len(self._full_at) > self._most:
            self._full_at.popitem(last=False)

    def keep(self, key: Hashable) -> None:
        """Remember a key that asked and was refused as long as one that called now."""
        if key in self._full_at:
            self._full_at.move_to_end(key)

    def _after_one(self, key: Hashable, rate: Rate, now: float) -> float:
        """When the bucket would be full again after one more call.

        No bucket takes longer than `fills_in`: where one seems to, the clock was set back or the
        rate was raised, and it begins anew.
        """
        full_at = self._full_at.get(key, now)
        if full_at > now + rate.fills_in + _ROUNDING:
            full_at = now
        return max(full_at, now) + 1 / rate.a_second


class Limiter:
    """What a node counts. `token` and `block` are for all other clients, None: no limit.

    Clients over the loopback and over sockets are held to the rates of their own tokens alone.
    `seconds` tells the time from any start on; `refused` is told by what a call was refused,
    "token" or "address"; `most` is how many of each are remembered.
    """

    def __init__(
        self,
        token: Rate | None,
        block: Rate | None,
        seconds: Callable[[], float],
        refused: Callable[[str], None] = lambda by: None,
        most: int = MOST_BUCKETS,
    ) -> None:
        self._token = token
        self._block = block
        self._site = None if block is None else _times(block, SITE_TIMES)
        self._seconds = seconds
        self._refused = refused
        self._buckets = {"token": Buckets(most), "address": Buckets(most)}

    def look(self, token: Token | None, address: str | None) -> None:
        """Raises TooManyCalls where a call would be one too many now."""
        now, dues = self._seconds(), list(self._dues(token, address))
        for by, key, rate in dues:
            wait = self._buckets[by].wait(key, rate, now)
            if wait:
                self._keep(dues)
                self._refused(by)
                raise _too_many(by, key, wait)

    def count(self, token: Token | None, address: str | None) -> None:
        """Count a call; raises TooManyCalls, and then nothing is counted."""
        dues = list(self._dues(token, address))
        if dues:
            self.look(token, address)
            now = self._seconds()
            for by, key, rate in dues:
                self._buckets[by].take(key, rate, now)

    def _keep(self, dues: list[tuple[str, Hashable, Rate]]) -> None:
        """Who is refused is not forgotten before others, or he would have another burst."""
        for by, key, _rate in dues:
            self._buckets[by].keep(key)

    def _dues(
        self, token: Token | None, address: str | None
    ) -> Iterator[tuple[str, Hashable, Rate]]:
        block = None if address is None else block_of(address)
        if token is not None:
            rate = rate_of(token.rate) or (None if block is None else self._token)
            if rate is not None:
                yield "token", token.name, rate
        if block is not None and self._block is not None and self._site is not None:
            yield "address", block, self._block
            site = site_of(block)
            if site is not None:
                yield "address", site, self._site


@lru_cache(maxsize=1024)
def block_of(address: str) -> str | None:
    """The block of an address, such as `192.0.2.0/24`; None for one of the loopback."""
    parsed = plain(address)
    if parsed.is_loopback:
        return None
    return _within(parsed, IPV4_BITS if parsed.version == 4 else IPV6_BITS)


@lru_cache(maxsize=1024)
def site_of(block: str) -> str | None:
    """The site of an IPv6 block, such as `2001:db8:1::/48`; None for one of IPv4."""
    parsed = plain(block.partition("/")[0])
    return None if parsed.version == 4 else _within(parsed, SITE_BITS)


def _within(address: IPv4Address | IPv6Address, bits: int) -> str:
    rest = address.max_prefixlen - bits
    return f"{type(address)(int(address) >> rest << rest)}/{bits}"


def _times(rate: Rate, number: int) -> Rate:
    return Rate(rate.a_second * number, rate.burst * number)


def _too_many(by: str, key: Hashable, wait: float) -> TooManyCalls:
    whose = f"the token {key}" if by == "token" else f"clients in {key}"
    return TooManyCalls(
        f"{whose} may make the next call in {wait:.3f} seconds",
        details={"retry_seconds": math.ceil(wait * 1000) / 1000},
    )
