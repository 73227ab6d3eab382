"""Which block of a pool is given out next.

The *best fit*: of the free blocks that are large enough the smallest, of these the lowest, and of
it the lowest part. So large blocks stay whole as long as can be, and the choice follows from what
is free and nothing else: every node that knows the same chooses the same.

What counts as given out of a pool is whatever lies within it and is smaller than it, for whichever
purpose and node. A range as large as its node's pool, or larger, says something about the pool, and
takes nothing of it: a node may well serve the whole of its pool. So a pool is never given out in
one block.

On top of a database. `next_free` reads rows in order and keeps none; with a hundred thousand of
them that takes nearly a tenth of a second, besides the reading. For more there is
`free_space.FreeSpace`, which knows the free blocks of a pool and changes with every range that
comes and goes; or a table of the free blocks, with `best` as `WHERE length <= ? ORDER BY length
DESC, first LIMIT 1` and `rest` as the rows to write. Either way the parent's row is locked, and
whether anything is in the way of the block is asked of the database before it is written.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from uuid import UUID

from service.ranges.arithmetic import free, split
from service.ranges.blocks import BITS, Block
from service.ranges.errors import AllocationRefused
from service.ranges.values import Purpose, Range

Cursor = Callable[[Block], Iterable[Block]]
"""What is within a pool: blocks in order, which may nest."""


def given_out(pool: Block, blocks: Iterable[Block]) -> Iterator[Block]:
    """Those of the blocks that take something of a pool, in their order."""
    return (block for block in blocks if pool.length < block.length and pool.holds(block))


def free_of(pool: Block, blocks: Iterable[Block]) -> Iterator[Block]:
    """What a pool has to give: the fewest blocks, in order; its halves where all of it is free.

    `blocks` are in order, as for `arithmetic.free`: all ranges within the pool, pools as well.
    """
    for block in free(pool, given_out(pool, blocks)):
        if block != pool:
            yield block
        elif pool.size > 1:
            yield from split(pool, pool.length + 1)


def best(length: int, blocks: Iterable[Block]) -> Block | None:
    """The free block to cut one of this length from; None where none is large enough.

    The blocks come in order; the first that fits exactly is the answer, and no more are read.
    """
    found: Block | None = None
    for block in blocks:
        if block.length == length:
            return block
        if block.length < length and (found is None or block.length > found.length):
            found = block
    return found


def cut(block: Block, length: int) -> Block:
    """The lowest block of this length in a block."""
    return Block(block.family, block.first, length)


def rest(block: Block, part: Block) -> list[Block]:
    """What is left of a block without a part of it: the fewest blocks, in order."""
    return list(free(block, [part]))


def next_free(length: int, pools: Sequence[Block], cursor: Cursor) -> Block:
    """The next block of this length out of any of the pools: at least one, all of one family.

    `cursor` is called with each pool in turn. Raises AllocationRefused as `refuse_length` does, and
    `range.exhausted`.
    """
    refuse_length(length, pools)
    largest: list[Block] = []
    found: Block | None = None
    for pool in sorted(set(pools)):
        if found is not None and found.length == length and found < pool:
            break
        offer = best(length, noting(largest, free_of(pool, cursor(pool))))
        found = preferred(each for each in (found, offer) if each is not None)
    if found is None:
        raise exhausted(length, pools, best_of(largest))
    return cut(found, length)


def noting(largest: list[Block], blocks: Iterable[Block]) -> Iterator[Block]:
    """The same blocks; each that is larger than all before, or as large and lower, is noted.

    Pools nest, so what comes later is not always higher.
    """
    for block in blocks:
        if best_of([*largest[-1:], block]) is block:
            largest.append(block)
        yield block


def preferred(blocks: Iterable[Block]) -> Block | None:
    """Of free blocks that are all large enough the smallest, of these the lowest; if any."""
    return min(blocks, key=lambda block: (-block.length, block), default=None)


def best_of(blocks: Iterable[Block]) -> Block | None:
    """The largest block, of these the lowest; None where there are none."""
    return min(blocks, key=lambda block: (block.length, block), default=None)


def refuse_length(length: int, pools: Sequence[Block]) -> None:
    """Refuse a length of which no block can ever come out of these pools, all of one family.

    Raises AllocationRefused: `range.length` where there is no such prefix, `range.larger` where
    every pool is too small.
    """
    longest = BITS[pools[0].family]
    if not 0 <= length <= longest:
        fault = f"/{length} is no prefix of IPv{pools[0].family}"
        raise AllocationRefused("range.length", f"{fault}; name a length from 1 to {longest}")
    largest = min(pools, key=lambda pool: pool.length)
    if length > largest.length:
        return
    if largest.length == longest:
        fault = f"the pool {largest} is a single address, out of which nothing can be given"
        raise AllocationRefused("range.larger", f"{fault}; give the node a larger pool")
    as_large = "as large as" if length == largest.length else "larger than"
    fault = f"a /{length} is {as_large} the pool {largest}, which is never given out whole"
    raise AllocationRefused("range.larger", f"{fault}; ask for /{largest.length + 1} or longer")


def exhausted(length: int, pools: Sequence[Block], largest: Block | None) -> AllocationRefused:
    """The error of pools in which no block of this length is free."""
    where = "the pool" if len(set(pools)) == 1 else "any of the pools"
    names = ", ".join(map(str, sorted(set(pools))[:3])) + (", …" if len(set(pools)) > 3 else "")
    fault = f"no /{length} is free in {where} {names}"
    if largest is None:
        hint = "nothing is free there; release ranges, or give the node another pool"
    else:
        hint = f"/{largest.length} is the largest that is, at {largest}; ask for that or longer"
    return AllocationRefused("range.exhausted", f"{fault}; {hint}", largest)


def usable_pools(
    node: str,
    family: int,
    ranges: Iterable[Range],
    disputed: Collection[UUID] = (),
    named: Block | None = None,
) -> list[Block]:
    """The pools of one family that a node may give blocks out of: all, or the one that is named.

    Raises AllocationRefused: `range.no_pool` where there is none, `range.foreign_pool` where the
    named one is another node's, `range.disputed` where each is disputed.
    """
    pools = [each for each in ranges if each.purpose is Purpose.POOL]
    fitting = [
        each for each in pools if named in (None, each.block) and each.block.family == family
    ]
    own = [each for each in fitting if each.node == node]
    if not own:
        raise _no_pool(node, family, fitting, named)
    usable = sorted({each.block for each in own if each.id not in disputed})
    if not usable:
        names = ", ".join(str(each.block) for each in own[:3])
        fault = f"{names}: disputed by a node with an earlier claim, so nothing is given out of it"
        hint = "release one of the two ranges, or give the node another pool"
        raise AllocationRefused("range.disputed", f"{fault}; {hint}")
    return usable


def _no_pool(
    node: str, family: int, fitting: Sequence[Range], named: Block | None
) -> AllocationRefused:
    """The error of a node that has no such pool."""
    if named is None:
        fault = f"{node} has no IPv{family} pool; give it one"
        return AllocationRefused("range.no_pool", fault)
    if not fitting or named.family != family:
        return AllocationRefused("range.no_pool", f"there is no IPv{family} pool {named}")
    fault = f"{fitting[0]}; {node} gives nothing out of it: ask {fitting[0].node}, or split it"
    return AllocationRefused("range.foreign_pool", fault)
