"""The free blocks of one pool, kept up to date as ranges come and go.

netaddr's `IPSet` would do, and takes hundreds of times as long for each change at 10,000 blocks
(`bench/ranges.py`).
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Iterable, Iterator, Sequence
from heapq import merge

from service.ranges.allocation import (
    best_of,
    cut,
    exhausted,
    free_of,
    given_out,
    preferred,
    refuse_length,
    rest,
)
from service.ranges.arithmetic import free
from service.ranges.blocks import BITS, Block, aligned


class FreeSpace:
    """What a pool has to give, by prefix length: always the blocks of `allocation.free_of`.

    It is an index of what is written elsewhere, and can be behind it. A block that it offers is
    looked up before it is given out, and told to `occupy` where somebody has it.
    """

    def __init__(self, pool: Block, given: Iterable[Block] = ()) -> None:
        """`given` are blocks in order, as for `arithmetic.free`; ValueError where they are not."""
        self.pool = pool
        self._firsts: list[list[int]] = [[] for _ in range(BITS[pool.family] + 1)]
        for block in free_of(pool, given):
            self._firsts[block.length].append(block.first)

    def __iter__(self) -> Iterator[Block]:
        """The free blocks in order."""
        return merge(*map(self._of_length, range(len(self._firsts))))

    def _of_length(self, length: int) -> Iterator[Block]:
        family = self.pool.family
        return (Block(family, first, length) for first in self._firsts[length])

    def best(self, length: int) -> Block | None:
        """The free block to cut one of this length from; None where none is large enough."""
        for each in range(length, self.pool.length, -1):
            if self._firsts[each]:
                return Block(self.pool.family, self._firsts[each][0], each)
        return None

    def largest(self) -> Block | None:
        """The largest free block, of these the lowest; None where nothing is free."""
        for length, firsts in enumerate(self._firsts):
            if firsts:
                return Block(self.pool.family, firsts[0], length)
        return None

    def occupy(self, block: Block) -> None:
        """A block was given out, by whomever; as often as one likes, and whatever is within it."""
        if not (self.pool.length < block.length and self.pool.holds(block)):
            return
        for length in range(block.length, self.pool.length, -1):
            whole = aligned(block.family, block.first, length)
            if self._remove(whole):
                for left in rest(whole, block):
                    insort(self._firsts[left.length], left.first)
                return
        for firsts in self._firsts[block.length + 1 :]:
            del firsts[bisect_left(firsts, block.first) : bisect_left(firsts, block.last + 1)]

    def give_back(self, block: Block, still: Iterable[Block] = ()) -> None:
        """A block was released.

        `still` are the blocks given out that meet it, in order: what they have of it is not free.
        """
        if not (self.pool.length < block.length and self.pool.holds(block)):
            return
        self.occupy(block)
        for freed in free(block, given_out(self.pool, still)):
            self._add(freed)

    def _add(self, block: Block) -> None:
        """A block is free now, which goes together with its other half where that is free too."""
        bits = BITS[block.family]
        while block.length > self.pool.length + 1:
            half = Block(block.family, block.first ^ (1 << (bits - block.length)), block.length)
            if not self._remove(half):
                break
            block = aligned(block.family, block.first, block.length - 1)
        insort(self._firsts[block.length], block.first)

    def _remove(self, block: Block) -> bool:
        """Whether the block was free; if so, it is not any more."""
        firsts = self._firsts[block.length]
        at = bisect_left(firsts, block.first)
        if at == len(firsts) or firsts[at] != block.first:
            return False
        del firsts[at]
        return True


def take(length: int, spaces: Sequence[FreeSpace]) -> Block:
    """The next block of this length out of any of these pools; it is occupied from then on.

    There is at least one pool, and all are of one family. It is the block that
    `allocation.next_free` chooses, and the errors are the same.
    """
    pools = [space.pool for space in spaces]
    refuse_length(length, pools)
    chosen = preferred(found for space in spaces if (found := space.best(length)) is not None)
    if chosen is None:
        left = (found for space in spaces if (found := space.largest()) is not None)
        raise exhausted(length, pools, best_of(left))
    block = cut(chosen, length)
    # Pools of one node may nest.
    for space in spaces:
        space.occupy(block)
    return block
