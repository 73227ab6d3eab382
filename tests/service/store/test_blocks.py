"""Blocks that hold each other, against a twin that only knows first and last addresses."""

from __future__ import annotations

from typing import Literal

from hypothesis import given
from hypothesis import strategies as st
from netaddr import IPAddress, IPNetwork

from records.kinds.network import CidrKind
from service.ranges.blocks import Block
from service.store.blocks import around, block_of, within

KIND = CidrKind()
MAPPED = range(0xFFFF << 32, (0xFFFF << 32) + 2**32)


@st.composite
def blocks(draw: st.DrawFn) -> IPNetwork:
    """Any block that the kind takes; often one of few, so that two of them meet."""
    version: Literal[4, 6] = draw(st.sampled_from([4, 6]))
    bits = 32 if version == 4 else 128
    number = draw(st.integers(0, 2**bits - 1) | st.sampled_from([0, 1, 2**bits - 1]))
    length = draw(st.integers(0, bits) | st.sampled_from([0, 1, 8, 24, bits]))
    first = number >> (bits - length) << (bits - length)
    if version == 6 and first in MAPPED:
        first, length = 0, 0
    return IPNetwork((first, length), version=version)


def shares(one: IPNetwork, other: IPNetwork) -> bool:
    """The twin."""
    if one.version != other.version:
        return False
    return bool(one.first <= other.last and other.first <= one.last)


@given(blocks(), blocks())
def test_what_overlaps_a_block_is_found_by_keys_and_spans(one: IPNetwork, other: IPNetwork) -> None:
    """As values of the database: either it holds the block, or it lies within."""
    stored = KIND.to_database(other)
    lies_within = any(low <= stored <= high for low, high in within(KIND, one))
    assert (stored in around(one) or lies_within) == shares(one, other)


@given(blocks())
def test_a_block_is_read_from_its_bytes(one: IPNetwork) -> None:
    """As the field's type reads it."""
    assert block_of(KIND.to_database(one)) == Block.of(one)


def test_the_holders_of_a_block_are_one_for_each_length() -> None:
    """The largest first, itself last."""
    found = around(IPNetwork("10.1.0.0/16"))
    assert [str(block_of(each)) for each in found[7:9]] == ["10.0.0.0/7", "10.0.0.0/8"]
    assert len(found) == 17
    assert block_of(found[-1]) == Block.of(IPNetwork("10.1.0.0/16"))
    assert len(around(IPNetwork(IPAddress("2001:db8::1")))) == 129


@given(blocks(), st.integers(0, 128))
def test_the_largest_holders_can_be_left_out(one: IPNetwork, least: int) -> None:
    """By their prefix length, as the family of the block counts it."""
    found = [block_of(each).length for each in around(one, least)]
    assert found == list(range(least, one.prefixlen + 1))
