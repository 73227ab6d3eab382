"""Which ranges are disputed: nodes that were cut off from each other gave out the same twice.

What excludes each other:

- Pools of different nodes that meet, whichever holds the other. A node gives a pool away by
  splitting it, so that no address is ever in two.
- The very same block served by two nodes. A longer block within it is no dispute, since the longest
  prefix decides.

Nothing else does. What was given out of a pool lies within it; several nodes may have their links
come from one network, or be managed from one.

Of two that exclude each other the earlier claim stands, and the later is disputed *whether or not
the earlier one is disputed itself*. Were it to stand there, a node that has not yet heard of the
third range would let the second stand, another would let this one stand, and both would give out
the same. So too, a range that arrives makes more ranges disputed and none fewer.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import NamedTuple

from service.ranges.allocation import best_of, cut
from service.ranges.arithmetic import free
from service.ranges.blocks import BITS
from service.ranges.errors import BlocksRefused
from service.ranges.values import Purpose, Range, same


class Dispute(NamedTuple):
    """A range that gives nothing out, and the earliest claim that stands against it."""

    loser: Range
    against: Range


def excluded(one: Range, other: Range) -> bool:
    """Whether only one of the two can stand."""
    if one.node == other.node or one.purpose is not other.purpose:
        return False
    if one.purpose is Purpose.POOL:
        return one.block.meets(other.block)
    return one.purpose is Purpose.SERVES and one.block == other.block


def against(one: Range, others: Iterable[Range]) -> Range | None:
    """The earliest claim that stands against a range; None where it is not disputed.

    It suffices to give those that meet it.
    """
    rivals = (each for each in others if each.precedence < one.precedence and excluded(one, each))
    return min(rivals, key=lambda each: each.precedence, default=None)


def disputes(ranges: Iterable[Range]) -> list[Dispute]:
    """Every disputed range, by block; the same whatever the order the ranges come in.

    As `against` says of each, in one sweep over the sorted blocks.
    """
    ordered = sorted(ranges, key=lambda each: (each.block, each.precedence))
    pools = [each for each in ordered if each.purpose is Purpose.POOL]
    serving = [each for each in ordered if each.purpose is Purpose.SERVES]
    found = [*_of_pools(pools), *_of_serving(serving)]
    return sorted(found, key=lambda each: (each.loser.block, each.loser.precedence))


def refuse_clash(new: Range, present: Iterable[Range]) -> None:
    """Refuse a range that somebody adds by hand, where it cannot stand beside what is there.

    `present` need hold only those that meet it. Raises BlocksRefused, with the block in the way:
    `range.taken` where it would be disputed, or is there already; `range.foreign_pool` where it
    lies in the pool of another node, which may give it out at any moment.
    """
    ordered = sorted(present, key=lambda each: each.precedence)
    for each in ordered:
        if excluded(new, each) or same(new, each):
            fault = f"{new.block} cannot be given to {new.node} as {new.purpose}: there is {each}"
            hint = _instead(new, each, ordered)
            raise BlocksRefused("range.taken", f"{fault}; {hint}", [each.block])
        if in_foreign_pool(new, each):
            fault = f"{new.block} lies in {each}: let {each.node} give it out, or split the pool"
            raise BlocksRefused("range.foreign_pool", fault, [each.block])


def _instead(new: Range, each: Range, present: Iterable[Range]) -> str:
    """What would work instead of a range that another one excludes."""
    if same(new, each):
        return "it is so already"
    if new.purpose is Purpose.SERVES and new.block.length < BITS[new.block.family]:
        half = cut(new.block, new.block.length + 1)
        return f"blocks within it may be served, such as {half}"
    if new.block == each.block:
        return "name another block, or release that one first"
    if each.block.holds(new.block):
        return f"{each.node} can give it away by splitting that pool"
    pools = sorted(other.block for other in present if excluded(new, other))
    largest = best_of(free(new.block, pools))
    if largest is None:
        return "all of it is pools of other nodes"
    return f"the largest block in it that no other node has as a pool is {largest}"


def in_foreign_pool(one: Range, other: Range) -> bool:
    """Whether the first uses space of the other, which is a pool of another node.

    Peers and admin use none: they say who may come in from there.
    """
    return (
        one.purpose is Purpose.SERVES
        and other.purpose is Purpose.POOL
        and other.node != one.node
        and other.block.holds(one.block)
    )


class Earliest(NamedTuple):
    """Of some ranges the earliest claim, and the earliest by any node but that one."""

    first: Range | None = None
    rival: Range | None = None

    def beside(self, each: Range | None) -> Earliest:
        """The same with one more range."""
        first, rival = self
        if each is None:
            return self
        if first is None or each.precedence < first.precedence:
            return Earliest(each, rival if first is None or first.node == each.node else first)
        if each.node == first.node:
            return self
        if rival is None or each.precedence < rival.precedence:
            return Earliest(first, each)
        return self

    def joined(self, other: Earliest) -> Earliest:
        """The same with all the ranges of another."""
        return self.beside(other.first).beside(other.rival)

    def but(self, node: str) -> Range | None:
        """The earliest claim by any other node."""
        return self.rival if self.first is not None and self.first.node == node else self.first


class _Open:
    """A pool that the sweep is within: what holds it, and what it holds so far."""

    def __init__(self, pool: Range, above: Earliest) -> None:
        self.pool, self.above, self.below = pool, above, Earliest()

    def dispute(self) -> Iterator[Dispute]:
        """The dispute of this pool, once all that it holds was seen."""
        rival = self.above.joined(self.below).but(self.pool.node)
        if rival is not None and rival.precedence < self.pool.precedence:
            yield Dispute(self.pool, rival)


def _of_pools(pools: Iterable[Range]) -> Iterator[Dispute]:
    """The disputes of pools in order. Of equal blocks one holds the next."""
    stack: list[_Open] = []
    for pool in pools:
        while stack and not stack[-1].pool.block.holds(pool.block):
            yield from _closed(stack)
        above = stack[-1].above.beside(stack[-1].pool) if stack else Earliest()
        stack.append(_Open(pool, above))
    while stack:
        yield from _closed(stack)


def _closed(stack: list[_Open]) -> Iterator[Dispute]:
    """Leave the innermost pool: whatever it holds, the one around it holds too."""
    inner = stack.pop()
    if stack:
        stack[-1].below = stack[-1].below.joined(inner.below).beside(inner.pool)
    return inner.dispute()


def _of_serving(serving: Iterable[Range]) -> Iterator[Dispute]:
    """The disputes of who serves, by block and within that by claim."""
    for _block, claims in groupby(serving, key=lambda each: each.block):
        first, *later = claims
        # The first stands against all others but its own node's; against those, the first other.
        earliest = Earliest(first)
        for each in later:
            rival = earliest.but(each.node)
            if rival is not None:
                yield Dispute(each, rival)
            earliest = earliest.beside(each)
