"""Every operation on blocks against sets of integers, in small spaces of both families."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise

import netaddr
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.ranges import arithmetic
from service.ranges.allocation import best, cut, given_out, next_free, rest
from service.ranges.blocks import BITS, Address, Block, aligned, between, spanning
from service.ranges.errors import AllocationRefused, BlocksRefused
from service.ranges.values import Purpose, Range
from tests.service.ranges.small import (
    addresses,
    all_addresses,
    ranges,
    space_and_blocks,
    spaces,
    within,
)

Given = tuple[Block, list[Block]]


def check_fewest(found: Iterable[Block], numbers: set[int]) -> None:
    """That blocks are in order, are exactly these addresses, and could not be fewer."""
    found = list(found)
    assert found == sorted(found)
    assert sum(block.size for block in found) == len(numbers)
    assert all_addresses(found) == numbers
    merged = netaddr.cidr_merge([block.network for block in found])
    assert [block.network for block in found] == merged


def parts_of(space: Block, length: int) -> list[Block]:
    """All blocks of a length in a space, one after the other."""
    size = 1 << (BITS[space.family] - length)
    return [Block(space.family, n, length) for n in range(space.first, space.last + 1, size)]


@settings(deadline=None)
@given(space_and_blocks())
def test_blocks_are_sets_of_addresses(drawn: Given) -> None:
    """First, last, size, and how two lie to each other."""
    space, some = drawn
    for one in [space, *some]:
        numbers = addresses(one)
        assert (one.first, one.last, one.size) == (min(numbers), max(numbers), len(numbers))
        for other in some:
            assert one.holds(other) == (numbers >= addresses(other))
            assert one.meets(other) == bool(numbers & addresses(other))
            assert one.meets(other) == (one.holds(other) or other.holds(one))


@settings(deadline=None)
@given(space_and_blocks())
def test_sorted_blocks_come_after_what_holds_them(drawn: Given) -> None:
    """On this the sweeps rely."""
    ordered = sorted(drawn[1])
    for one, other in pairwise(ordered):
        assert one.first <= other.first
        assert one.holds(other) or other.first > one.last
        assert not other.holds(one) or one == other


@settings(deadline=None)
@given(spaces, st.data())
def test_a_stretch_of_addresses_is_its_fewest_blocks(space: Block, data: st.DataObject) -> None:
    """And the smallest block around it is the smallest."""
    low, high = sorted(data.draw(st.tuples(*[st.integers(space.first, space.last)] * 2)))
    check_fewest(between(space.family, low, high), set(range(low, high + 1)))
    around = spanning(space.family, low, high)
    assert addresses(around) >= {low, high}
    if low < high:
        halves = parts_of(around, around.length + 1)
        assert not any(addresses(half) >= {low, high} for half in halves)


@settings(deadline=None)
@given(space_and_blocks(), st.data())
def test_what_is_in_the_way_has_an_address_of_the_block(drawn: Given, data: st.DataObject) -> None:
    """The first in order; none is found where there is none."""
    space, some = drawn
    block = data.draw(within(space))
    meeting = sorted(each for each in some if addresses(each) & addresses(block))
    assert arithmetic.in_the_way(block, some) == (meeting[0] if meeting else None)
    if meeting:
        with pytest.raises(BlocksRefused) as refused:
            arithmetic.refuse_overlaps(block, some)
        assert refused.value.blocks == (meeting[0],)


@settings(deadline=None)
@given(spaces.flatmap(within), st.integers(0, 128), st.integers(1, 64))
def test_a_split_is_the_same_addresses_in_equal_parts(block: Block, length: int, most: int) -> None:
    """Or is refused, and nothing is made."""
    longest = BITS[block.family]
    if block.length < length <= longest and 1 << (length - block.length) <= most:
        parts = arithmetic.split(block, length, most)
        assert list(parts) == parts_of(block, length)
        assert all_addresses(parts) == addresses(block)
        assert arithmetic.merge(parts) == block
    else:
        with pytest.raises(BlocksRefused):
            arithmetic.split(block, length, most)


@settings(deadline=None)
@given(space_and_blocks())
def test_merging_gives_one_block_or_tells_what_it_lacks(drawn: Given) -> None:
    """Together with that it is one."""
    some = drawn[1]
    missing = gap_in(some)
    assert not all_addresses(missing) & all_addresses(some)
    if some:
        whole = arithmetic.merge([*some, *missing])
        assert addresses(whole) == all_addresses([*some, *missing])
        assert all(all_addresses(some) - addresses(half) for half in halves_of(whole))


@settings(deadline=None)
@given(space_and_blocks(), st.data())
def test_free_space_is_the_pool_without_what_is_given_out(
    drawn: Given, data: st.DataObject
) -> None:
    """In the fewest blocks; whatever nests, and whatever lies outside."""
    space, some = drawn
    pool = data.draw(within(space))
    check_fewest(arithmetic.free(pool, sorted(some)), addresses(pool) - all_addresses(some))


@settings(deadline=None)
@given(space_and_blocks(), space_and_blocks())
def test_joined_blocks_are_the_same_addresses(one: Given, other: Given) -> None:
    """In the fewest blocks, also of two families at once."""
    found = list(arithmetic.joined(one[1] + other[1]))
    for family in BITS:
        mine = [block for block in one[1] + other[1] if block.family == family]
        check_fewest((each for each in found if each.family == family), all_addresses(mine))
    assert found == sorted(found)


@settings(deadline=None)
@given(ranges())
def test_totals_count_each_address_once(some: list[Range]) -> None:
    """By purpose and family."""
    for purpose, family, number, blocks, size in arithmetic.summary(some):
        mine = [r.block for r in some if r.purpose is purpose and r.block.family == family]
        assert number == len(mine)
        assert size == len(all_addresses(mine))
        assert blocks == len(list(arithmetic.joined(mine)))
    assert len(arithmetic.summary(some)) == 2 * len(Purpose)


def gap_in(some: list[Block]) -> tuple[Block, ...]:
    """What merging lacks to make one block of these; nothing where they are one."""
    try:
        arithmetic.merge(some)
    except BlocksRefused as refused:
        return refused.blocks
    return ()


def halves_of(block: Block) -> list[Block]:
    """The halves of a block; none of a single address."""
    return parts_of(block, block.length + 1) if block.size > 1 else []


def largest_free(block: Block, pool: Block, free: set[int]) -> Block:
    """The largest block around a free one that is free as a whole."""
    around = (aligned(block.family, block.first, n) for n in range(pool.length, block.length + 1))
    return next(each for each in around if addresses(each) <= free)


@settings(deadline=None)
@given(space_and_blocks(), st.data())
def test_the_next_free_block_is_the_best_fit(drawn: Given, data: st.DataObject) -> None:
    """Of all that are free the one in the smallest gap, then the lowest; or there is none."""
    space, some = drawn
    pool = data.draw(within(space))
    some = sorted(some)
    length = data.draw(st.integers(pool.length + 1, space.length + 6)) if pool.size > 1 else 128
    free = addresses(pool) - all_addresses(given_out(pool, some))
    whole = parts_of(pool, length) if pool.size > 1 else []
    fits = [
        (largest_free(each, pool, free).size, each) for each in whole if addresses(each) <= free
    ]
    if fits:
        assert next_free(length, [pool], lambda _pool: some) == min(fits)[1]
    else:
        with pytest.raises(AllocationRefused) as refused:
            next_free(length, [pool], lambda _pool: some)
        largest = refused.value.largest
        assert (largest is None) == (not free or pool.size == 1)
        assert largest is None or addresses(largest) <= free
        assert largest is None or largest.length > length


@settings(deadline=None)
@given(spaces.flatmap(within), st.integers(0, 6))
def test_what_is_cut_off_and_what_is_left_are_the_whole(block: Block, deeper: int) -> None:
    """In the fewest blocks."""
    part = cut(block, min(block.length + deeper, BITS[block.family]))
    check_fewest(rest(block, part), addresses(block) - addresses(part))
    assert best(part.length, [block]) == block
    assert best(block.length - 1, [block]) is None


@settings(deadline=None)
@given(spaces.flatmap(within), st.integers(0, 2**128))
def test_packed_addresses_compare_as_the_addresses_do(block: Block, number: int) -> None:
    """Within a family, an address is in a block by its bytes where it is by its number."""
    one = Block(block.family, number % (1 << BITS[block.family]), BITS[block.family])
    first, last = block.packed
    assert (first <= one.packed[0] <= last) == block.holds(one)
    assert str(Address(one.family, one.first)) == str(one).partition("/")[0]
