"""What is kept up to date, against what is reckoned anew: free space, lookup, disputes."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.ranges.allocation import free_of, given_out, next_free
from service.ranges.blocks import BITS, Address, Block, aligned
from service.ranges.disputes import against, disputes, excluded
from service.ranges.errors import AllocationRefused
from service.ranges.free_space import FreeSpace, take
from service.ranges.lookup import Locator
from service.ranges.prefixes import Prefixes
from service.ranges.values import Purpose, Range
from tests.service.ranges.small import (
    SPACES,
    addresses,
    all_addresses,
    blocks,
    ranges,
    sets,
    space_and_blocks,
    within,
)

Given = tuple[Block, list[Block]]


@pytest.mark.parametrize("space", SPACES, ids=str)
@settings(deadline=None)
@given(data=st.data())
def test_free_space_stays_what_it_would_be_reckoned_anew(space: Block, data: st.DataObject) -> None:
    """Whatever is taken, occupied and released, nested or twice."""
    pool = data.draw(within(space).filter(lambda block: block.size > 1))
    known = sorted(data.draw(sets(space, 6)))
    index = FreeSpace(pool, known)
    for _ in range(data.draw(st.integers(1, 8))):
        match data.draw(st.sampled_from(["take", "occupy", "release"])):
            case "take":
                known = taken(
                    index, known, data.draw(st.integers(pool.length + 1, space.length + 6))
                )
            case "occupy":
                block = data.draw(within(space))
                index.occupy(block)
                known = sorted([*known, block])
            case _ if known:
                block = data.draw(st.sampled_from(known))
                known.remove(block)
                index.give_back(block, [each for each in known if each.meets(block)])
        assert list(index) == list(free_of(pool, known))
        assert all_addresses(index) == addresses(pool) - all_addresses(given_out(pool, known))


def outcome(allocate: Callable[[], Block]) -> Block | str:
    """The block, or why there is none."""
    try:
        return allocate()
    except AllocationRefused as refused:
        return refused.message


def taken(index: FreeSpace, known: list[Block], length: int) -> list[Block]:
    """Take a block of the index, the same as is found without it; what is given out then."""
    expected = outcome(lambda: next_free(length, [index.pool], lambda _pool: known))
    assert outcome(lambda: take(length, [index])) == expected
    if isinstance(expected, str):
        return known
    assert not addresses(expected) & all_addresses(given_out(index.pool, known))
    return sorted([*known, expected])


@settings(deadline=None)
@given(space_and_blocks(), st.data())
def test_several_pools_give_the_same_block_by_cursor_and_by_index(
    drawn: Given, data: st.DataObject
) -> None:
    """Pools of one node may nest or be there twice."""
    space, some = drawn
    pools = data.draw(st.lists(within(space), min_size=1, max_size=4))
    same_by_cursor_and_by_index(data.draw(st.integers(space.length, space.length + 6)), pools, some)


def same_by_cursor_and_by_index(length: int, pools: list[Block], some: list[Block]) -> str:
    """Both ways come to the same, which is told; what a refusal names is the best that is free."""
    spaces = [FreeSpace(pool, sorted(some)) for pool in pools]
    left = [block for pool in pools for block in free_of(pool, sorted(some))]
    expected = outcome(lambda: next_free(length, pools, lambda _pool: sorted(some)))
    assert outcome(lambda: take(length, spaces)) == expected
    if isinstance(expected, str) and left and "is free in" in expected:
        largest = min(left, key=lambda block: (block.length, block))
        assert f"/{largest.length} is the largest that is, at {largest};" in expected
    return str(expected)


def test_of_equal_blocks_in_nested_pools_the_lowest_is_named_that_is_free() -> None:
    """The inner pool has a lower one than the outer, though it comes later."""
    pools = blocks("10.0.0.64/26", "10.0.0.64/29")
    some = blocks("10.0.0.64/28", "10.0.0.80/30", "10.0.0.88/30", "10.0.0.96/27")
    told = same_by_cursor_and_by_index(27, pools, some)
    assert told.endswith("/30 is the largest that is, at 10.0.0.64/30; ask for that or longer")


def served_by(number: int, family: int, known: list[Range]) -> Range | None:
    """Who serves an address, by looking at every range that is not disputed."""
    losers = {dispute.loser for dispute in disputes(known)}
    holding = [
        each
        for each in known
        if each.purpose is Purpose.SERVES
        and each not in losers
        and each.block.family == family
        and number in addresses(each.block)
    ]
    return min(holding, key=lambda each: (-each.block.length, each.precedence), default=None)


@settings(deadline=None)
@given(ranges(), st.data())
def test_an_address_is_located_as_if_every_range_were_looked_at(
    some: list[Range], data: st.DataObject
) -> None:
    """After whatever came and went, in every space; disputed ranges serve nobody."""
    locator = Locator(some)
    gone = data.draw(st.lists(st.sampled_from(some), unique=True)) if some else []
    for each in gone:
        locator.remove(each)
    left = [each for each in some if each not in gone]
    for space in {aligned_space(each.block) for each in some}:
        for number in addresses(space):
            expected = served_by(number, space.family, left)
            assert locator.locate(Address(space.family, number)) == expected


def aligned_space(block: Block) -> Block:
    """The small space that a block lies in."""
    return next(space for space in SPACES if space.holds(block))


@settings(deadline=None)
@given(space_and_blocks())
def test_all_prefixes_of_an_address_are_found(drawn: Given) -> None:
    """The longest first."""
    space, some = drawn
    prefixes: Prefixes[Block] = Prefixes()
    for block in some:
        prefixes.put(block, block)
    for number in addresses(space):
        holding = sorted({each for each in some if number in addresses(each)}, reverse=True)
        found = list(prefixes.all(Address(space.family, number)))
        assert found == holding
        assert prefixes.longest(Address(space.family, number)) == (found[0] if found else None)


@pytest.mark.parametrize("family", BITS)
@settings(deadline=None)
@given(data=st.data())
def test_the_longest_prefix_is_found_among_all_lengths(family: int, data: st.DataObject) -> None:
    """Of blocks that came and went, from everything to one address."""
    bits = BITS[family]
    numbers = st.sampled_from([0, 1, (1 << bits) - 1, 1 << (bits // 2), 0x0A << (bits - 8)])
    drawn = st.builds(aligned, st.just(family), numbers, st.integers(0, bits))
    known: set[Block] = set()
    prefixes: Prefixes[Block] = Prefixes()
    for block in data.draw(st.lists(drawn, max_size=30)):
        prefixes.put(block, block)
        known.add(block)
        if data.draw(st.booleans()):
            prefixes.drop(block)
            known.remove(block)
    assert len(prefixes) == len(known)
    for number in (0, 1, 2, (1 << bits) - 1, 1 << (bits // 2), 0x0A << (bits - 8)):
        holding = sorted(
            (each for each in known if each.first <= number <= each.last), reverse=True
        )
        assert list(prefixes.all(Address(family, number))) == holding
        longest = prefixes.longest(Address(family, number))
        assert longest == (holding[0] if holding else None)


@settings(deadline=None)
@given(ranges(), st.randoms(use_true_random=False))
def test_disputes_are_what_each_range_says_by_itself_in_whatever_order(
    some: list[Range], chance: object
) -> None:
    """The sweep finds for each range what looking at all others finds."""
    expected = {each: rival for each in some if (rival := against(each, some)) is not None}
    assert dict(disputes(some)) == expected
    chance.shuffle(some)  # type: ignore[attr-defined]
    assert dict(disputes(some)) == expected


@settings(deadline=None)
@given(ranges(), st.data())
def test_of_two_that_exclude_each_other_one_stands_at_most_whatever_else_is_known(
    some: list[Range], data: st.DataObject
) -> None:
    """Two nodes that both know the two, and different others, never let one stand each."""
    more = data.draw(st.lists(st.sampled_from(some), unique=True)) if some else []
    here = {dispute.loser for dispute in disputes(some)}
    there = {dispute.loser for dispute in disputes(more)}
    assert there <= here
    for one in more:
        for other in more:
            if excluded(one, other):
                assert one in here or other in there
    standing = [each for each in some if each not in here and each.purpose is Purpose.POOL]
    for one in standing:
        for other in standing:
            assert one.node == other.node or not addresses(one.block) & addresses(other.block)
