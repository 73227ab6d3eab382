"""Which block is given out next, and why none can be."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import pytest

from service.ranges.allocation import Cursor, next_free, usable_pools
from service.ranges.blocks import Block
from service.ranges.errors import AllocationRefused
from service.ranges.free_space import FreeSpace, take
from tests.service.ranges.small import block, blocks, range_of

Allocate = Callable[[int, list[Block], Iterable[Block]], Block]


def by_cursor(length: int, pools: list[Block], given: Iterable[Block]) -> Block:
    """From rows in order."""
    return next_free(length, pools, lambda _pool: given)


def by_index(length: int, pools: list[Block], given: Iterable[Block]) -> Block:
    """From the free blocks in memory."""
    return take(length, [FreeSpace(pool, given) for pool in pools])


both_ways = pytest.mark.parametrize("allocate", [by_cursor, by_index])


@both_ways
def test_the_first_block_is_the_lowest(allocate: Allocate) -> None:
    """Of a pool of which nothing is given out."""
    assert allocate(24, blocks("10.0.0.0/16"), []) == block("10.0.0.0/24")
    assert allocate(64, blocks("2001:db8::/48"), []) == block("2001:db8::/64")
    assert allocate(1, blocks("0.0.0.0/0"), []) == block("0.0.0.0/1")


@both_ways
def test_the_smallest_gap_that_fits_is_used_first(allocate: Allocate) -> None:
    """Lower ones that are larger stay whole."""
    given = blocks("10.0.64.0/18", "10.0.129.0/24")
    assert allocate(24, blocks("10.0.0.0/16"), given) == block("10.0.128.0/24")
    assert allocate(23, blocks("10.0.0.0/16"), given) == block("10.0.130.0/23")
    assert allocate(18, blocks("10.0.0.0/16"), given) == block("10.0.0.0/18")


@both_ways
def test_the_best_of_several_pools_is_used(allocate: Allocate) -> None:
    """The smallest gap of all; of equal ones the lowest, whatever the order of the pools."""
    pools = [block("10.9.0.0/20"), block("10.1.0.0/16"), block("10.5.0.0/20")]
    assert allocate(24, pools, []) == block("10.5.0.0/24")
    assert allocate(20, [block("10.1.0.0/16")], []) == block("10.1.0.0/20")


@both_ways
def test_a_pool_within_a_pool_is_given_out_of_it_and_never_whole(allocate: Allocate) -> None:
    """Nor is it what an exhausted node is told to ask for."""
    pools = blocks("10.0.0.0/24", "10.0.0.0/26")
    given = blocks("10.0.0.0/26", "10.0.0.64/26", "10.0.0.128/25")
    assert allocate(27, pools, given) == block("10.0.0.0/27")
    with pytest.raises(AllocationRefused, match=r"/27 is the largest that is, at 10\.0\.0\.0/27"):
        allocate(26, pools, given)


@both_ways
def test_the_lowest_of_equal_gaps_is_used_also_where_pools_nest(allocate: Allocate) -> None:
    """The gap in the outer pool is found first, and lies behind."""
    pools = blocks("10.0.0.0/24", "10.0.0.0/26")
    given = blocks("10.0.0.0/26", "10.0.0.0/28", "10.0.0.64/28")
    assert allocate(28, pools, given) == block("10.0.0.16/28")


@both_ways
def test_a_pool_of_one_address_gives_nothing(allocate: Allocate) -> None:
    """Beside others it is not what one is told to ask for."""
    pools = blocks("10.0.0.0/31", "10.7.0.0/32")
    given = blocks("10.0.0.0/32", "10.0.0.1/32")
    with pytest.raises(AllocationRefused, match="nothing is free there"):
        allocate(32, pools, given)


@both_ways
def test_blocks_of_other_pools_and_around_a_pool_take_nothing_of_it(allocate: Allocate) -> None:
    """Nor does one as large as the pool: a node may serve all of its pool."""
    given = blocks("10.0.0.0/8", "10.1.0.0/16", "10.2.0.0/24", "::/0")
    assert allocate(24, blocks("10.1.0.0/16"), given) == block("10.1.0.0/24")


@both_ways
def test_what_is_nested_in_a_given_out_block_is_not_given_out_again(allocate: Allocate) -> None:
    """What is behind the inner one is still within the outer."""
    given = blocks("10.0.0.0/17", "10.0.0.0/24", "10.0.128.0/24")
    assert allocate(24, blocks("10.0.0.0/16"), given) == block("10.0.129.0/24")


@both_ways
def test_an_exhausted_pool_tells_the_largest_block_it_still_has(allocate: Allocate) -> None:
    """And where that is."""
    given = blocks("10.0.0.0/25", "10.0.0.128/26")
    with pytest.raises(AllocationRefused) as refused:
        allocate(25, blocks("10.0.0.0/24"), given)
    assert refused.value.code == "range.exhausted"
    assert refused.value.largest == block("10.0.0.192/26")
    assert refused.value.message == (
        "no /25 is free in the pool 10.0.0.0/24; /26 is the largest that is, at 10.0.0.192/26; "
        "ask for that or longer"
    )


@both_ways
def test_pools_of_which_nothing_is_free_say_so(allocate: Allocate) -> None:
    """There is no block to ask for instead."""
    given = blocks("10.0.0.0/25", "10.0.0.128/25", "10.0.4.0/25", "10.0.4.128/25")
    with pytest.raises(AllocationRefused, match="nothing is free there; release ranges") as refused:
        allocate(32, blocks("10.0.0.0/24", "10.0.4.0/24"), given)
    assert refused.value.largest is None
    assert "any of the pools 10.0.0.0/24, 10.0.4.0/24" in refused.value.message


@both_ways
@pytest.mark.parametrize(
    ("length", "pool", "code", "message"),
    [
        (8, "10.0.0.0/16", "larger", "a /8 is larger than the pool 10.0.0.0/16"),
        (16, "10.0.0.0/16", "larger", "is as large as the pool 10.0.0.0/16, which is never"),
        (16, "10.0.0.0/16", "larger", "ask for /17 or longer"),
        (32, "10.0.0.1/32", "larger", "is a single address"),
        (33, "10.0.0.0/16", "length", "/33 is no prefix of IPv4; name a length from 1 to 32"),
        (-1, "2001:db8::/48", "length", "/-1 is no prefix of IPv6"),
    ],
)
def test_a_block_that_no_pool_can_have_is_refused(
    allocate: Allocate, length: int, pool: str, code: str, message: str
) -> None:
    """With the lengths that can be asked for."""
    with pytest.raises(AllocationRefused) as refused:
        allocate(length, blocks(pool), [])
    assert refused.value.code == f"range.{code}"
    assert message in refused.value.message


def test_rows_are_read_only_up_to_a_gap_that_fits_exactly() -> None:
    """Nothing that comes after it can be better."""
    rows = iter(blocks("10.0.0.0/24", "10.0.2.0/24", "10.0.4.0/24"))
    cursor: Cursor = lambda _pool: rows  # noqa: E731
    assert next_free(24, blocks("10.0.0.0/16"), cursor) == block("10.0.1.0/24")
    assert list(rows) == blocks("10.0.4.0/24")


RANGES = [
    range_of("10.1.0.0/16", "a"),
    range_of("10.2.0.0/16", "a"),
    range_of("10.3.0.0/16", "b"),
    range_of("10.1.7.0/24", "a", "serves"),
    range_of("2001:db8::/48", "b"),
]


def test_a_node_gives_blocks_out_of_its_own_pools() -> None:
    """Of the family that is asked for; all of them, or the one that is named."""
    assert usable_pools("a", 4, RANGES) == blocks("10.1.0.0/16", "10.2.0.0/16")
    named = block("10.2.0.0/16")
    assert usable_pools("a", 4, RANGES, named=named) == [named]


def test_a_disputed_pool_gives_nothing_out() -> None:
    """The others do; where all are, it is told."""
    disputed = {RANGES[0].id}
    assert usable_pools("a", 4, RANGES, disputed) == blocks("10.2.0.0/16")
    with pytest.raises(AllocationRefused, match=r"10\.3\.0\.0/16: disputed") as refused:
        usable_pools("b", 4, RANGES, {RANGES[2].id})
    assert refused.value.code == "range.disputed"


@pytest.mark.parametrize(
    ("node", "family", "named", "code", "message"),
    [
        ("a", 6, None, "no_pool", "a has no IPv6 pool; give it one"),
        ("c", 4, None, "no_pool", "c has no IPv4 pool"),
        ("a", 4, "10.7.0.0/16", "no_pool", "there is no IPv4 pool 10.7.0.0/16"),
        ("a", 4, "10.1.7.0/24", "no_pool", "there is no IPv4 pool 10.1.7.0/24"),
        ("a", 4, "2001:db8::/48", "no_pool", "there is no IPv4 pool 2001:db8::/48"),
        ("a", 4, "10.3.0.0/16", "foreign_pool", "10.3.0.0/16, pool of b; a gives nothing out"),
    ],
)
def test_a_pool_that_is_not_the_nodes_gives_nothing_out(
    node: str, family: int, named: str | None, code: str, message: str
) -> None:
    """None of the family, none of that name, or another node's."""
    with pytest.raises(AllocationRefused) as refused:
        usable_pools(node, family, RANGES, named=block(named) if named else None)
    assert refused.value.code == f"range.{code}"
    assert message in refused.value.message
