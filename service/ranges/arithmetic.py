"""What can be done with blocks: see what is in the way, split, merge, find what is free, count."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import NamedTuple

from service.ranges.blocks import BITS, FAMILIES, Block, between, in_order, spanning
from service.ranges.errors import BlocksRefused
from service.ranges.values import Purpose, Range

MOST_PARTS = 4_096
"""Into how many blocks one may be split at once: a /20 into /32, or a /52 into /64."""

_MOST_NAMED = 3


class Total(NamedTuple):
    """How much of one family is given out for one purpose.

    `ranges` counts ranges. `blocks` are the fewest blocks that make up the same addresses, and
    `addresses` are counted once, however many ranges hold them.
    """

    purpose: Purpose
    family: int
    ranges: int
    blocks: int
    addresses: int


def in_the_way(block: Block, others: Iterable[Block]) -> Block | None:
    """The first in order of the other blocks that has any address of this one; None if none has."""
    return min((other for other in others if other.meets(block)), default=None)


def refuse_overlaps(block: Block, others: Iterable[Block]) -> None:
    """Raise BlocksRefused (`range.overlap`) with the block that is in the way, if one is."""
    obstacle = in_the_way(block, others)
    if obstacle is not None:
        fault = f"{block} {_relation(block, obstacle)} {obstacle}, which is in the way"
        raise BlocksRefused("range.overlap", fault, [obstacle])


def _relation(block: Block, other: Block) -> str:
    """How two blocks that meet lie to each other."""
    if block == other:
        return "is"
    return "lies within" if other.holds(block) else "contains"


def split(block: Block, length: int, most: int = MOST_PARTS) -> tuple[Block, ...]:
    """The block cut into blocks of a longer prefix, in order.

    Raises BlocksRefused: `range.split` where no block of that length is part of it,
    `range.too_many` where there are more than `most`.
    """
    longest = BITS[block.family]
    if not block.length < length <= longest:
        raise BlocksRefused("range.split", _why_unsplit(block, length), [block])
    parts = 1 << (length - block.length)
    if parts > most:
        nearest = block.length + most.bit_length() - 1
        fault = f"{block} has {parts:,} blocks of /{length}; at most {most:,} are made at once"
        raise BlocksRefused("range.too_many", f"{fault}: split into /{nearest} first", [block])
    size = 1 << (longest - length)
    return tuple(Block(block.family, block.first + n * size, length) for n in range(parts))


def _why_unsplit(block: Block, length: int) -> str:
    """What to say where a block has no parts of this length."""
    longest = BITS[block.family]
    if block.length == longest:
        return f"{block} is a single address, which has no parts"
    hint = f"name a length from {block.length + 1} to {longest}"
    return f"{block} cannot be split into /{length}; {hint}"


def merge(blocks: Iterable[Block]) -> Block:
    """The one block that has exactly the addresses of all of these.

    Raises BlocksRefused: `range.merge_empty`, `range.merge_families`, or `range.merge_gap` with
    `blocks`, the ones that are missing.
    """
    parts = sorted(blocks)
    if not parts:
        raise BlocksRefused("range.merge_empty", "there is nothing to merge; name two blocks")
    if parts[0].family != parts[-1].family:
        fault = f"{parts[0]} and {parts[-1]} are of two families; merge each by itself"
        raise BlocksRefused("range.merge_families", fault)
    whole = spanning(parts[0].family, parts[0].first, max(part.last for part in parts))
    missing = list(free(whole, parts))
    if missing:
        fault = f"{_named(parts)} make no single block: {whole} has {_named(missing)} as well"
        raise BlocksRefused("range.merge_gap", fault, missing)
    return whole


def _named(blocks: list[Block]) -> str:
    """Some blocks, as part of a sentence."""
    more = len(blocks) - _MOST_NAMED
    named = [*map(str, blocks[:_MOST_NAMED]), *([f"{more:,} more"] if more > 0 else [])]
    return " and ".join([", ".join(named[:-1]), named[-1]] if len(named) > 1 else named)


def free(pool: Block, given: Iterable[Block]) -> Iterator[Block]:
    """What is free of a pool: the fewest blocks, in order, without any address that is given out.

    `given` are blocks in order, such as rows of a cursor; they may nest, and lie outside the pool.
    They are read as far as needed for what is asked of the result, and none is kept.
    ValueError where they are not in order.
    """
    low = pool.first
    for block in in_order(given):
        if block.family != pool.family or block.last < low:
            continue
        if block.first > pool.last:
            break
        if block.first > low:
            yield from between(pool.family, low, block.first - 1)
        low = block.last + 1
    if low <= pool.last:
        yield from between(pool.family, low, pool.last)


def joined(blocks: Iterable[Block]) -> Iterator[Block]:
    """The fewest blocks, in order, that have exactly the addresses of all of these.

    The same as netaddr's `cidr_merge`, on plain numbers.
    """
    for family, some in groupby(sorted(blocks), key=lambda block: block.family):
        for first, last in _stretches(some):
            yield from between(family, first, last)


def _stretches(blocks: Iterable[Block]) -> Iterator[tuple[int, int]]:
    """First and last address of each stretch without a gap, from sorted blocks of one family."""
    stretch: tuple[int, int] | None = None
    for block in blocks:
        if stretch is not None and block.first <= stretch[1] + 1:
            stretch = stretch[0], max(stretch[1], block.last)
            continue
        if stretch is not None:
            yield stretch
        stretch = block.first, block.last
    if stretch is not None:
        yield stretch


def summary(ranges: Iterable[Range]) -> list[Total]:
    """A total for each purpose and each family, whether there is anything of it or not."""
    found: dict[tuple[Purpose, int], list[Block]] = {
        (purpose, family): [] for purpose in Purpose for family in FAMILIES
    }
    for each in ranges:
        found[each.purpose, each.block.family].append(each.block)
    return [_total(purpose, family, blocks) for (purpose, family), blocks in found.items()]


def _total(purpose: Purpose, family: int, blocks: list[Block]) -> Total:
    """The total of blocks of one family."""
    fewest = list(joined(blocks))
    return Total(purpose, family, len(blocks), len(fewest), sum(block.size for block in fewest))
