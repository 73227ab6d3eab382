"""Blocks as people write them."""

from __future__ import annotations

import re

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from records.errors import ValueRefused
from records.kinds.network import CidrKind
from service.ranges.blocks import Address, Block
from service.ranges.errors import NotationRefused
from service.ranges.notation import read_address, read_block, read_blocks
from tests.service.ranges.small import spaces, within

REFUSED = {
    # What is written: the code, and what the message has to say.
    "10.0.0.1/8": ("host_bits", "10.0.0.1/8 has host bits set; the block is 10.0.0.0/8"),
    "2001:db8::1/32": ("host_bits", "the block is 2001:db8::/32"),
    "010.0.0.0/8": ("octal", "write 8.0.0.0/8 or 10.0.0.0/8"),
    "10.0.0.08/32": ("octal", "write 10.0.0.8/32"),
    "0x0a.0.0.0/8": ("hexadecimal", "write 10.0.0.0/8"),
    "0x0a000000/8": ("hexadecimal", "write 10.0.0.0/8"),
    "10/8": ("abbreviated", "10/8 is abbreviated; write 10.0.0.0/8"),
    "10.1/16": ("abbreviated", "write 10.1.0.0/16"),
    "192.168.7": ("abbreviated", "write 192.168.7.0/24"),
    "167772160/8": ("abbreviated", "is one number; write 10.0.0.0/8"),
    "10.0.0.0/0.255.255.255": ("hostmask", "write 10.0.0.0/8"),
    "10.0.0.0/255.0.0.0": ("netmask", "write 10.0.0.0/8"),
    "10.0.0.0/255.0.255.0": ("prefix", "is no number of bits"),
    "2001:db8::/ffff:ffff::": ("netmask", "write 2001:db8::/32"),
    "2001:db8::/::ffff": ("hostmask", "write 2001:db8::/112"),
    "fe80::%eth0/64": ("zone", "names a zone, which no other machine knows; write fe80::/64"),
    "fe80::1%1": ("zone", "write fe80::1/128"),
    "::ffff:10.0.0.0/104": ("mapped", "is IPv4 in IPv6; write 10.0.0.0/8"),
    "::ffff:a00:1/128": ("mapped", "write 10.0.0.1/32"),
    "::ffff:0:0/96": ("mapped", "write 0.0.0.0/0"),
    "::1:0/112": ("mapped", "write 0.1.0.0/16"),
    "::10.0.0.0/104": ("mapped", "write 10.0.0.0/8"),
    "": ("empty", "nothing is written here; write a block such as 10.0.0.0/8"),
    " \t": ("empty", "nothing is written here"),
    "/8": ("empty", "/8 has no address in it"),
    " 10.0.0.0/8": ("blanks", "write 10.0.0.0/8"),
    "10.0.0.0 /8": ("blanks", "write 10.0.0.0/8"),
    "10.0.0.0/ 8": ("prefix", "write 10.0.0.0/8"),
    "10.0.0.0/8\n": ("prefix", r"10.0.0.0/8\n: what follows the slash is no number"),
    "10.0.0.0/+8": ("prefix", "write 10.0.0.0/8"),
    "10.0.0.0/08": ("prefix", "write 10.0.0.0/8"),
    "10.0.0.0/": ("prefix", "has no prefix length; write 10.0.0.0/32 for this one address"),
    "10.0.0.1": ("prefix", "has no prefix length; write 10.0.0.1/32 for this one address"),
    "10.0.0.0/33": ("prefix", "no longer than 32"),
    "2001:db8::/129": ("prefix", "no longer than 128"),
    "10.0.0.0/-1": ("prefix", "is no number of bits"),
    "10.0.0.0/eight": ("prefix", "is no number of bits"),
    "10.0.0.256/32": ("octet", "256 is not between 0 and 255"),
    "1.2.3.4.5/8": ("notation", "has 5 numbers where an IPv4 address has four"),
    "10.0.0.0/8/9": ("notation", "more than one slash"),
    "[2001:db8::]/32": ("notation", "has the brackets of a URL; write 2001:db8::/32"),
    "10.0.0.1:80": ("notation", "has a port; write 10.0.0.1/32"),
    "berlin": ("notation", "berlin is no IPv4 or IPv6 address; write a block such as"),
    "2001:db8/32": ("notation", "is no IPv4 or IPv6 address"),
    "٣0.0.0.0/8": ("notation", "is no IPv4 or IPv6 address"),
    "10.0.*.*": ("span", "is not written as a block; write 10.0.0.0/16"),
    "10.0.0.0-10.0.0.255": ("span", "is not written as a block; write 10.0.0.0/24"),
    "10.0.0.1-10.0.0.2": ("span", "is 2 blocks, and one is wanted"),
    "a-b": ("span", "a-b is no block; write a block such as"),
}


@pytest.mark.parametrize("text", REFUSED)
def test_what_is_no_block_is_refused_with_what_would_be(text: str) -> None:
    """The code, what is wrong, and what to write."""
    code, message = REFUSED[text]
    with pytest.raises(NotationRefused) as refused:
        read_block(text)
    assert refused.value.code == f"range.{code}"
    assert message in refused.value.message


@pytest.mark.parametrize(
    "text", ["10.0.0.0/8", "0.0.0.0/0", "::/0", "::1/128", "::ffff/128", "2001:DB8:0::/32"]
)
def test_a_block_in_standard_notation_is_taken(text: str) -> None:
    """Both families, from everything to one address."""
    assert read_block(text).network == CidrKind().from_json(text)


def test_a_long_text_is_named_in_short() -> None:
    """No message is as long as what somebody sends, and none has signs that do not print."""
    with pytest.raises(NotationRefused) as refused:
        read_block("\x1b" + "9" * 100_000)
    assert len(refused.value.message) < 200
    assert refused.value.message.isprintable()


SIGNS = "019.:/%*,-xaf \n[]+g"
SUGGESTED = re.compile(r"(?:write|block is|or) ([0-9a-f:.]+/[0-9]+)")


@settings(deadline=None)
@given(st.text(SIGNS, max_size=24) | st.text(max_size=8))
@example("10.0.0.1/0")
@example("::ffff:1.2.3.4/95")
@example("::1:0/112")
def test_whatever_is_written_is_taken_or_refused_with_something_that_works(text: str) -> None:
    """What is taken, a Cidr field takes too; and every suggestion is taken."""
    try:
        taken = read_block(text)
    except NotationRefused as refused:
        for suggestion in SUGGESTED.findall(refused.message):
            assert str(read_block(suggestion)) == suggestion
    else:
        assert CidrKind().from_json(text) == taken.network


@settings(deadline=None)
@given(st.data())
def test_what_is_shown_is_read_as_it_was(data: st.DataObject) -> None:
    """Any block, through its text; and through a field of type Cidr."""
    block = data.draw(within(data.draw(spaces)))
    assert read_blocks(str(block)) == [block]
    assert Block.of(CidrKind().from_json(str(block))) == block


@settings(deadline=None)
@given(st.text(SIGNS, max_size=30))
def test_a_field_and_the_reading_of_blocks_disagree_about_one_place_only(text: str) -> None:
    """What a Cidr field takes is a block, unless it is IPv4 in IPv6 by its old name."""
    try:
        value = CidrKind().from_json(text)
    except ValueRefused:
        return
    if value.version == 6 and value.prefixlen >= 96 and int(value.network) >> 32 == 0:
        return
    assert read_block(text).network == value


ADDRESSES = {
    "10.0.0.256": ("octet", "256 is not between 0 and 255"),
    "10.1": ("abbreviated", "write 10.1.0.0"),
    "010.0.0.1": ("octal", "write 8.0.0.1 or 10.0.0.1"),
    "": ("empty", "an empty text has no address in it"),
    "fe80::1%eth0": ("zone", "write fe80::1"),
    "::ffff:10.0.0.1": ("mapped", "::ffff:10.0.0.1 is IPv4 in IPv6; write 10.0.0.1"),
    "10.0.0.0/8": ("notation", "is no IPv4 or IPv6 address; write an address such as"),
}


@pytest.mark.parametrize("text", ADDRESSES)
def test_what_is_no_address_is_refused_with_what_would_be(text: str) -> None:
    """As for blocks."""
    code, message = ADDRESSES[text]
    with pytest.raises(NotationRefused) as refused:
        read_address(text)
    assert refused.value.code == f"range.{code}"
    assert message in refused.value.message


@pytest.mark.parametrize("text", ["0.0.0.0", "10.0.0.1", "::", "::1", "2001:db8::1"])
def test_an_address_in_standard_notation_is_taken(text: str) -> None:
    """Also the first ones, which are false to netaddr."""
    address = read_address(text)
    assert str(address) == text
    assert address == Address(6 if ":" in text else 4, address.number)
