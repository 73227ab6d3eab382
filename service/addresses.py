"""IP addresses of those at the other end of a connection, as all rooms compare them."""

from __future__ import annotations

import ipaddress


def plain(address: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    """The address; that of an IPv4 caller of an IPv6 listener is its own. ValueError for others."""
    parsed = ipaddress.ip_address(address)
    mapped = parsed.ipv4_mapped if parsed.version == 6 else None
    return mapped or parsed
