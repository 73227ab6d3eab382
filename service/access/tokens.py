"""A token, and all tokens of a node."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeAlias

from service.access.roles import Role
from service.addresses import plain

Network: TypeAlias = ipaddress.IPv4Network | ipaddress.IPv6Network

MOST_TOKENS = 1_000
"""Of one node, for the file of them to stay small."""


@dataclass(frozen=True)
class Token:
    """What is kept of a token. Without `ranges` it is for anywhere. Moments know their zone.

    `rate` is how many calls a second it is good for, where that was said of it.
    """

    name: str
    digest: bytes = field(repr=False)
    role: Role
    made: datetime
    ranges: tuple[Network, ...] = ()
    until: datetime | None = None
    rate: float | None = None

    def is_over(self, now: datetime) -> bool:
        """Whether it counts no more."""
        return self.until is not None and now >= self.until

    def is_for(self, address: str | None) -> bool:
        """Whether it may be used from an address; None is a client that has none, on a socket."""
        if not self.ranges:
            return True
        return address is not None and any(plain(address) in each for each in self.ranges)


class Book:
    """The tokens of a node, by name; they are never changed, another book takes its place."""

    def __init__(self, tokens: Iterable[Token] = ()) -> None:
        self._by_name = {token.name: token for token in tokens}
        self._by_digest = {token.digest: token for token in self._by_name.values()}

    def __iter__(self) -> Iterator[Token]:
        """The tokens, by name."""
        return (self._by_name[name] for name in sorted(self._by_name))

    def __len__(self) -> int:
        return len(self._by_name)

    def named(self, name: str) -> Token | None:
        """The token of this name."""
        return self._by_name.get(name)

    def find(self, digest: bytes) -> Token | None:
        """The token with this digest.

        A plain look-up: how long it takes may tell of digests, and nobody finds the 256 bits of
        chance behind one, nor a secret whose digest is near to another.
        """
        return self._by_digest.get(digest)

    def with_token(self, token: Token) -> Book:
        """The book with one more."""
        return Book([*self._by_name.values(), token])

    def without(self, name: str) -> Book:
        """The book without one."""
        return Book(token for token in self._by_name.values() if token.name != name)
