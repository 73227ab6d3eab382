"""Which node serves an address."""

from __future__ import annotations

import pickle

import pytest

from service.ranges.blocks import Address
from service.ranges.lookup import Locator
from service.ranges.notation import read_address
from service.ranges.prefixes import Prefixes
from tests.service.ranges.small import block, range_of


def node_of(locator: Locator, text: str) -> str | None:
    """The node that serves an address."""
    found = locator.locate(read_address(text))
    return found.node if found else None


RANGES = [
    range_of("0.0.0.0/0", "everybody", "serves"),
    range_of("10.0.0.0/8", "wide", "serves"),
    range_of("10.1.0.0/16", "narrow", "serves"),
    range_of("10.1.1.1/32", "one", "serves"),
    range_of("10.1.1.0/24", "pool"),
    range_of("10.1.1.0/24", "admin", "admin"),
    range_of("2001:db8::/32", "six", "serves"),
]


@pytest.mark.parametrize(
    ("address", "node"),
    [
        ("10.1.1.1", "one"),
        ("10.1.1.2", "narrow"),
        ("10.1.255.255", "narrow"),
        ("10.2.0.0", "wide"),
        ("11.0.0.0", "everybody"),
        ("0.0.0.0", "everybody"),
        ("2001:db8::1", "six"),
        ("2001:db9::", None),
        ("::a01:101", None),
    ],
)
def test_the_longest_prefix_decides(address: str, node: str | None) -> None:
    """Of the ranges that serve, and of the address's own family."""
    number = int(address[2:].replace(":", "").zfill(8), 16) if address == "::a01:101" else None
    where = Address(6, number) if number else read_address(address)
    found = Locator(RANGES).locate(where)
    assert (found.node if found else None) == node


def test_the_earliest_claim_to_a_block_stands_whatever_the_order() -> None:
    """And the next one where that is released."""
    claims = [range_of("10.0.0.0/8", node, "serves", stamp) for stamp, node in enumerate("abc", 1)]
    for order in (claims, claims[::-1], [claims[1], claims[0], claims[2]]):
        locator = Locator(order)
        assert node_of(locator, "10.0.0.1") == "a"
        locator.remove(claims[1])
        assert node_of(locator, "10.0.0.1") == "a"
        locator.remove(claims[0])
        assert node_of(locator, "10.0.0.1") == "c"
        locator.remove(claims[2])
        assert node_of(locator, "10.0.0.1") is None


def test_what_is_not_known_can_be_removed() -> None:
    """A range of another purpose, or one that was removed before."""
    locator = Locator(RANGES)
    locator.remove(RANGES[4])
    locator.remove(RANGES[3])
    locator.remove(RANGES[3])
    assert node_of(locator, "10.1.1.1") == "narrow"


def churned(texts: list[str]) -> Prefixes[str]:
    """A map into which blocks came, each to go before the next."""
    prefixes: Prefixes[str] = Prefixes()
    for text in texts:
        prefixes.put(block(text), "")
        prefixes.put(block(text), "")
        prefixes.drop(block(text))
    return prefixes


def test_nothing_stays_of_what_is_gone() -> None:
    """A node that is up for years sees many ranges."""
    one = churned(["10.0.0.0/24"])
    many = churned([f"{n}.{n}.{n}.0/24" for n in range(256)])
    assert len(pickle.dumps(many)) == len(pickle.dumps(one))


def test_all_blocks_that_hold_an_address_can_be_asked_for() -> None:
    """The smallest first."""
    prefixes: Prefixes[str] = Prefixes()
    for each in RANGES:
        prefixes.put(each.block, each.node)
    address = read_address("10.1.1.1")
    assert list(prefixes.all(address)) == ["one", "admin", "narrow", "wide", "everybody"]
    assert len(prefixes) == 6
    prefixes.drop(block("10.1.1.1/32"))
    assert prefixes.longest(address) == "admin"
    with pytest.raises(KeyError):
        prefixes.drop(block("10.1.1.1/32"))
