"""Which ranges are disputed, and what may not be added."""

from __future__ import annotations

import random
from itertools import permutations

import pytest

from service.ranges.blocks import BITS, aligned
from service.ranges.disputes import disputes, refuse_clash
from service.ranges.errors import BlocksRefused
from service.ranges.values import Purpose, Range
from tests.service.ranges.small import range_of

STAND = {
    "pools beside each other": [("10.0.0.0/24", "a", "pool"), ("10.0.1.0/24", "b", "pool")],
    "pools of one node": [("10.0.0.0/8", "a", "pool"), ("10.0.0.0/24", "a", "pool")],
    "pools of two families": [("0.0.0.0/0", "a", "pool"), ("::/0", "b", "pool")],
    "given out of a pool": [("10.0.0.0/8", "a", "pool"), ("10.1.0.0/16", "b", "serves")],
    "serving another's pool": [("10.0.0.0/8", "a", "pool"), ("10.0.0.0/8", "b", "serves")],
    "serving within": [("10.0.0.0/8", "a", "serves"), ("10.0.0.0/9", "b", "serves")],
    "links from one network": [("10.0.0.0/8", "a", "peers"), ("10.0.0.0/8", "b", "peers")],
    "managed from one network": [("10.0.0.0/8", "a", "admin"), ("10.0.0.0/8", "b", "admin")],
}


@pytest.mark.parametrize("case", STAND)
def test_no_dispute(case: str) -> None:
    """What goes together."""
    ranges = [range_of(text, node, purpose) for text, node, purpose in STAND[case]]
    assert disputes(ranges) == []


@pytest.mark.parametrize(
    ("earlier", "later", "purpose"),
    [
        ("10.0.0.0/24", "10.0.0.0/24", "pool"),
        ("10.0.0.0/8", "10.7.0.0/16", "pool"),
        ("10.7.0.0/16", "10.0.0.0/8", "pool"),
        ("2001:db8::/48", "2001:db8::/32", "pool"),
        ("10.0.0.0/24", "10.0.0.0/24", "serves"),
    ],
)
def test_the_earlier_claim_stands_and_the_later_is_disputed(
    earlier: str, later: str, purpose: str
) -> None:
    """Whichever holds the other, whichever comes first."""
    first = range_of(earlier, "b", purpose, stamp=1)
    second = range_of(later, "a", purpose, stamp=2)
    assert disputes([first, second]) == disputes([second, first]) == [(second, first)]


def test_a_claim_is_disputed_by_an_earlier_one_that_is_disputed_itself() -> None:
    """Or a node that has not heard of the first would let the second stand beside the third."""
    first = range_of("10.0.0.0/24", "a", stamp=1)
    second = range_of("10.0.0.0/16", "b", stamp=2)
    third = range_of("10.0.7.0/24", "c", stamp=3)
    for order in permutations([first, second, third]):
        assert disputes(order) == [(second, first), (third, second)]


def test_equal_claims_are_told_apart_by_their_ids() -> None:
    """One transaction gives all its ranges one claim."""
    one, other = sorted(
        (range_of("10.0.0.0/24", node) for node in "ab"), key=lambda each: each.precedence
    )
    assert one.claim == other.claim
    assert disputes([one, other]) == disputes([other, one]) == [(other, one)]


def test_the_earliest_of_several_claims_is_named() -> None:
    """Of other nodes than its own, above and below."""
    pools = [
        range_of("10.0.0.0/24", "a", stamp=2),
        range_of("10.0.0.0/25", "a", stamp=1),
        range_of("10.0.0.0/16", "b", stamp=5),
        range_of("10.0.0.0/12", "b", stamp=3),
        range_of("10.0.0.0/8", "c", stamp=4),
    ]
    named = {loser.claim.stamp: against.claim.stamp for loser, against in disputes(pools)}
    assert named == {3: 1, 4: 1, 5: 1}


def test_a_hundred_thousand_ranges_are_looked_through_in_one_sweep() -> None:
    """Deeply nested ones as well; of each two that meet only one stands."""
    chance = random.Random(7)
    pools = []
    for number in range(100_000):
        block = aligned(4, chance.getrandbits(32), chance.randint(12, 32))
        made = range_of("0.0.0.0/0", "abc"[number % 3])
        pools.append(made._replace(block=block, claim=made.claim._replace(stamp=number)))
    losers = {dispute.loser.claim.stamp for dispute in disputes(pools)}
    assert_apart([pool for pool in pools if pool.claim.stamp not in losers])
    assert 0 not in losers
    assert len(losers) > 10_000


def assert_apart(pools: list[Range]) -> None:
    """No two pools of different nodes meet: of sorted ones, none with those that it is within."""
    around: list[Range] = []
    for pool in sorted(pools, key=lambda each: each.block):
        while around and not around[-1].block.holds(pool.block):
            around.pop()
        assert all(each.node == pool.node for each in around)
        around.append(pool)


PRESENT = [
    range_of("10.0.0.0/16", "a", "pool", 1),
    range_of("10.0.7.0/24", "a", "serves", 2),
    range_of("192.168.0.0/24", "b", "serves", 3),
]


@pytest.mark.parametrize(
    ("text", "node", "purpose", "code", "message"),
    [
        ("10.0.1.0/24", "b", "pool", "taken", "there is 10.0.0.0/16, pool of a"),
        ("10.0.0.0/8", "b", "pool", "taken", "10.0.0.0/8 cannot be given to b as pool"),
        ("10.0.0.0/16", "a", "pool", "taken", "there is 10.0.0.0/16, pool of a"),
        ("192.168.0.0/24", "a", "serves", "taken", "there is 192.168.0.0/24, served by b"),
        ("10.0.1.0/24", "b", "serves", "foreign_pool", "lies in 10.0.0.0/16, pool of a: let a"),
        ("10.0.0.0/16", "b", "serves", "foreign_pool", "let a give it out, or split the pool"),
    ],
)
def test_what_could_not_stand_is_not_added(
    text: str, node: str, purpose: str, code: str, message: str
) -> None:
    """The block in the way is named."""
    new = range_of(text, node, purpose, stamp=0)
    with pytest.raises(BlocksRefused) as refused:
        refuse_clash(new, PRESENT)
    assert refused.value.code == f"range.{code}"
    assert message in refused.value.message
    assert len(refused.value.blocks) == 1


@pytest.mark.parametrize(
    ("text", "node", "purpose"),
    [
        ("10.0.1.0/24", "a", "pool"),
        ("10.0.1.0/24", "a", "serves"),
        ("10.0.0.0/8", "b", "serves"),
        ("192.168.0.0/25", "a", "serves"),
        ("10.0.1.0/24", "b", "peers"),
        ("10.0.1.0/24", "b", "admin"),
        ("10.1.0.0/16", "b", "pool"),
    ],
)
def test_what_can_stand_is_added(text: str, node: str, purpose: str) -> None:
    """Nested, around, beside, or for a purpose that takes no space."""
    new = range_of(text, node, purpose, stamp=9)
    refuse_clash(new, PRESENT)
    assert disputes([*PRESENT, new]) == []


@pytest.mark.parametrize(
    ("text", "node", "purpose", "hint"),
    [
        ("10.0.1.0/24", "b", "pool", "; a can give it away by splitting that pool"),
        ("10.0.0.0/16", "b", "pool", "; name another block, or release that one first"),
        ("10.0.0.0/16", "a", "pool", "; it is so already"),
        ("10.0.0.0/8", "b", "pool", "; the largest block in it that no other node has as a pool "
         "is 10.128.0.0/9"),
        ("10.0.0.0/15", "b", "pool", "; the largest block in it that no other node has as a pool "
         "is 10.1.0.0/16"),
        ("192.168.0.0/24", "a", "serves", "; blocks within it may be served, such as "
         "192.168.0.0/25"),
        ("192.168.7.7/32", "a", "serves", "; name another block, or release that one first"),
    ],
)  # fmt: skip
def test_what_could_be_added_instead_is_told(text: str, node: str, purpose: str, hint: str) -> None:
    """It can, where it is a block."""
    present = [*PRESENT, range_of("192.168.7.7/32", "b", "serves", 4)]
    with pytest.raises(BlocksRefused) as refused:
        refuse_clash(range_of(text, node, purpose, stamp=9), present)
    assert refused.value.message.endswith(hint)
    block = hint.rpartition(" ")[2]
    if "/" in block:
        refuse_clash(range_of(block, node, purpose, stamp=9), present)


def test_where_no_block_within_is_free_it_is_told() -> None:
    """All of it is pools of others."""
    present = [range_of("10.0.0.0/25", "a", "pool", 1), range_of("10.0.0.128/25", "c", "pool", 2)]
    with pytest.raises(BlocksRefused) as refused:
        refuse_clash(range_of("10.0.0.0/24", "b", "pool", stamp=9), present)
    assert refused.value.message.endswith("; all of it is pools of other nodes")


def test_every_purpose_is_known_to_messages() -> None:
    """No range is without words."""
    for purpose in Purpose:
        assert str(range_of("10.0.0.0/8", "berlin", purpose)).endswith(" berlin")
    assert BITS.keys() == {4, 6}
