"""Ranges that are split and merged."""

from __future__ import annotations

from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from records.stamps import Version
from service.ranges.disputes import disputes
from service.ranges.errors import BlocksRefused
from service.ranges.reshaping import clashes, merge, refuse_elsewhere, split
from service.ranges.values import Range
from tests.service.ranges.small import all_addresses, block, range_of, ranges

WHOLE = range_of("10.0.0.0/16", "barn")


def told(whole: Range, length: int, given_away: dict[str, str], *there: Range) -> list[str]:
    """What is in the way of a split."""
    parts = split(whole, length, {block(text): name for text, name in given_away.items()})
    return list(clashes([whole], parts, [whole, *there]))


def refusal(ranges: list[Range]) -> tuple[str, str]:
    """Why some ranges cannot be merged."""
    with pytest.raises(BlocksRefused) as refused:
        merge(ranges)
    return refused.value.code, refused.value.message


def test_parts_keep_everything_but_their_blocks_and_those_that_are_given_their_node() -> None:
    """The claim as well."""
    parts = split(WHOLE, 17, {block("10.0.128.0/17"): "far"})
    assert [(str(each.block), each.node) for each in parts] == [
        ("10.0.0.0/17", "barn"), ("10.0.128.0/17", "far"),
    ]  # fmt: skip
    assert {(each.purpose, each.claim) for each in parts} == {(WHOLE.purpose, WHOLE.claim)}


def test_what_is_no_part_cannot_be_given() -> None:
    """The parts that there are are told."""
    with pytest.raises(BlocksRefused) as refused:
        split(WHOLE, 17, {block("10.0.64.0/18"): "far"})
    assert refused.value.code == "range.no_part"
    assert refused.value.message == (
        "10.0.64.0/18 is none of the parts of 10.0.0.0/16; they are 10.0.0.0/17 to 10.0.128.0/17, "
        "each a /17"
    )


def test_pools_in_each_other_are_not_given_to_different_nodes() -> None:
    """What remains with the node may nest, and what it has smaller things in may be given."""
    inner = range_of("10.0.128.0/20", "barn")
    given_away = {"10.0.128.0/17": "far"}
    assert told(WHOLE, 17, given_away, inner) == [
        "10.0.128.0/17 cannot be pool of far: there is 10.0.128.0/20, pool of barn"
    ]
    assert told(WHOLE, 17, {"10.0.0.0/17": "far"}, inner) == []
    assert told(WHOLE, 17, {}, inner) == []
    outer = range_of("10.0.0.0/8", "barn")
    assert told(WHOLE, 17, given_away, outer) == [
        "10.0.128.0/17 cannot be pool of far: there is 10.0.0.0/8, pool of barn"
    ]
    served = range_of("10.0.128.0/20", "barn", "serves")
    assert told(WHOLE, 17, given_away, served) == []


def test_a_disputed_pool_can_be_split_to_release_what_is_disputed() -> None:
    """What excluded the whole is in no part's way."""
    rival = range_of("10.0.128.0/17", "far", stamp=0)
    assert told(WHOLE, 17, {}, rival) == []
    third = range_of("10.0.128.0/17", "third", stamp=0)
    assert told(WHOLE, 17, {"10.0.128.0/17": "far"}, third) == []


def test_parts_that_are_there_already_or_served_by_another_are_in_the_way() -> None:
    """They would say the same twice, or be disputed."""
    serves = range_of("10.0.0.0/16", "barn", "serves")
    same = range_of("10.0.0.0/17", "barn", "serves")
    other = range_of("10.0.128.0/17", "far", "serves")
    assert told(serves, 17, {}, same, other) == [
        "10.0.0.0/17 cannot be serves of barn: there is 10.0.0.0/17, served by barn",
        "10.0.128.0/17 cannot be serves of barn: there is 10.0.128.0/17, served by far",
    ]
    assert told(serves, 18, {}, same, other) == []


def test_what_is_merged_has_the_latest_claim() -> None:
    """Whatever the order; parts may nest."""
    parts = [range_of("10.0.0.0/17", "barn", stamp=2), range_of("10.0.128.0/17", "barn", stamp=5)]
    whole = merge([*parts, range_of("10.0.0.0/20", "barn", stamp=3)])
    assert (str(whole), whole.claim) == ("10.0.0.0/16, pool of barn", parts[1].claim)


def test_what_makes_no_one_range_is_told() -> None:
    """One alone, others' ranges, other purposes, gaps."""
    half, rest = range_of("10.0.0.0/17", "barn"), range_of("10.0.128.0/17", "barn")
    assert refusal([half])[0] == "range.merge_empty"
    assert refusal([half, rest._replace(node="far")]) == (
        "range.merge_mixed",
        "10.0.0.0/17, pool of barn and 10.0.128.0/17, pool of far are not of one node and purpose, "
        "and stay apart",
    )
    serves = range_of("10.0.128.0/17", "barn", "serves")
    assert refusal([half, serves])[0] == "range.merge_mixed"
    assert refusal([half, range_of("10.0.192.0/18", "barn")])[0] == "range.merge_gap"


def test_only_pools_have_to_be_reshaped_where_they_are_given_out() -> None:
    """A node without a record has none."""
    refuse_elsewhere(WHOLE, "barn")
    refuse_elsewhere(range_of("10.0.0.0/16", "barn", "serves"), "far")
    for here in ("far", None):
        with pytest.raises(BlocksRefused, match="ask barn to split or merge it") as refused:
            refuse_elsewhere(WHOLE, here)
        assert refused.value.code == "range.foreign_pool"


@settings(deadline=None)
@given(ranges(), st.data())
def test_nobody_else_is_disputed_by_a_split_who_was_not_before(
    some: list[Range], data: st.DataObject
) -> None:
    """Unless it is refused; nor is a part, unless the whole was. No two have one claim."""
    whole = data.draw(st.sampled_from([each for each in some if each.block.size > 1] or [WHOLE]))
    others = [each for each in some if each is not whole]
    whole = whole._replace(claim=Version(whole.claim.stamp, 3))
    deeper = data.draw(st.integers(1, min(3, whole.block.size.bit_length() - 1)))
    blocks = [each.block for each in split(whole, whole.block.length + deeper, {})]
    names = data.draw(st.dictionaries(st.sampled_from(blocks), st.sampled_from("abc")))
    parts = [
        each._replace(id=UUID(int=1_000 + number))
        for number, each in enumerate(split(whole, whole.block.length + deeper, names))
    ]
    assert all_addresses(each.block for each in parts) == all_addresses([whole.block])
    if not list(clashes([whole], parts, others)):
        before = {each.loser for each in disputes([*others, whole])}
        after = {each.loser for each in disputes([*others, *parts])}
        assert after - set(parts) <= before
        if whole not in before:
            assert not after & set(parts)
