"""Blocks of addresses as tests write them."""

from __future__ import annotations

from collections.abc import Iterable
from ipaddress import ip_network

from service.herd.peers import Network


def networks(blocks: Iterable[str]) -> tuple[Network, ...]:
    """Blocks in CIDR notation."""
    parsed = map(ip_network, blocks)
    return tuple(Network(each.version, int(each[0]), int(each[-1])) for each in parsed)
