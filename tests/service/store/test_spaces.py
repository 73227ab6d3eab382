"""What is free in the pools of a node, in memory, as ranges come and go."""

from __future__ import annotations

from service.ranges.notation import read_block
from service.store.ranges.spaces import Spaces

OUTER, INNER, APART = map(read_block, ("10.0.0.0/8", "10.0.0.0/16", "192.0.2.0/24"))


def test_a_pool_around_one_that_was_released_is_read_anew() -> None:
    """What was given out of the inner one is given out still, and is not offered block by block."""
    spaces = Spaces()
    for pool, given in ((OUTER, [INNER]), (INNER, [read_block("10.0.0.0/17")]), (APART, [])):
        spaces.read(pool, given)
    apart = spaces.find(APART)
    spaces.released(INNER)
    assert spaces.find(INNER) is None
    assert spaces.find(OUTER) is None
    assert spaces.find(APART) is apart


def test_a_block_that_was_released_is_free_in_each_pool_around_it() -> None:
    """They are not read anew for it."""
    spaces = Spaces()
    block = read_block("10.0.0.0/17")
    outer, inner = spaces.read(OUTER, [INNER]), spaces.read(INNER, [block])
    spaces.released(block)
    assert (spaces.find(OUTER), spaces.find(INNER)) == (outer, inner)
    assert block in inner
    assert spaces.take(17, [inner]) == block
