"""Listeners: what is accepted stays on this machine, as Twisted itself understands it."""

from __future__ import annotations

import ipaddress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.internet.endpoints import serverFromString
from twisted.internet.protocol import Factory
from twisted.internet.testing import MemoryReactor

from service.config.endpoints import check_endpoint, fixed_address
from service.config.problems import ValueWrong

ACCEPTED = [
    "tcp:8650:interface=127.0.0.1",
    "tcp:port=8650:interface=127.0.0.1",
    "tcp:0:interface=127.8.9.10:backlog=20",
    r"tcp6:8650:interface=\:\:1",
    "unix:/run/herdbook.sock",
    "unix:address=/run/herdbook.sock:mode=660",
]
REFUSED = {
    "": "no listener of kind ''",
    "8650": "no listener of kind '8650'",
    "tpc:8650": "did you mean tcp?",
    "tcp:": "the port is missing",
    "tcp:http:interface=127.0.0.1": "'http' is no port",
    "tcp:65536:interface=127.0.0.1": "'65536' is no port",
    "tcp:8650:port=8651:interface=127.0.0.1": "its port twice",
    "tcp:8650:127.0.0.1": "more than one argument without a name",
    "tcp:8650:interface=::1": "more than one argument without a name",
    "tcp:8650:interface=localhost": "no IP address",
    "tcp:8650:interface=": "whole network",
    "tcp:8650:interface=192.168.1.1": "not the loopback",
    "tcp:8650:interface=127.0.0.1:interface=0.0.0.0": "not the loopback",
    r"tcp:8650:interface\=127.0.0.1": "more than one argument",
    r"tcp:8650:interface=\:\:1": "does not fit tcp",
    "tcp6:8650:interface=127.0.0.1": "does not fit tcp6",
    "tcp:8650:interfase=127.0.0.1": "did you mean interface?",
    "tcp:8650:interface=127.0.0.1:backlog=x": "backlog is wrong",
    "unix:herdbook.sock": "not absolute",
    "systemd:domain=INET:index=0": "no listener of kind",
}


def listened(endpoint: str) -> tuple[list[str], list[str]]:
    """The interfaces and the sockets Twisted would listen on for an endpoint string."""
    reactor = MemoryReactor()  # type: ignore[no-untyped-call]
    server = serverFromString(reactor, endpoint)  # type: ignore[no-untyped-call]
    server.listen(Factory())
    interfaces = [port[3] for port in reactor.tcpServers]
    return interfaces, [path[0] for path in reactor.unixServers]


@pytest.mark.parametrize("endpoint", ACCEPTED)
def test_a_local_listener_is_accepted(endpoint: str) -> None:
    """Loopback addresses and sockets are taken as they are, and Twisted listens there."""
    assert check_endpoint(endpoint) == endpoint
    interfaces, sockets = listened(endpoint)
    assert len(interfaces) + len(sockets) == 1
    assert all(ipaddress.ip_address(interface).is_loopback for interface in interfaces)


@pytest.mark.parametrize("endpoint", REFUSED)
def test_any_other_listener_is_refused_with_the_reason(endpoint: str) -> None:
    """Malformed or not provably local: refused, with what to write."""
    with pytest.raises(ValueWrong) as caught:
        check_endpoint(endpoint)
    assert REFUSED[endpoint] in f"{caught.value.message}; {caught.value.advice}"


_pieces = st.sampled_from(
    [
        *("tcp", "tcp6", "unix", "8650", "port", "interface", "127.0.0.1", "0.0.0.0"),
        *("::1", r"\:\:1", r"\:\:", "/run/x", "mode", "backlog", "5", ":", "=", "\\", ""),
    ]
)


@given(st.lists(_pieces, max_size=9))
@settings(max_examples=400)
def test_nothing_that_is_accepted_listens_to_the_network(pieces: list[str]) -> None:
    """However a string is put together, once accepted Twisted stays on this machine with it."""
    for endpoint in ("".join(pieces), "tcp:8650:interface=127.0.0.1" + "".join(pieces)):
        try:
            check_endpoint(endpoint)
        except ValueWrong:
            continue
        interfaces, _ = listened(endpoint)
        assert all(ipaddress.ip_address(interface).is_loopback for interface in interfaces)


def test_only_fixed_places_can_collide() -> None:
    """Two listeners on port 0 get different ports; the same number or socket is one place."""
    assert fixed_address("tcp:0:interface=127.0.0.1") is None
    same = fixed_address("tcp:port=8650:interface=127.0.0.1")
    assert fixed_address("tcp:08650:interface=127.0.0.2") == same
    assert fixed_address("unix:/run/x") == fixed_address("unix:address=/run/x")
