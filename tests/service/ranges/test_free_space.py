"""The free blocks of a pool, as ranges come and go."""

from __future__ import annotations

from service.ranges.free_space import FreeSpace, take
from tests.service.ranges.small import block, blocks


def test_released_halves_become_whole_again() -> None:
    """Up to the halves of the pool, which is never given out whole."""
    space = FreeSpace(block("10.0.0.0/16"))
    given = [take(24, [space]) for _ in range(256)]
    assert len(set(given)) == 256
    assert list(space) == []
    for each in given:
        space.give_back(each)
    assert list(space) == blocks("10.0.0.0/17", "10.0.128.0/17")


def test_what_is_released_stays_taken_as_far_as_others_have_it() -> None:
    """A block within it, or around it, that is still given out."""
    space = FreeSpace(block("10.0.0.0/24"), blocks("10.0.0.0/25", "10.0.0.0/26"))
    space.give_back(block("10.0.0.0/25"), blocks("10.0.0.0/26"))
    assert list(space) == blocks("10.0.0.64/26", "10.0.0.128/25")
    space.occupy(block("10.0.0.0/25"))
    space.give_back(block("10.0.0.0/26"), blocks("10.0.0.0/25"))
    assert list(space) == blocks("10.0.0.128/25")


def test_releasing_what_is_free_changes_nothing() -> None:
    """An index may hear of one release twice."""
    space = FreeSpace(block("10.0.0.0/24"), blocks("10.0.0.0/25"))
    for _ in range(2):
        space.give_back(block("10.0.0.0/26"))
    assert list(space) == blocks("10.0.0.0/26", "10.0.0.128/25")


def test_a_block_that_is_partly_given_out_can_be_taken_whole() -> None:
    """Whatever was free within it is not any more."""
    space = FreeSpace(block("10.0.0.0/24"), blocks("10.0.0.0/32", "10.0.0.77/32"))
    space.occupy(block("10.0.0.0/25"))
    space.occupy(block("10.0.0.0/25"))
    assert list(space) == blocks("10.0.0.128/25")


def test_a_block_of_a_pool_within_a_pool_is_taken_of_both() -> None:
    """Even where the outer one does not know that the inner one is a pool."""
    outer, inner = FreeSpace(block("10.0.0.0/24")), FreeSpace(block("10.0.0.0/25"))
    given = [take(27, [outer, inner]) for _ in range(8)]
    assert given == sorted(set(given))
    assert list(outer) == list(inner) == []


def test_a_block_is_taken_whole_to_its_last_address() -> None:
    """Also where that one was free by itself."""
    space = FreeSpace(block("10.0.0.0/24"), blocks("10.0.0.126/32"))
    space.occupy(block("10.0.0.0/25"))
    assert list(space) == blocks("10.0.0.128/25")


def test_what_is_outside_the_pool_or_as_large_is_none_of_its_business() -> None:
    """Neither taken from it nor added to it."""
    space = FreeSpace(block("10.0.0.0/24"))
    for text in ("10.0.0.0/24", "10.0.0.0/8", "10.0.1.0/25", "::/1"):
        space.occupy(block(text))
        assert list(space) == blocks("10.0.0.0/25", "10.0.0.128/25")
        space.give_back(block(text))
        assert list(space) == blocks("10.0.0.0/25", "10.0.0.128/25")
