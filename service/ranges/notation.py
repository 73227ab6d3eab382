"""Blocks written by people: one block, strictly; or, for imports, whatever stands for blocks.

Every refusal says which text it is about, what is wrong with it, and what to write instead.
"""

from __future__ import annotations

import re

from records.kinds.network import parse_address
from service.ranges import spans
from service.ranges.addresses import either, ipv4_within, read_address, slip_in
from service.ranges.blocks import BITS, Address, Block, aligned
from service.ranges.errors import NotationRefused, shown

__all__ = ["MOST_BLOCKS", "read_address", "read_block", "read_blocks"]

MOST_BLOCKS = 1_000
"""How many blocks one text may stand for: `10.*.0-2.*` stands for 512, and most who write more have
forgotten a dot."""

_DIGITS = re.compile(r"[0-9]{1,3}", re.ASCII)
_SUCH_AS = "a block such as 10.0.0.0/8 or 2001:db8::/32"


def read_block(text: str) -> Block:
    """The block written as `ADDRESS/PREFIX`: a whole address without host bits, and a number.

    What a field of type Cidr takes is taken, but for `::10.0.0.0/104` and its like. Raises
    NotationRefused.
    """
    _refuse_shape(text)
    head, _, tail = text.partition("/")
    address = _read_head(text, head, tail)
    length = _read_length(text, address)
    if length >= 96 and (plain := ipv4_within(address)) is not None:
        meant = aligned(4, plain.number, length - 96)
        raise NotationRefused("range.mapped", f"{text} is IPv4 in IPv6; write {meant}")
    block = aligned(address.family, address.number, length)
    if block.first != address.number:
        message = f"{text} has host bits set; the block is {block}"
        raise NotationRefused("range.host_bits", message)
    return block


def read_blocks(text: str, most: int = MOST_BLOCKS) -> list[Block]:
    """The fewest blocks, in order, of a block or of what imports may hold besides.

    That is wildcards (`10.0.*.*`), two addresses (`10.0.0.1-10.0.0.99`), and several numbers in an
    octet (`10.0.0-3.*`, `10.0.0.1,7`). Raises NotationRefused; also where it stands for more than
    `most` blocks.
    """
    if any(sign in text for sign in spans.SIGNS):
        return spans.read_span(text, most)
    return [read_block(text)]


def _refuse_shape(text: str) -> None:
    """Refuse what is no `ADDRESS/PREFIX` at first sight."""
    if not text.strip():
        raise NotationRefused("range.empty", f"nothing is written here; write {_SUCH_AS}")
    if text.count("/") > 1:
        fault = f"{shown(text)} has more than one slash; write {_SUCH_AS}"
        raise NotationRefused("range.notation", fault)
    if any(sign in text for sign in spans.SIGNS) and "/" not in text:
        raise NotationRefused("range.span", f"{shown(text)} {_instead_of_span(text)}")


def _instead_of_span(text: str) -> str:
    """What to say of a wildcard or the like where one block is wanted."""
    try:
        blocks = spans.read_span(text, MOST_BLOCKS)
    except NotationRefused:
        return f"is no block; write {_SUCH_AS}"
    if len(blocks) == 1:
        return f"is not written as a block; write {blocks[0]}"
    some = ", ".join(map(str, blocks[:3]))
    more = ", and so on" if len(blocks) > 3 else ""
    return f"is {len(blocks)} blocks, and one is wanted; write one of {some}{more}"


def _read_head(text: str, head: str, tail: str) -> Address:
    """The address before the slash."""
    parsed = parse_address(head)
    if parsed is not None:
        return Address.of(parsed)
    slip = slip_in(head)
    meant = [
        aligned(each.family, each.number, _length(tail, each.family, slip.written))
        for each in slip.meant
    ]
    fault = f"{shown(text)} {slip.fault}"
    raise NotationRefused(slip.code, f"{fault}; write {either(meant) or _SUCH_AS}")


def _length(tail: str, family: int, otherwise: int) -> int:
    """The prefix length after the slash, or another one where there is none that can be."""
    longest = BITS[family]
    if _DIGITS.fullmatch(tail) and int(tail) <= longest:
        return int(tail)
    return min(otherwise, longest)


def _read_length(text: str, address: Address) -> int:
    """The number after the slash."""
    _head, slash, tail = text.partition("/")
    longest = BITS[address.family]
    if not slash or not tail:
        fault = f"{text} has no prefix length"
        hint = f"write {address}/{longest} for this one address, or a shorter prefix for more"
        raise NotationRefused("range.prefix", f"{fault}; {hint}")
    if not _DIGITS.fullmatch(tail):
        _refuse_mask(text, address, tail)
    length = int(tail)
    if length > longest:
        fault = f"{text}: prefixes of IPv{address.family} are no longer than {longest}"
        raise NotationRefused("range.prefix", f"{fault}; write {address}/{longest}")
    if len(tail) > len(str(length)):
        fault = f"{text} has zeros before the prefix length"
        raise NotationRefused("range.prefix", f"{fault}; write {_at(address, length)}")
    return length


def _refuse_mask(text: str, address: Address, tail: str) -> None:
    """Refuse what is no number after the slash; masks are told the prefix they stand for."""
    mask = parse_address(tail)
    if mask is not None and mask.version == address.family:
        longest = BITS[address.family]
        for code, fault, spare in (
            ("range.netmask", "has a netmask", (1 << longest) - 1 - int(mask)),
            ("range.hostmask", "has a hostmask, a netmask turned around", int(mask)),
        ):
            if spare & (spare + 1) == 0:
                meant = _at(address, longest - spare.bit_length())
                raise NotationRefused(code, f"{text} {fault}; write {meant}")
    number = tail.strip().removeprefix("+")
    length = _length(number, address.family, BITS[address.family])
    fault = f"{shown(text)}: what follows the slash is no number of bits"
    raise NotationRefused("range.prefix", f"{fault}; write {_at(address, length)}")


def _at(address: Address, length: int) -> Block:
    """The block of this length that holds the address."""
    return aligned(address.family, address.number, length)
