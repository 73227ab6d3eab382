"""Addresses written by people: read strictly, and told what was probably meant where they are not.

What programs disagree about is refused: `010.0.0.1` is 8.0.0.1 to some and 10.0.0.1 to others,
`10.1` is 10.0.0.1 to some and 10.1.0.0 to others.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple

from records.kinds.network import parse_address
from service.ranges.blocks import Address
from service.ranges.errors import NotationRefused, shown

_NUMBER = re.compile(r"0[xX][0-9a-fA-F]{1,8}|[0-9]{1,12}", re.ASCII)
_PORT = re.compile(r"\[?(.*?)\]?:[0-9]{1,5}", re.ASCII)


class Slip(NamedTuple):
    """Why a text is no address: a code and the end of a sentence.

    Then the addresses that may have been meant, and how many bits of them were written.
    """

    code: str
    fault: str
    meant: tuple[Address, ...] = ()
    written: int = 32


def read_address(text: str) -> Address:
    """The address that a text stands for, in full standard notation.

    Raises NotationRefused with what is wrong and what to write instead.
    """
    parsed = parse_address(text)
    if parsed is None:
        slip = slip_in(text)
        instead = either(slip.meant) or "an address such as 10.0.0.1 or 2001:db8::1"
        subject = shown(text) if text.strip() else "an empty text"
        raise NotationRefused(slip.code, f"{subject} {slip.fault}; write {instead}")
    address = Address.of(parsed)
    if (plain := ipv4_within(address)) is not None:
        raise NotationRefused("range.mapped", f"{text} is IPv4 in IPv6; write {plain}")
    return address


def ipv4_within(address: Address) -> Address | None:
    """The IPv4 address that an IPv6 address is a second name of, if it is one.

    Both places of RFC 4291, 2.5.5: `::ffff:10.0.0.1`, and `::10.0.0.1`, which was given up in 2006.
    `::` and `::1` are IPv6.
    """
    place, low = address.number >> 32, address.number & 0xFFFFFFFF
    if address.family == 4 or place not in (0, 0xFFFF) or (place == 0 and low <= 0xFFFF):
        return None
    return Address(4, low)


def either(meant: Iterable[object]) -> str:
    """Some values as a choice: `a or b`."""
    return " or ".join(map(str, dict.fromkeys(meant)))


def slip_in(text: str) -> Slip:
    """What is wrong with a text that is no address."""
    for look in (_emptiness, _zone, _dress, _numbers):
        if (slip := look(text)) is not None:
            return slip
    return Slip("range.notation", "is no IPv4 or IPv6 address")


def _emptiness(text: str) -> Slip | None:
    """Nothing at all."""
    return None if text.strip() else Slip("range.empty", "has no address in it")


def _zone(text: str) -> Slip | None:
    """`fe80::1%eth0`."""
    bare, percent, _zone = text.partition("%")
    if not percent:
        return None
    return Slip("range.zone", "names a zone, which no other machine knows", _parsed(bare), 128)


def _dress(text: str) -> Slip | None:
    """Blanks, the brackets of a URL, a port."""
    if (meant := _parsed(text.strip())) or (meant := _parsed("".join(text.split()))):
        return Slip("range.blanks", "has blanks in it", meant, 128)
    if meant := _parsed(text.strip("[]")):
        return Slip("range.notation", "has the brackets of a URL", meant, 128)
    if (port := _PORT.fullmatch(text)) and (meant := _parsed(port[1])):
        return Slip("range.notation", "has a port", meant)
    return None


def _numbers(text: str) -> Slip | None:
    """Numbers with dots that are not four decimals below 256."""
    parts = text.split(".")
    if not all(_NUMBER.fullmatch(part) for part in parts):
        return None
    if len(parts) > 4:
        return Slip("range.notation", f"has {len(parts)} numbers where an IPv4 address has four")
    decimal = _whole(_value(part, 10) for part in parts)
    written = 8 * len(parts) if len(parts) > 1 or _value(parts[0], 10) < 256 else 32
    if any(part[:2] in ("0x", "0X") for part in parts):
        return Slip("range.hexadecimal", "is hexadecimal", decimal, written)
    if any(len(part) > 1 and part.startswith("0") for part in parts):
        octal = _whole(_value(part, 8) for part in parts)
        fault = "has leading zeros, octal to some programs and decimal to others"
        return Slip("range.octal", fault, octal + decimal, written)
    if len(parts) == 1 and decimal and written == 32:
        return Slip("range.abbreviated", "is one number", decimal)
    if large := [part for part in parts if int(part) > 255]:
        return Slip("range.octet", f"is no address: {large[0]} is not between 0 and 255")
    return Slip("range.abbreviated", "is abbreviated", decimal, written)


def _value(part: str, base: int) -> int:
    """A number as C reads it, leading zeros in the base given."""
    if part[:2] in ("0x", "0X"):
        return int(part, 16)
    octal = base == 8 and part.startswith("0") and not set(part) & {"8", "9"}
    return int(part, 8 if octal else 10)


def _whole(values: Iterable[int]) -> tuple[Address, ...]:
    """The address of up to four numbers, the missing ones 0; none where one is too large."""
    numbers = list(values)
    if len(numbers) == 1 and 255 < numbers[0] < 1 << 32:
        return (Address(4, numbers[0]),)
    if any(number > 255 for number in numbers):
        return ()
    return (Address(4, int.from_bytes(bytes(numbers).ljust(4, b"\0"), "big")),)


def _parsed(text: str) -> tuple[Address, ...]:
    """The address of a text in standard notation, in whichever form nobody refuses; or none."""
    parsed = parse_address(text)
    if parsed is None:
        return ()
    address = Address.of(parsed)
    return (ipv4_within(address) or address,)
