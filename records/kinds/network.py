"""Network addresses and blocks, with netaddr as their arithmetic.

Both are kept as bytes that sort and compare as the addresses do. IPv4 stands in the place IPv6 has
for it (`::ffff:0:0/96`, RFC 4291, 2.5.5.2); IPv6 addresses written into that place are refused, so
that nothing has two forms.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal, TypeAlias

from netaddr import INET_PTON, AddrFormatError, IPAddress, IPNetwork

from records.errors import ValueRefused
from records.kinds.base import JsonSchema, Kind, refuse_format, refuse_type

NETWORK_VALUES = (IPAddress, IPNetwork)
"""The types of the plain values of this module."""

Block: TypeAlias = IPNetwork
"""A block of addresses, as `CidrKind` has it in Python."""

_MAPPED = 0xFFFF << 32
_IPV4 = re.compile(r"(?:(?:0|[1-9][0-9]{0,2})\.){3}(?:0|[1-9][0-9]{0,2})", re.ASCII)
_IPV6 = re.compile(r"[0-9a-fA-F:.]*:[0-9a-fA-F:.]*", re.ASCII)
_PREFIX = re.compile(r"0|[1-9][0-9]{0,2}", re.ASCII)


def _pack(address: IPAddress) -> bytes:
    """Sixteen bytes, IPv4 in its mapped place."""
    number = int(address)
    return (number | _MAPPED if address.version == 4 else number).to_bytes(16, "big")


def _unpack(packed: bytes) -> IPAddress:
    """The address behind sixteen bytes."""
    number = int.from_bytes(packed, "big")
    if number >> 32 == 0xFFFF:
        return IPAddress(number & 0xFFFFFFFF, 4)
    return IPAddress(number, 6)


def parse_address(text: str) -> IPAddress | None:
    """An address in its full standard notation; no octal, no short forms, no zone."""
    if _IPV4.fullmatch(text):
        family: Literal[4, 6] = 4
    elif _IPV6.fullmatch(text):
        family = 6
    else:
        return None
    try:
        # Left to itself netaddr tries IPv4 first, and its refusal holds itself in a circle.
        return IPAddress(text, version=family, flags=INET_PTON)
    except (AddrFormatError, ValueError):
        return None


def _refuse_mapped(address: IPAddress) -> None:
    """Refuse IPv4 written as IPv6: it would be the same address under a second name."""
    if address.version == 6 and int(address) >> 32 == 0xFFFF:
        plain = IPAddress(int(address) & 0xFFFFFFFF, 4)
        raise ValueRefused("value.mapped_address", f"{address} is IPv4 in IPv6; write {plain}")


@dataclass(frozen=True)
class AddressKind(Kind):
    """An IPv4 or IPv6 address, BINARY(16). Python: `netaddr.IPAddress`."""

    def check(self, value: object) -> IPAddress:
        """An address that has no second form."""
        if not isinstance(value, IPAddress):
            refuse_type("an IP address", value)
        _refuse_mapped(value)
        return value

    def from_json(self, value: object) -> IPAddress:
        """Standard notation."""
        if not isinstance(value, str):
            refuse_type("an IP address", value)
        address = parse_address(value)
        if address is None:
            refuse_format("an IPv4 or IPv6 address", value)
        return self.check(address)

    def to_json(self, value: IPAddress) -> str:
        """Canonical notation (RFC 5952 for IPv6)."""
        return str(value)

    def to_database(self, value: IPAddress) -> bytes:
        """Sixteen bytes."""
        return _pack(value)

    def from_database(self, raw: bytes) -> IPAddress:
        """From sixteen bytes."""
        return _unpack(raw)

    def json_schema(self) -> JsonSchema:
        """An address of either family."""
        return {"type": "string", "anyOf": [{"format": "ipv4"}, {"format": "ipv6"}]}

    def index_bytes(self) -> int:
        """Sixteen."""
        return 16


@dataclass(frozen=True)
class CidrKind(Kind):
    """An IPv4 or IPv6 block, BINARY(17): first address and prefix length. Python: `IPNetwork`."""

    def check(self, value: object) -> IPNetwork:
        """A block without host bits and without a second form."""
        if not isinstance(value, IPNetwork):
            refuse_type("a network block", value)
        if value.ip != value.network:
            raise ValueRefused(
                "value.host_bits", f"{value} has host bits set; the block is {value.cidr}"
            )
        _refuse_mapped(value.network)
        return value

    def from_json(self, value: object) -> IPNetwork:
        """`ADDRESS/PREFIX`, the address whole and the prefix a number of bits."""
        if not isinstance(value, str):
            refuse_type("a network block such as 10.0.0.0/8", value)
        first, _, prefix = value.partition("/")
        address = parse_address(first)
        longest = 0 if address is None else 32 if address.version == 4 else 128
        if address is None or not _PREFIX.fullmatch(prefix) or int(prefix) > longest:
            refuse_format("a network block such as 10.0.0.0/8 or 2001:db8::/32", value)
        return self.check(IPNetwork((int(address), int(prefix)), version=address.version))

    def to_json(self, value: IPNetwork) -> str:
        """Canonical notation."""
        return str(value)

    def to_database(self, value: IPNetwork) -> bytes:
        """First address in sixteen bytes, then the prefix length in one, counted for IPv6."""
        bits = value.prefixlen + (96 if value.version == 4 else 0)
        return _pack(value.network) + bytes([bits])

    def from_database(self, raw: bytes) -> IPNetwork:
        """From seventeen bytes."""
        address = _unpack(raw[:16])
        bits = raw[16] - (96 if address.version == 4 else 0)
        return IPNetwork((int(address), bits), version=address.version)

    def json_schema(self) -> JsonSchema:
        """A block of either family."""
        return {"type": "string", "format": "cidr"}

    def index_bytes(self) -> int:
        """Seventeen."""
        return 17
