"""Whoever tries to get in over TLS without belonging to the herd: nothing is told, nothing taken.

Each attempt is met on real sockets, and is seen in how the node says it stands.
"""

from __future__ import annotations

import os
import socket
import ssl
import threading
import warnings
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from service.identity.authority import Authority, issue, new_authority
from service.identity.credentials import Paths
from service.identity.names import Subject
from service.transports.siblings.terms import LinkLimits
from tests.service.identity.papers import (
    DAY,
    HERD,
    OTHER_HERD,
    forged,
    node_files,
    self_signed,
    written,
)
from tests.service.identity.papers import herd as new_herd
from tests.service.transports.secured import (
    TODAY,
    SecuredHerd,
    client_context,
    connected,
    greeting,
    heard,
    is_closed,
    until,
)


@pytest.fixture
def herd(running_reactor: None, tmp_path: Path) -> Iterator[SecuredHerd]:
    """No nodes yet; all are stopped after the test."""
    herd = SecuredHerd(tmp_path)
    yield herd
    herd.stop()


def papers(herd: SecuredHerd, what: str) -> Paths | None:
    """What a stranger shows."""
    folder, authority = herd.folder / "stranger", herd.authority
    match what:
        case "nothing":
            return None
        case "another herd":
            return node_files(folder, new_herd(TODAY, OTHER_HERD), "shed", TODAY)
        case "a herd of the same name":
            return node_files(folder, new_herd(TODAY), "shed", TODAY)
        case "its own word":
            return written(folder, self_signed("shed", TODAY), authority)
        case "an old one":
            return node_files(folder, authority, "shed", TODAY - 400 * DAY)
        case "an early one":
            return node_files(folder, authority, "shed", TODAY + 2 * DAY)
    return forged_papers(folder, authority, what)


def forged_papers(folder: Path, authority: Authority, what: str) -> Paths:
    """What no authority issues."""
    made = issue(authority, "shed", TODAY)
    match what:
        case "no name":
            nameless = forged([], TODAY, authority, made.key)
            return written(folder, made._replace(certificate=nameless), authority)
        case "a chain of its own":
            paths = written(folder, made, authority)
            below = new_authority(HERD, TODAY)
            leaf = issue(below, "barn", TODAY)
            other = written(folder / "below", leaf, below)
            with other.certificate.open("ab") as chain:
                chain.write(other.ca.read_bytes() + paths.certificate.read_bytes())
            return other
        case "a version that there is not":
            paths = written(folder, made, authority)
            der = made.certificate.public_bytes(Encoding.DER)
            broken = der.replace(b"\xa0\x03\x02\x01\x02", b"\xa0\x03\x02\x01\x07", 1)
            paths.certificate.write_text(ssl.DER_cert_to_PEM_cert(broken))
            return paths
        case "another purpose":
            other_purpose = forged([Subject(HERD, "shed").uri], TODAY, authority, made.key)
            return written(folder, made._replace(certificate=other_purpose), authority)
    raise AssertionError(what)


STRANGERS = {
    "nothing": "peer did not return a certificate",
    "another herd": f"of another herd, {OTHER_HERD}",
    "a herd of the same name": "authority has not signed it",
    "its own word": "authority has not signed it",
    "an old one": "it has expired at",
    "an early one": "it is not valid before",
    "no name": "names neither node nor herd",
    "a chain of its own": "what vouches for it is not this herd's authority",
    "a version that there is not": "it cannot be read (InvalidVersion)",
    "another purpose": "not meant for links",
}


@pytest.mark.parametrize("what", STRANGERS)
def test_a_stranger_who_dials_is_told_nothing(herd: SecuredHerd, what: str) -> None:
    """Whatever he shows; what was wrong with it is seen at the node."""
    herd.node("barn")
    told = heard(herd.port("barn"), client_context(papers(herd, what)), greeting("shed"))
    assert told == b""
    until(lambda: herd.reasons("barn") != [])
    [reason] = herd.reasons("barn")
    assert STRANGERS[what] in reason
    assert reason.startswith("tls.")
    assert (herd.rows("barn"), herd.siblings("barn")) == (1, ())


def test_the_same_way_in_is_open_to_who_belongs_to_the_herd(herd: SecuredHerd) -> None:
    """So what keeps strangers out is what they show, and nothing else."""
    herd.node("barn")
    paths = node_files(herd.folder / "shed", herd.authority, "shed", TODAY)
    assert heard(herd.port("barn"), client_context(paths), greeting("shed")) != b""


class FalseNode:
    """Somebody who listens where a node is looked for, and keeps what it is told."""

    def __init__(self, paths: Paths) -> None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(paths.certificate, paths.key)
        self._context = context
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.address = f"tcp:127.0.0.1:{self._socket.getsockname()[1]}"
        self.told = b""
        self.calls = 0
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def _serve(self) -> None:
        with suppress(OSError):
            while True:
                plain, _peer = self._socket.accept()
                self.calls += 1
                plain.settimeout(10)
                with (
                    plain,
                    suppress(OSError),
                    self._context.wrap_socket(plain, server_side=True) as secured,
                ):
                    self.told += secured.recv(65_536)

    def stop(self) -> None:
        """Listen no more."""
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        self._thread.join()


@pytest.mark.parametrize("what", sorted(STRANGERS.keys() - {"nothing"}))
def test_a_node_tells_nothing_to_a_stranger_it_has_dialled(herd: SecuredHerd, what: str) -> None:
    """An address may lead anywhere: it is hung up before a word is said."""
    paths = papers(herd, what)
    assert paths is not None
    false = FalseNode(paths)
    try:
        herd.node("barn", false.address)
        until(lambda: false.calls > 1)
        until(lambda: STRANGERS[what] in "".join(herd.reasons("barn")))
        [reason] = herd.reasons("barn")
    finally:
        false.stop()
    assert reason.startswith("tls.certificate: its certificate is refused")
    assert false.told == b""


def test_nodes_of_two_herds_are_not_linked(herd: SecuredHerd, tmp_path: Path) -> None:
    """Each refuses the other, and both say so."""
    other = SecuredHerd(tmp_path / "other")
    other.authority = new_herd(TODAY, OTHER_HERD)
    other.node("shed", herd.node("barn"))
    try:
        until(lambda: "not this herd's authority" in "".join(other.reasons("shed")))
        until(lambda: "does not accept this node" in "".join(herd.reasons("barn")))
    finally:
        other.stop()
    assert (herd.rows("barn"), other.rows("shed")) == (1, 1)


def test_a_node_without_tls_is_not_linked_whoever_dials(herd: SecuredHerd) -> None:
    """Neither side takes anything from the other, and both say why."""
    secured = herd.node("barn")
    plain = herd.node("shed", secured, is_plain=True)
    herd.node("stable", plain)
    for name in ("barn", "shed", "stable"):
        until(lambda name=name: herd.reasons(name) != [], name)  # type: ignore[misc]
    assert "TLS could not be agreed on" in herd.reasons("barn")[0]
    assert "tls." in herd.reasons("stable")[0]
    assert [herd.rows(name) for name in herd.rooms] == [1, 1, 1]


@pytest.mark.parametrize(
    "version", [ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1, ssl.TLSVersion.TLSv1_2]
)
def test_older_versions_of_tls_are_refused(herd: SecuredHerd, version: ssl.TLSVersion) -> None:
    """Though the certificate is one of the herd's."""
    herd.node("barn")
    context = client_context(node_files(herd.folder / "shed", herd.authority, "shed", TODAY))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        context.minimum_version = context.maximum_version = version
    context.set_ciphers("ALL:@SECLEVEL=0")
    with pytest.raises(ssl.SSLError, match="alert protocol version"):
        context.wrap_socket(connected(herd.port("barn")))
    until(lambda: herd.reasons("barn") != [])
    assert "unsupported protocol" in herd.reasons("barn")[0]


def test_no_session_is_taken_up_again(herd: SecuredHerd) -> None:
    """Each connection shows its certificate, so that one that counts no more opens no other."""
    herd.node("barn")
    context = client_context(node_files(herd.folder / "shed", herd.authority, "shed", TODAY))
    with context.wrap_socket(connected(herd.port("barn"))) as first:
        first.sendall(greeting("shed"))
        assert first.recv(65_536) != b""
        session = first.session
    with context.wrap_socket(connected(herd.port("barn")), session=session) as second:
        second.sendall(greeting("shed"))
        assert second.recv(65_536) != b""
        assert not second.session_reused


GARBAGE = {
    "a page is asked for": b"GET / HTTP/1.1\r\nHost: barn\r\n\r\n",
    "a plain greeting": greeting("shed"),
    "noise": bytes(range(255, 0, -1)) * 40,
    "a broken hello": b"\x16\x03\x01\x00\x40\x01\x00\x00\x3c\x03\x03" + b"\xff" * 57,
    "a record too large": b"\x16\x03\x01\xff\xff" + b"\x01" * 0x10000,
    "an alert": b"\x15\x03\x01\x00\x02\x02\x00",
    "an empty record": b"\x16\x03\x03\x00\x00" * 40,
}


@pytest.mark.parametrize("what", GARBAGE)
def test_garbage_in_place_of_a_hello_is_hung_up_on(herd: SecuredHerd, what: str) -> None:
    """At once, with a reason; the node goes on taking those of the herd."""
    address = herd.node("barn")
    with connected(herd.port("barn")) as stranger:
        with suppress(OSError):
            stranger.sendall(GARBAGE[what])
        assert is_closed(stranger)
    until(lambda: herd.reasons("barn") != [])
    assert herd.reasons("barn")[0].startswith("tls.")
    herd.node("shed", address)
    until(lambda: herd.rows("barn") == 2)


@pytest.mark.parametrize(
    "begun", [b"", b"\x16\x03\x01\x02\x00\x01"], ids=["silent", "half a hello"]
)
def test_a_handshake_that_takes_too_long_is_cut_off(herd: SecuredHerd, begun: bytes) -> None:
    """Also where a byte comes now and then."""
    herd.node("barn", limits=LinkLimits(handshake_seconds=0.3))
    with connected(herd.port("barn")) as stranger:
        stranger.sendall(begun)
        assert is_closed(stranger)
    until(lambda: herd.reasons("barn") != [])
    assert "TLS was not agreed on within 0.3 seconds" in herd.reasons("barn")[0]


def test_who_gets_through_the_handshake_and_says_nothing_is_cut_off_too(herd: SecuredHerd) -> None:
    """The limits of the greeting count after those of the handshake."""
    herd.node("barn", limits=LinkLimits(greeting_seconds=0.3))
    context = client_context(node_files(herd.folder / "shed", herd.authority, "shed", TODAY))
    with context.wrap_socket(connected(herd.port("barn"))) as silent:
        assert is_closed(silent)
    until(lambda: herd.reasons("barn") != [])
    assert "link.no_greeting" in herd.reasons("barn")[0]


def test_many_handshakes_that_are_never_finished_keep_nobody_out(herd: SecuredHerd) -> None:
    """They are as many as the limit says, and a sibling is linked all the same."""
    limits = LinkLimits(handshake_seconds=600, handshakes=5, links=20)
    address = herd.node("barn", limits=limits)
    strangers = [connected(herd.port("barn")) for _ in range(60)]
    try:
        until(lambda: len(herd.state("barn").siblings) <= 5)
        herd.node("shed", address)
        until(lambda: herd.rows("barn") == herd.rows("shed") == 2)
        for stranger in strangers:
            stranger.settimeout(0.01)
        assert sum(is_closed(stranger) for stranger in strangers) >= 55
    finally:
        for stranger in strangers:
            stranger.close()


def test_no_secret_is_told_whatever_goes_wrong(
    herd: SecuredHerd, caplog: pytest.LogCaptureFixture
) -> None:
    """Neither in the log nor in how the node stands, though everything is logged."""
    caplog.set_level("DEBUG")
    herd.node("barn")
    for what in STRANGERS:
        heard(herd.port("barn"), client_context(papers_apart(herd, what)), greeting("shed"))
    with connected(herd.port("barn")) as stranger:
        stranger.sendall(os.urandom(2_000))
        assert is_closed(stranger)
    told = caplog.text + repr(herd.state("barn")) + repr(herd.security["barn"].__dict__)
    for path in herd.folder.glob("**/*.key"):
        for line in path.read_text().splitlines()[1:-1]:
            assert line not in told
    assert "PRIVATE" not in told


def papers_apart(herd: SecuredHerd, what: str) -> Paths | None:
    """The same, each in a folder of its own."""
    former, herd.folder = herd.folder, herd.folder / what.replace(" ", "-")
    try:
        return papers(herd, what)
    finally:
        herd.folder = former
