"""Which node serves an address: the longest prefix, and of several claims to one the earliest."""

from __future__ import annotations

from collections.abc import Iterable

from service.ranges.blocks import Address, Block
from service.ranges.prefixes import Prefixes
from service.ranges.values import Purpose, Range


class Locator:
    """The ranges by which clients find their node, kept up to date as they come and go.

    Of several claims to one block it knows all and heeds the earliest. So the disputed ones (as
    `disputes.disputes` tells them) never count, and need not be told; and where the earliest is
    released, the next stands.
    """

    def __init__(self, ranges: Iterable[Range] = ()) -> None:
        self._claims: dict[Block, list[Range]] = {}
        self._standing: Prefixes[Range] = Prefixes()
        for each in ranges:
            self.add(each)

    def locate(self, address: Address) -> Range | None:
        """The range that decides which node serves an address; None where none holds it."""
        return self._standing.longest(address)

    def add(self, new: Range) -> None:
        """One more range, of which only `serves` counts. One that has changed is removed first."""
        if new.purpose is not Purpose.SERVES:
            return
        self._set(new.block, [*self._claims.get(new.block, ()), new])

    def remove(self, gone: Range) -> None:
        """A range, as it was added, is no more; nothing happens where it is not known."""
        claims = self._claims.get(gone.block, ())
        left = [each for each in claims if each.id != gone.id]
        if len(left) < len(claims):
            self._set(gone.block, left)

    def _set(self, block: Block, claims: list[Range]) -> None:
        """These are the claims to a block now."""
        if claims:
            self._claims[block] = claims
            self._standing.put(block, min(claims, key=lambda each: each.precedence))
        else:
            del self._claims[block]
            self._standing.drop(block)
