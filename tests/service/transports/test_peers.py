"""How clients are named, to limits and to the changelog."""

from __future__ import annotations

import pytest
from twisted.internet.address import IPv4Address, IPv6Address, UNIXAddress

from service.transports.peers import address_at, principal_at


@pytest.mark.parametrize(
    ("peer", "address", "principal"),
    [
        (IPv4Address("TCP", "192.0.2.7", 1), "192.0.2.7", "api:192.0.2.7"),
        (IPv6Address("TCP", "::ffff:192.0.2.7", 1), "192.0.2.7", "api:192.0.2.7"),
        (IPv6Address("TCP", "2001:db8::7", 1), "2001:db8::7", "api:2001:db8::7"),
        (UNIXAddress(None), None, "api:unix"),
    ],
    ids=["IPv4", "IPv4 on an IPv6 listener", "IPv6", "a socket"],
)
def test_a_client_has_one_name_on_all_listeners(
    peer: object, address: str | None, principal: str
) -> None:
    """So that whoever looks for an address in the changelog finds all that was written from it."""
    assert (address_at(peer), principal_at(peer)) == (address, principal)
