"""Ranges that are split and merged."""

from __future__ import annotations

from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from records.stamps import Version
from service.ranges.blocks import Address, Block
from service.ranges.disputes import disputes
from service.ranges.errors import BlocksRefused
from service.ranges.lookup import Locator
from service.ranges.reshaping import (
    Clash,
    clashes,
    merge,
    refuse_disputed,
    refuse_elsewhere,
    split,
)
from service.ranges.values import Purpose, Range
from tests.service.ranges.small import addresses, all_addresses, block, range_of, ranges

WHOLE = range_of("10.0.0.0/16", "barn")
SMALL = range_of("10.0.0.64/26", "a", "serves")


def told(whole: Range, length: int, given_away: dict[str, str], *there: Range) -> list[str]:
    """What is in the way of a split."""
    parts = split(whole, length, {block(text): name for text, name in given_away.items()})
    return [each.message for each in clashes([whole], parts, [whole, *there])]


def merged(parts: list[Range], *there: Range) -> list[Clash]:
    """What is in the way of a merge: codes and sentences."""
    return list(clashes(parts, [merge(parts)], [*parts, *there]))


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
    assert told(serves, 18, {}, same) == []


def test_parts_take_no_clients_from_a_node_that_serves_a_block_of_the_whole() -> None:
    """The longest prefix would give them to the parts; smaller blocks lose nothing."""
    serves = range_of("10.0.0.0/16", "barn", "serves")
    other = range_of("10.0.128.0/17", "far", "serves")
    assert told(serves, 18, {}, other) == [
        "10.0.128.0/18 cannot be serves of barn: it would take clients of 10.0.128.0/17, served by "
        "far",
        "10.0.192.0/18 cannot be serves of barn: it would take clients of 10.0.128.0/17, served by "
        "far",
    ]
    assert told(serves, 18, {"10.0.128.0/18": "far", "10.0.192.0/18": "far"}, other) == []
    assert told(serves, 17, {}, range_of("10.0.128.0/18", "far", "serves")) == []


def test_what_lies_in_a_pool_is_given_to_nobody_but_the_node_of_the_pool() -> None:
    """As it is not added for another one; what is served stays, whoever has the pool."""
    serves = range_of("10.0.0.0/24", "barn", "serves")
    given_away = {"10.0.0.0/25": "far"}
    for pool in ("10.0.0.0/16", "10.0.0.0/24", "10.0.0.0/25"):
        assert told(serves, 25, given_away, range_of(pool, "barn")) == [
            f"10.0.0.0/25 lies in {pool}, pool of barn: let barn give it out, or split the pool"
        ]
    parts = split(serves, 25, {block("10.0.0.0/25"): "far"})
    (clash,) = clashes([serves], parts, [range_of("10.0.0.0/16", "barn")])
    assert clash.code == "range.foreign_pool"
    for pool in ("10.0.0.128/25", "10.0.0.0/26"):
        assert told(serves, 25, given_away, range_of(pool, "barn")) == []
    assert told(serves, 25, given_away, range_of("10.0.0.0/16", "far")) == []
    assert told(serves, 25, {}, range_of("10.0.0.0/16", "third")) == []
    peers = range_of("10.0.0.0/24", "barn", "peers")
    assert told(peers, 25, given_away, range_of("10.0.0.0/16", "barn")) == []


def test_a_disputed_serves_is_not_split() -> None:
    """Its parts would decide before the claim that stands."""
    stands = range_of("10.0.0.0/16", "far", "serves", stamp=5)
    loser = range_of("10.0.0.0/16", "barn", "serves", stamp=9)
    with pytest.raises(BlocksRefused) as refused:
        refuse_disputed(loser, [stands, loser])
    assert (refused.value.code, refused.value.message) == (
        "range.disputed",
        "10.0.0.0/16, served by barn is disputed by 10.0.0.0/16, served by far; release one of "
        "the two first",
    )
    refuse_disputed(stands, [stands, loser])
    pool = range_of("10.0.0.0/16", "barn", stamp=9)
    refuse_disputed(pool, [range_of("10.0.0.0/17", "far", stamp=5)])


def test_what_is_merged_has_the_latest_claim() -> None:
    """Whatever the order; parts may nest."""
    parts = [range_of("10.0.0.0/17", "barn", stamp=2), range_of("10.0.128.0/17", "barn", stamp=5)]
    whole = merge([*parts, range_of("10.0.0.0/20", "barn", stamp=3)])
    assert (str(whole), whole.claim) == ("10.0.0.0/16, pool of barn", parts[1].claim)


def test_a_merge_waits_until_no_part_is_in_a_dispute() -> None:
    """The whole has the latest claim, which what lost against a part may be earlier than."""
    halves = [range_of("10.0.0.0/17", "barn", stamp=1), range_of("10.0.128.0/17", "barn", stamp=9)]
    loser = range_of("10.0.0.0/18", "far", stamp=5)
    assert merged(halves, loser) == [
        (
            "range.disputed",
            "10.0.0.0/17, pool of barn and 10.0.0.0/18, pool of far exclude each other; release "
            "one of the two first",
        )
    ]
    assert merged(halves, range_of("10.0.0.0/18", "barn"), range_of("10.1.0.0/16", "far")) == []
    served = [each._replace(purpose=Purpose.SERVES) for each in halves]
    rival = range_of("10.0.0.0/17", "far", "serves", stamp=5)
    assert [code for code, _said in merged(served, rival)] == ["range.disputed"]
    outer = range_of("10.0.0.0/8", "far", stamp=5)
    assert [code for code, _said in merged(halves, outer)] == ["range.disputed"]


def test_a_merge_gives_no_clients_to_a_node_that_serves_a_block_between() -> None:
    """Its prefix was shorter than that of a part, and would be longer than that of the whole."""
    nested = [range_of(f"10.0.0.0/{length}", "barn", "serves") for length in (16, 18)]
    assert merged(nested, range_of("10.0.0.0/17", "far", "serves")) == [
        (
            "range.taken",
            "10.0.0.0/16 cannot be serves of barn: 10.0.0.0/17, served by far would take its "
            "clients",
        )
    ]
    assert merged(nested, range_of("10.0.128.0/17", "far", "serves")) == []
    assert merged(nested, range_of("10.0.0.0/19", "far", "serves")) == []
    assert merged(nested, range_of("10.0.0.0/16", "far", "serves"))[0][0] == "range.disputed"


def test_what_is_there_already_is_not_made_by_merging() -> None:
    """By this node or another."""
    halves = [range_of(f"10.0.{third}.0/17", "barn", "serves") for third in (0, 128)]
    for node in ("barn", "far"):
        assert merged(halves, range_of("10.0.0.0/16", node, "serves")) == [
            (
                "range.taken",
                f"10.0.0.0/16 cannot be serves of barn: there is 10.0.0.0/16, served by {node}",
            )
        ]


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


def located(some: list[Range], within: Block) -> dict[int, str | None]:
    """The node that serves each address of a block."""
    locator = Locator(some)
    found = {n: locator.locate(Address(within.family, n)) for n in addresses(within)}
    return {number: None if each is None else each.node for number, each in found.items()}


def renumbered(some: list[Range]) -> list[Range]:
    """The same, with later ids than any."""
    return [each._replace(id=UUID(int=1_000 + number)) for number, each in enumerate(some)]


def drawn_split(data: st.DataObject, some: list[Range]) -> tuple[Range, int]:
    """One of the ranges, and the length of parts of it."""
    whole = data.draw(st.sampled_from([each for each in some if each.block.size > 1] or [SMALL]))
    deeper = data.draw(st.integers(1, min(3, whole.block.size.bit_length() - 1)))
    return whole, whole.block.length + deeper


@settings(deadline=None)
@given(ranges(), st.data())
def test_nobody_else_is_disputed_by_a_split_who_was_not_before(
    some: list[Range], data: st.DataObject
) -> None:
    """Unless it is refused; nor is a part, unless the whole was. Clients go where they are sent."""
    whole, length = drawn_split(data, some)
    others = [each for each in some if each is not whole]
    blocks = [each.block for each in split(whole, length, {})]
    names = data.draw(st.dictionaries(st.sampled_from(blocks), st.sampled_from("abc")))
    parts = renumbered(split(whole, length, names))
    assert all_addresses(each.block for each in parts) == all_addresses([whole.block])
    try:
        refuse_disputed(whole, others)
    except BlocksRefused:
        return
    if not list(clashes([whole], parts, others)):
        before = {each.loser for each in disputes([*others, whole])}
        after = {each.loser for each in disputes([*others, *parts])}
        assert after - set(parts) <= before
        if whole not in before:
            assert not after & set(parts)
        was = located([*others, whole], whole.block)
        for number, node in located([*others, *parts], whole.block).items():
            sent = [each.node for each in parts if number in addresses(each.block)]
            assert node == was[number] or (was[number] == whole.node and [node] == sent)


@settings(deadline=None)
@given(ranges(), st.data())
def test_a_merge_turns_no_dispute_over_and_sends_no_client_elsewhere(
    some: list[Range], data: st.DataObject
) -> None:
    """Unless it is refused."""
    whole, length = drawn_split(data, some)
    others = [each for each in some if each is not whole]
    parts = [
        each._replace(claim=Version(data.draw(st.integers(1, 9)), 3))
        for each in renumbered(split(whole, length, {}))
    ]
    made = merge(parts)._replace(id=UUID(int=2_000))
    if not list(clashes(parts, [made], others)):
        before = {each.loser for each in disputes([*others, *parts])}
        assert {each.loser for each in disputes([*others, made])} == before
        assert not before & set(parts)
        assert located([*others, made], made.block) == located([*others, *parts], made.block)
