"""Siblings: what is accepted stays on this machine, as Twisted itself understands it."""

from __future__ import annotations

import ipaddress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.internet.endpoints import clientFromString
from twisted.internet.protocol import Factory
from twisted.internet.testing import MemoryReactorClock

from service.config.problems import ValueWrong
from service.config.siblings import check_sibling, is_at

ACCEPTED = [
    "tcp:127.0.0.1:7001",
    "tcp:host=127.8.9.10:port=7001",
    "tcp:127.0.0.1:port=7001:timeout=5",
    r"tcp:\:\:1:7001",
    "unix:/run/herd.sock",
    "unix:path=/run/herd.sock:timeout=5",
]
REFUSED = {
    "": "no links of kind ''",
    "127.0.0.1:7001": "no links of kind",
    "tpc:127.0.0.1:7001": "did you mean tcp?",
    "tls:127.0.0.1:7001": "certificate, key and ca under [herd]",
    "ssl:127.0.0.1:7001": "certificate, key and ca under [herd]",
    "tcp:127.0.0.1": "the port is missing",
    "tcp:127.0.0.1:0": "'0' is no port",
    "tcp:127.0.0.1:99999": "'99999' is no port",
    "tcp:127.0.0.1:7001:30": "too many arguments",
    "tcp:127.0.0.1:7001:port=7002": "its port twice",
    "tcp:localhost:7001": "no IP address",
    "tcp:192.168.1.1:7001": "links without TLS stay on this machine",
    "tcp:0.0.0.0:7001": "neither an IP address nor the name of a host",
    "tcp:::1:7001": "too many arguments",
    "tcp:127.0.0.1:7001:bindAddress=10.0.0.1": "no argument 'bindAddress'",
    "tcp:127.0.0.1:7001:timeout=never": "timeout is wrong",
    "unix:herd.sock": "not absolute",
    "unix:": "not absolute",
}


def connected(endpoint: str) -> list[str]:
    """The hosts and sockets that Twisted would connect to."""
    reactor = MemoryReactorClock()  # type: ignore[no-untyped-call]
    client = clientFromString(reactor, endpoint)  # type: ignore[no-untyped-call]
    client.connect(Factory())
    hosts = [each[0] for each in reactor.tcpClients]
    return hosts + [each[0] for each in reactor.unixClients]


@pytest.mark.parametrize("endpoint", ACCEPTED)
def test_a_local_sibling_is_accepted(endpoint: str) -> None:
    """Loopback addresses and sockets are taken as they are, and Twisted connects there."""
    assert check_sibling(endpoint) == endpoint
    [place] = connected(endpoint)
    assert place == "/run/herd.sock" or ipaddress.ip_address(place).is_loopback


@pytest.mark.parametrize("endpoint", REFUSED)
def test_any_other_sibling_is_refused_with_the_reason(endpoint: str) -> None:
    """Malformed or not provably local: refused, with what to write."""
    with pytest.raises(ValueWrong) as caught:
        check_sibling(endpoint)
    assert REFUSED[endpoint] in f"{caught.value.message}; {caught.value.advice}"


_pieces = st.sampled_from(
    [
        *("tcp", "unix", "7001", "port", "host", "127.0.0.1", "10.0.0.1", "localhost"),
        *("::1", r"\:\:1", r"\:\:", "/run/x", "timeout", "path", "5", ":", "=", "\\", ""),
    ]
)


@given(st.lists(_pieces, max_size=9))
@settings(max_examples=400)
def test_nothing_that_is_accepted_leaves_this_machine(pieces: list[str]) -> None:
    """However a string is put together, once accepted Twisted stays on this machine with it."""
    for endpoint in ("".join(pieces), "tcp:127.0.0.1:7001" + "".join(pieces)):
        try:
            check_sibling(endpoint)
        except ValueWrong:
            continue
        [place] = connected(endpoint)
        assert place.startswith("/") or ipaddress.ip_address(place).is_loopback


@pytest.mark.parametrize(
    ("sibling", "listener", "meets"),
    [
        ("tcp:127.0.0.1:7001", "tcp:7001:interface=127.0.0.1", True),
        ("tcp:port=07001:host=127.0.0.1", "tcp:port=7001:interface=127.0.0.1", True),
        ("tcp:127.0.0.1:7002", "tcp:7001:interface=127.0.0.1", False),
        ("tcp:127.0.0.2:7001", "tcp:7001:interface=127.0.0.1", False),
        ("tcp:localhost:7001", "tcp:7001:interface=0.0.0.0", True),
        ("tcp:192.0.2.7:7001", "tcp:7001:interface=0.0.0.0", False),
        ("tcp:192.0.2.7:7001", "tcp:7001:interface=192.0.2.7", True),
        (r"tcp:\:\:1:7001", r"tcp6:7001:interface=\:\:1", True),
        ("unix:/run/herd.sock:timeout=5", "unix:address=/run/herd.sock:mode=660", True),
        ("unix:/run/other.sock", "unix:/run/herd.sock", False),
        ("unix:/run/herd.sock", "tcp:7001:interface=127.0.0.1", False),
        ("tcp:127.0.0.1:7001", "unix:/run/herd.sock", False),
    ],
)
def test_an_address_of_the_node_itself_is_known(sibling: str, listener: str, meets: bool) -> None:
    """Another machine may listen at the same port: only what certainly leads back is meant."""
    assert is_at(sibling, listener) is meets
