"""Network blocks in SQL: conditions over the bytes in which `records.kinds.network` keeps them.

A block is its first address in 16 bytes and then its prefix length in one, counted for IPv6. Blocks
never overlap by halves, so the blocks within another are those that begin in it and are not larger:
one range of bytes. IPv4 lies in the midst of IPv6's addresses; a block of IPv6 around that place
leaves it out.
"""

from __future__ import annotations

from typing import Any

from records.kinds.base import Kind
from records.kinds.network import AddressKind, CidrKind
from service.ranges.blocks import Block

_WIDTH = 128
_IPV4 = (0xFFFF << 32, (0xFFFF << 32) | 0xFFFFFFFF)
_IPV4_PREFIX = 96

Range = tuple[bytes, bytes]


def within(kind: Kind, block: Any) -> list[Range]:
    """The ranges of bytes, ends included, of all that lies within a block.

    `kind` is that of the field: addresses, or blocks.
    """
    first, bits = _unpacked(block)
    last = first | ((1 << (_WIDTH - bits)) - 1)
    pieces = [(first, last)]
    if bits < _IPV4_PREFIX and first <= _IPV4[0] and _IPV4[1] <= last:
        pieces = [(first, _IPV4[0] - 1), (_IPV4[1] + 1, last)]
    if isinstance(kind, AddressKind):
        return [(_bytes(low), _bytes(high)) for low, high in pieces if low <= high]
    return [
        (_bytes(low) + bytes([bits if low == first else 0]), _bytes(high) + bytes([_WIDTH]))
        for low, high in pieces
        if low <= high
    ]


def around(block: Any, least: int = 0) -> tuple[bytes, ...]:
    """The bytes of every block that contains this one, itself among them.

    `least` is the prefix length of the largest of them, in the family of the block.
    """
    first, bits = _unpacked(block)
    if _IPV4[0] <= first <= _IPV4[1]:
        least += _IPV4_PREFIX
    return tuple(
        _bytes(first >> (_WIDTH - length) << (_WIDTH - length)) + bytes([length])
        for length in range(least, bits + 1)
    )


def block_of(packed: bytes) -> Block:
    """The block that these seventeen bytes stand for."""
    first, bits = int.from_bytes(packed[:16], "big"), packed[16]
    if _IPV4[0] <= first <= _IPV4[1]:
        return Block(4, first - _IPV4[0], bits - _IPV4_PREFIX)
    return Block(6, first, bits)


def _unpacked(block: Any) -> tuple[int, int]:
    """The first address and the prefix length."""
    packed = CidrKind().to_database(block)
    return int.from_bytes(packed[:16], "big"), packed[16]


def _bytes(address: int) -> bytes:
    """An address in 16 bytes."""
    return address.to_bytes(16, "big")
