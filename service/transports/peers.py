"""Who is at the other end of a connection, as the changelog names callers."""

from __future__ import annotations

import socket
from typing import Any

from twisted.internet.address import IPv4Address, IPv6Address
from twisted.internet.interfaces import ITCPTransport
from twisted.protocols.tls import TLSMemoryBIOProtocol

from service.addresses import plain

_KEEP_ALIVE = {socket.TCP_KEEPIDLE: 60, socket.TCP_KEEPINTVL: 10, socket.TCP_KEEPCNT: 6}
"""Seconds of silence before the peer is asked, seconds between questions, and how many."""


def address_at(peer: object) -> str | None:
    """The IP address of a client over TCP, that of IPv4 also where it came over IPv6.

    None of one over a socket.
    """
    host = getattr(peer, "host", None)
    return None if host is None else str(plain(str(host)))


def principal_at(peer: object) -> str:
    """`api:127.0.0.1` for a client over TCP, `api:unix` for one over a socket."""
    return f"api:{address_at(peer) or 'unix'}"


def keep_alive(transport: Any) -> None:
    """Send small messages at once, and find out within two minutes that a peer is gone.

    Only over TCP. Twisted's transport of a socket in the file system has the methods as well, and
    the system refuses what they ask for.
    """
    transport = _wire_of(transport)
    over_tcp = isinstance(transport.getPeer(), IPv4Address | IPv6Address)
    if not over_tcp or not ITCPTransport.providedBy(transport):
        return
    transport.setTcpNoDelay(True)
    transport.setTcpKeepAlive(True)
    handle = transport.getHandle()
    for option, value in _KEEP_ALIVE.items():
        handle.setsockopt(socket.IPPROTO_TCP, option, value)


def _wire_of(transport: Any) -> Any:
    """The transport beneath TLS, or the transport itself."""
    return transport.transport if isinstance(transport, TLSMemoryBIOProtocol) else transport
