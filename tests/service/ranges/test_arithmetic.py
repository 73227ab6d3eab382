"""Overlaps, splitting, merging, what is free, totals."""

from __future__ import annotations

import pytest

from service.ranges import arithmetic
from service.ranges.blocks import Block
from service.ranges.errors import BlocksRefused
from service.ranges.values import Purpose, refuse_everything
from tests.service.ranges.small import block, blocks, range_of

OVERLAPS = {
    "the same block": ("10.0.1.0/24", "10.0.1.0/24 is 10.0.1.0/24, which is in the way"),
    "within another": ("10.0.1.0/25", "10.0.1.0/25 lies within 10.0.1.0/24, which is in the way"),
    "around others": ("10.0.0.0/8", "10.0.0.0/8 contains 10.0.1.0/24, which is in the way"),
}


@pytest.mark.parametrize("case", OVERLAPS)
def test_an_overlap_is_refused_with_the_block_in_the_way(case: str) -> None:
    """The first of them in order, and how the two lie."""
    text, message = OVERLAPS[case]
    with pytest.raises(BlocksRefused) as refused:
        arithmetic.refuse_overlaps(block(text), blocks("10.0.3.0/24", "10.0.1.0/24", "::/0"))
    assert (refused.value.code, refused.value.message) == ("range.overlap", message)
    assert refused.value.blocks == (block("10.0.1.0/24"),)


def test_what_is_beside_or_of_the_other_family_is_in_no_way() -> None:
    """Adjacent blocks, and all of IPv6."""
    others = blocks("10.0.0.0/24", "10.0.2.0/24", "::/0")
    arithmetic.refuse_overlaps(block("10.0.1.0/24"), others)
    assert arithmetic.in_the_way(block("10.0.1.0/24"), others) is None


def test_a_block_is_split_into_longer_prefixes() -> None:
    """All of them, in order."""
    assert arithmetic.split(block("10.0.0.0/23"), 24) == tuple(blocks("10.0.0.0/24", "10.0.1.0/24"))
    assert len(arithmetic.split(block("2001:db8::/52"), 64)) == 4_096


@pytest.mark.parametrize(
    ("text", "length", "message"),
    [
        ("10.0.0.0/24", 24, "cannot be split into /24; name a length from 25 to 32"),
        ("10.0.0.0/24", 8, "cannot be split into /8; name a length from 25 to 32"),
        ("10.0.0.0/24", 33, "cannot be split into /33; name a length from 25 to 32"),
        ("10.0.0.1/32", 33, "is a single address, which has no parts"),
        ("2001:db8::/32", 64, "has 4,294,967,296 blocks of /64; at most 4,096 are made at once"),
    ],
)
def test_a_split_that_cannot_be_is_refused(text: str, length: int, message: str) -> None:
    """With the lengths that can."""
    with pytest.raises(BlocksRefused) as refused:
        arithmetic.split(block(text), length)
    assert message in refused.value.message


def test_too_fine_a_split_tells_a_length_that_works() -> None:
    """The longest that is taken."""
    with pytest.raises(BlocksRefused, match="split into /44 first"):
        arithmetic.split(block("2001:db8::/32"), 45)
    assert len(arithmetic.split(block("2001:db8::/32"), 44)) == 4_096


def test_adjacent_blocks_are_merged_into_one() -> None:
    """Of any sizes, in any order, also where one holds another."""
    assert arithmetic.merge(blocks("10.0.1.0/24", "10.0.0.0/24")) == block("10.0.0.0/23")
    parts = blocks("::8000:0:0:0/65", "::/66", "::4000:0:0:0/66", "::/70")
    assert arithmetic.merge(reversed(parts)) == block("::/64")


GAPS = {
    "a gap": (["10.0.0.0/24", "10.0.3.0/24"], ["10.0.1.0/24", "10.0.2.0/24"]),
    "adjacent and not aligned": (["10.0.1.0/24", "10.0.2.0/24"], ["10.0.0.0/24", "10.0.3.0/24"]),
}


@pytest.mark.parametrize("case", GAPS)
def test_blocks_with_a_gap_are_not_merged(case: str) -> None:
    """What is missing is named."""
    parts, missing = GAPS[case]
    with pytest.raises(BlocksRefused) as refused:
        arithmetic.merge(blocks(*parts))
    assert refused.value.code == "range.merge_gap"
    assert refused.value.blocks == tuple(blocks(*missing))
    for text in [*parts, *missing]:
        assert text in refused.value.message
    assert "make no single block: 10.0.0.0/22 has" in refused.value.message


def test_a_gap_of_many_blocks_is_named_in_short() -> None:
    """Three of them, and how many more."""
    with pytest.raises(BlocksRefused, match=r"/30 and \d+ more as well") as refused:
        arithmetic.merge(blocks("10.0.0.0/32", "10.255.0.0/32"))
    assert f"and {len(refused.value.blocks) - 3} more" in refused.value.message


@pytest.mark.parametrize(
    ("parts", "code"), [([], "merge_empty"), (["10.0.0.0/8", "::/8"], "merge_families")]
)
def test_nothing_and_two_families_are_not_merged(parts: list[str], code: str) -> None:
    """Each has an error of its own."""
    with pytest.raises(BlocksRefused) as refused:
        arithmetic.merge(blocks(*parts))
    assert refused.value.code == f"range.{code}"


def test_what_is_taken_for_sorted_and_is_not_is_noticed() -> None:
    """Or the same block would be free and given out."""
    given = [block("10.0.2.0/24"), block("10.0.0.0/24")]
    with pytest.raises(ValueError, match=r"10\.0\.0\.0/24 comes after 10\.0\.2\.0/24"):
        list(arithmetic.free(block("10.0.0.0/16"), given))


def test_free_space_is_read_no_further_than_it_is_needed() -> None:
    """A cursor over a great many rows stands where the answer was found."""
    rows = iter(blocks("10.0.0.0/24", "10.0.2.0/24", "10.0.4.0/24", "10.0.6.0/24"))
    assert next(arithmetic.free(block("10.0.0.0/16"), rows)) == block("10.0.1.0/24")
    assert next(rows) == block("10.0.4.0/24")


def test_totals_tell_each_purpose_and_family() -> None:
    """Ranges, and addresses once, however many ranges hold them."""
    ranges = [
        range_of("10.0.0.0/24", "a"),
        range_of("10.0.1.0/24", "b"),
        range_of("10.0.0.0/26", "a"),
        range_of("10.0.0.0/26", "a", "serves"),
        range_of("2001:db8::/64", "a", "serves"),
    ]
    totals = {total[:2]: total[2:] for total in arithmetic.summary(ranges)}
    assert len(totals) == len(Purpose) * 2
    assert totals[Purpose.POOL, 4] == (3, 1, 512)
    assert totals[Purpose.SERVES, 4] == (1, 1, 64)
    assert totals[Purpose.SERVES, 6] == (1, 1, 2**64)
    assert totals[Purpose.ADMIN, 6] == (0, 0, 0)


@pytest.mark.parametrize("text", ["0.0.0.0/0", "::/0"])
def test_everything_is_refused_where_it_would_swallow_all_else(text: str) -> None:
    """Unless it is meant; and a node may serve whoever is nobody else's."""
    for purpose in (Purpose.POOL, Purpose.PEERS, Purpose.ADMIN):
        with pytest.raises(BlocksRefused, match=f"as {purpose} it has to be asked for explicitly"):
            refuse_everything(block(text), purpose)
        refuse_everything(block(text), purpose, meant=True)
    refuse_everything(block(text), Purpose.SERVES)
    refuse_everything(Block(4, 0, 1), Purpose.ADMIN)


def test_blocks_sort_by_their_columns_as_they_sort_by_themselves() -> None:
    """So a cursor over the columns, one family at a time, gives blocks in order."""
    of_four = blocks("255.0.0.0/8", "10.0.0.0/8", "10.0.0.0/9", "0.0.0.0/0")
    of_six = blocks("::/0", "::/128", "2001:db8::/32", "ffff::/16")
    for some in (of_four, of_six):
        assert sorted(some, key=lambda each: (each.packed[0], each.length)) == some
    assert block("10.0.0.0/8").packed == (
        bytes.fromhex("00000000000000000000ffff0a000000"),
        bytes.fromhex("00000000000000000000ffff0affffff"),
    )
