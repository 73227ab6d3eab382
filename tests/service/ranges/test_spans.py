"""What stands for several blocks: wildcards, two addresses, several numbers in an octet."""

from __future__ import annotations

import ipaddress

import netaddr
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.ranges.errors import NotationRefused
from service.ranges.notation import read_blocks
from tests.service.ranges.small import all_addresses, blocks, spaces, within

TAKEN = {
    "10.0.*.*": ["10.0.0.0/16"],
    "*.*.*.*": ["0.0.0.0/0"],
    "10.0.0-3.*": ["10.0.0.0/22"],
    "10.0.0-2.0-255": ["10.0.0.0/23", "10.0.2.0/24"],
    "10.0-1.7.*": ["10.0.7.0/24", "10.1.7.0/24"],
    "10.0.0.1,7": ["10.0.0.1/32", "10.0.0.7/32"],
    "10.0.0.8-11,4-6,7,5": ["10.0.0.4/30", "10.0.0.8/30"],
    "10.0.0.1-10.0.0.6": ["10.0.0.1/32", "10.0.0.2/31", "10.0.0.4/31", "10.0.0.6/32"],
    "10.0.0.0 - 10.0.1.255": ["10.0.0.0/23"],
    "10.0.0.5-10.0.0.5": ["10.0.0.5/32"],
    "2001:db8::-2001:db8::1f": ["2001:db8::/123"],
    "10.0.0.0/8": ["10.0.0.0/8"],
}
REFUSED = {
    "10.*": ("span", "write all four octets, such as 10.*.*.*"),
    "10.0.0.9-10.0.0.1": ("span", "runs backwards; write 10.0.0.1-10.0.0.9"),
    "10.0.0.9-1": ("span", "9-1 runs backwards; write 10.0.0.1-9"),
    "10.0.0.1-2001:db8::1": ("span", "from one family to another"),
    "10.0.0.5-": ("span", "no octet"),
    "10.0.0.-5": ("span", "is no span"),
    "10.0.0.1,": ("span", "no octet"),
    "10.0.0.01-9": ("span", "'01-9' is no octet"),
    "10.0.0.7-256": ("octet", "256 is not between 0 and 255"),
    "10.0.0.1-10.0.0.256": ("octet", "10.0.0.256 is no address"),
    "10.0.0.1-010.0.0.9": ("octal", "write 8.0.0.9 or 10.0.0.9"),
    "10.0.0.1-::ffff:10.0.0.9": ("mapped", "write 10.0.0.9"),
    "10.0.0-3.0/24": ("span", "has a prefix and a span"),
    "2001:db8:*": ("span", "IPv6 has no wildcards"),
    "10.0.0.*.*": ("span", "is no span"),
    "a-b": ("span", "write one such as 10.0.*.*"),
    "-": ("span", "write one such as 10.0.*.*"),
    "*.*.*.0-2": ("too_many", "stands for 33,554,432 blocks; at most 1,000 are taken"),
}


@pytest.mark.parametrize("text", TAKEN)
def test_a_span_is_its_fewest_blocks(text: str) -> None:
    """In order."""
    assert read_blocks(text) == blocks(*TAKEN[text])


@pytest.mark.parametrize("text", REFUSED)
def test_what_is_no_span_is_refused_with_what_would_be(text: str) -> None:
    """The code, what is wrong, and what to write."""
    code, message = REFUSED[text]
    with pytest.raises(NotationRefused) as refused:
        read_blocks(text)
    assert refused.value.code == f"range.{code}"
    assert message in refused.value.message


def test_a_span_may_stand_for_as_many_blocks_as_it_is_said() -> None:
    """One more is refused, with their number."""
    assert len(read_blocks("10.0.0.1,3,5", most=3)) == 3
    with pytest.raises(NotationRefused, match="stands for 4 blocks; at most 3 are taken"):
        read_blocks("10.0.0.1,3,5,7", most=3)


def _octet(numbers: tuple[int, int]) -> str:
    low, high = sorted(numbers)
    return str(low) if low == high else f"{low}-{high}"


narrow = st.tuples(st.integers(0, 9), st.integers(0, 9)).map(_octet)
octets = st.lists(narrow, min_size=1, max_size=2).map(",".join) | st.just("0-255")


@settings(deadline=None)
@given(octets, octets)
def test_numbers_in_octets_mean_what_they_mean_to_netaddr(third: str, fourth: str) -> None:
    """The same addresses, in as few blocks as netaddr finds."""
    text = f"10.0.{third}.{fourth}"
    spelled = text if "-" in text or "," in text else f"{text},{fourth}"
    expected = netaddr.IPSet(map(str, netaddr.iter_nmap_range(text)))
    found = read_blocks(spelled, most=10_000)
    assert [each.network for each in found] == list(expected.iter_cidrs())


@settings(deadline=None)
@given(st.data())
def test_two_addresses_mean_all_between_them(data: st.DataObject) -> None:
    """The same addresses, in as few blocks as netaddr finds; in every space."""
    space = data.draw(spaces)
    one, other = sorted(data.draw(within(space)).first for _ in range(2))
    kind = ipaddress.IPv4Address if space.family == 4 else ipaddress.IPv6Address
    ends = [str(kind(each)) for each in (one, other)]
    found = read_blocks("-".join(ends))
    assert [each.network for each in found] == netaddr.iprange_to_cidrs(*ends)
    assert all_addresses(found) == set(range(one, other + 1))
