"""Sums of digests tell tables apart, and a comparison that cannot is found out."""

from __future__ import annotations

import random
from collections.abc import Callable
from functools import reduce

import pytest

from service.herd.digests import (
    NOTHING,
    Sum,
    Sums,
    compared,
    digits_for,
    exchanged,
    of_halves,
    phantoms,
    summed,
    with_phantoms,
)


def test_equal_rows_do_not_cancel() -> None:
    """Two of them are not none, nor one, nor three; with XOR they would be."""
    sums = [summed([("", 7)] * count).get("", NOTHING) for count in range(4)]
    assert len(set(sums)) == 4
    assert summed([("", 7)] * 2) != summed([("", 9)] * 2)


def test_the_order_of_rows_does_not_count() -> None:
    """Whatever order they are met in, the sum is the same."""
    chance = random.Random(1)
    rows = [(chance.choice("0f"), chance.getrandbits(128)) for _ in range(50)]
    turned = rows[:]
    chance.shuffle(turned)
    assert summed(rows) == summed(turned)


def test_a_bit_of_a_row_is_seen_wherever_it_is() -> None:
    """All 128 of them."""
    others = [("", 3), ("", 2**127)]
    sums = {bit: summed([*others, ("", 1 << bit)])[""] for bit in range(128)}
    assert len(set(sums.values())) == 128


def test_halves_make_the_sum_of_the_whole() -> None:
    """As a server sums them, also beyond 128 bits."""
    digests = [2**128 - 1, 2**127 + 5, 2**64, 1]
    high, low = sum(d >> 64 for d in digests), sum(d % 2**64 for d in digests)
    assert of_halves(4, high, low) == summed(("", digest) for digest in digests)[""]


def test_buckets_follow_from_the_number_of_rows() -> None:
    """Few rows are in one bucket, many in at most 65,536."""
    assert [digits_for(rows) for rows in (0, 64, 65, 1024, 1025, 10**6, 10**9)] == [
        0, 0, 1, 1, 2, 4, 4,
    ]  # fmt: skip


@pytest.mark.parametrize("seed", [0, 1, 62, 63, 126, 2**128 - 1, 0xFEED << 64])
def test_a_sound_comparison_finds_what_was_planted(seed: int) -> None:
    """And what differs besides, and nothing more."""
    one, other = phantoms(seed)
    ours = summed([("a", 1), ("b", 2), *with_phantoms(one)])
    theirs = summed([("a", 1), ("b", 3), *with_phantoms(other)])
    assert compared(ours, theirs, 2) == (["b"], True)


def xored(rows: list[tuple[str, int]]) -> Sums:
    """Sums with XOR, in which pairs cancel."""
    found: dict[str, Sum] = {}
    for bucket, digest in rows:
        rows_so_far, total = found.get(bucket, NOTHING)
        found[bucket] = Sum(rows_so_far + 1, total ^ digest)
    return found


def low_half_only(rows: list[tuple[str, int]]) -> Sums:
    """Sums that lose the higher half of each digest."""
    return summed((bucket, digest % 2**64) for bucket, digest in rows)


def counted_only(rows: list[tuple[str, int]]) -> Sums:
    """Sums that look at no digest."""
    return summed((bucket, 0) for bucket, _digest in rows)


def without_phantoms(rows: list[tuple[str, int]]) -> Sums:
    """Sums of a node that does not plant what it is told to."""
    return summed(row for row in rows if not row[0].startswith("~"))


def carrying_over(rows: list[tuple[str, int]]) -> Sums:
    """Sums all in one bucket."""
    return {"": reduce(lambda one, row: Sum(one.rows + 1, one.total + row[1]), rows, NOTHING)}


@pytest.mark.parametrize(
    "broken", [xored, low_half_only, counted_only, without_phantoms, carrying_over]
)
def test_a_broken_comparison_is_not_sound(
    broken: Callable[[list[tuple[str, int]]], Sums],
) -> None:
    """A difference that was planted and not found: nothing may be called equal then."""
    one, other = phantoms(99)
    ours, theirs = broken(list(with_phantoms(one))), broken(list(with_phantoms(other)))
    assert not compared(ours, theirs, 2).sound


def test_nothing_planted_proves_nothing() -> None:
    """Equal sums alone are not enough."""
    assert not compared({}, {}, 0).sound


def test_rows_give_way_to_others() -> None:
    """The sums are those of what is there afterwards."""
    gone, stays, come = (
        [("a", 5), ("c", 2**127)],
        [("a", 7), ("b", 1)],
        [("a", 9), ("d", 2**128 - 1)],
    )
    changes = [(-1, *row) for row in gone] + [(1, *row) for row in come]
    assert exchanged(summed(gone + stays), changes) == summed(stays + come)
