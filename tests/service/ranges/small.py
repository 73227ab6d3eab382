"""Small spaces of both families, in which every operation can be checked against sets of integers.

Sixty-four addresses each: in the middle of a family, and at both of its ends.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from uuid import NAMESPACE_OID, UUID, uuid5

from hypothesis import strategies as st

from records.stamps import Version
from service.ranges.blocks import Block
from service.ranges.notation import read_block
from service.ranges.values import Purpose, Range

SPACES = [
    read_block(text)
    for text in (
        "10.0.0.64/26",
        "0.0.0.0/26",
        "255.255.255.192/26",
        "2001:db8::40/122",
        "::/122",
        "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffc0/122",
    )
]
spaces = st.sampled_from(SPACES)


def block(text: str) -> Block:
    """A block by its notation."""
    return read_block(text)


def blocks(*texts: str) -> list[Block]:
    """Blocks by their notations, in order."""
    return sorted(map(read_block, texts))


@st.composite
def within(draw: st.DrawFn, space: Block, shortest: int = 0) -> Block:
    """A block of a space; `shortest` bits smaller than it, at least."""
    deeper = draw(st.integers(shortest, 6))
    size = 64 >> deeper
    return Block(
        space.family,
        space.first + size * draw(st.integers(0, 64 // size - 1)),
        space.length + deeper,
    )


def sets(space: Block, most: int = 12) -> st.SearchStrategy[list[Block]]:
    """Some blocks of a space, in no order."""
    return st.lists(within(space), max_size=most)


@st.composite
def space_and_blocks(draw: st.DrawFn) -> tuple[Block, list[Block]]:
    """A space, and some of its blocks."""
    space = draw(spaces)
    return space, draw(sets(space))


@st.composite
def ranges(draw: st.DrawFn, most: int = 10) -> list[Range]:
    """Ranges of three nodes in one space, whose claims may be equal."""
    space = draw(spaces)
    return [
        Range(
            UUID(int=number),
            draw(st.sampled_from("abc")),
            draw(within(space)),
            draw(st.sampled_from([Purpose.POOL, Purpose.SERVES, Purpose.ADMIN])),
            Version(draw(st.integers(1, 5)), draw(st.integers(1, 2))),
        )
        for number in draw(st.lists(st.integers(0, 99), max_size=most, unique=True))
    ]


def addresses(given: Block) -> set[int]:
    """The addresses of a block, as Python's own library counts them."""
    return {int(each) for each in ipaddress.ip_network(str(given))}


def all_addresses(given: Iterable[Block]) -> set[int]:
    """The addresses of all these blocks."""
    return {number for each in given for number in addresses(each)}


def range_of(text: str, node: str, purpose: str = "pool", stamp: int = 1) -> Range:
    """A range whose id is made of what it is."""
    number = uuid5(NAMESPACE_OID, f"{text} {node} {purpose} {stamp}")
    return Range(number, node, read_block(text), Purpose(purpose), Version(stamp, 1))
