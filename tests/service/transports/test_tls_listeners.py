"""TLS before the listeners of applications: what is spoken, renewed, and cut off."""

from __future__ import annotations

import contextlib
import hashlib
import http.client
import json
import logging
import socket
import ssl
import tracemalloc
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import pytest
from prometheus_client import CollectorRegistry
from twisted.internet.error import ConnectionDone
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport
from twisted.python.failure import Failure

from service.access.door import Door
from service.identity.errors import IdentityRefused
from service.identity.listener import ListenerPaths, load_listener
from service.metrics import CallMetrics, StreamMetrics
from service.rpc.limits import Limits
from service.transports.calls import CallRunner
from service.transports.lines import LineFactory
from service.transports.sent_away import SentAway
from service.transports.stream_limits import StreamLimits
from service.transports.tls_listeners import HANDSHAKE_SECONDS, LOOK_SECONDS, ListenerTls
from service.transports.web import WebLimits
from tests.service.access.tokens import NOW as TOKENS_NOW
from tests.service.identity.hosts import DAY, NOW, Signed, authority_file, put, signed
from tests.service.transports.live import (
    JSON,
    SECONDS,
    HeldCalls,
    LiveServer,
    call,
    post,
    read_all,
    rpc_factory,
)
from tests.service.transports.reactor_thread import in_reactor, reactor
from tests.service.transports.streams import Feed

HOST = "barn.example.org"


class World:
    """The files of a node's listeners, and those who believe their authority."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.authority: Signed = signed("hosts")
        self.paths: ListenerPaths = self.renew()
        self.now = NOW
        self.tls = ListenerTls(self.paths, reactor, lambda: self.now)
        self.servers: list[LiveServer] = []

    def renew(self) -> ListenerPaths:
        """Another certificate and key in the place of the former."""
        return put(self.folder, signed("barn", HOST, by=self.authority))

    def fingerprint(self) -> str:
        """Of what is in the files."""
        return load_listener(self.paths, NOW).fingerprint

    def serve(self, web: WebLimits | None = None) -> LiveServer:
        """An HTTP listener over TLS."""
        self.servers.append(LiveServer(rpc_factory(HeldCalls(), web=web), self.tls.over))
        return self.servers[-1]

    def stream(self, bounds: StreamLimits) -> LiveServer:
        """A stream over TLS, where nobody gets in without a token."""
        numbers, limits = CollectorRegistry(), Limits()
        runner = CallRunner(HeldCalls().respond, limits, CallMetrics(numbers, set()), reactor)
        door = Door(True, lambda: TOKENS_NOW)
        metrics = StreamMetrics(numbers)
        factory = LineFactory(runner, limits, bounds, metrics, Feed(), reactor, door)
        self.servers.append(LiveServer(factory, self.tls.over))
        return self.servers[-1]

    def context(self) -> ssl.SSLContext:
        """A client that believes this authority, and nobody else."""
        return ssl.create_default_context(cafile=str(authority_file(self.folder, self.authority)))

    def connect(self, server: LiveServer, context: ssl.SSLContext | None = None) -> ssl.SSLSocket:
        """A connection whose handshake is done."""
        plain = server.connect()
        try:
            return (context or self.context()).wrap_socket(plain, server_hostname=HOST)
        except BaseException:
            plain.close()
            raise


@pytest.fixture
def world(running_reactor: None, tmp_path: Path) -> Iterator[World]:
    """A node's files; its listeners are stopped after the test."""
    world = World(tmp_path)
    yield world
    for server in world.servers:
        server.stop()


def shown(connection: ssl.SSLSocket) -> str:
    """The fingerprint of the certificate that a node showed."""
    der = connection.getpeercert(binary_form=True)
    assert der is not None
    return hashlib.sha256(der).digest().hex(":").upper()


def asked(connection: socket.socket, body: bytes = b"") -> tuple[int, Any]:
    """Status and result of a call on a connection."""
    connection.sendall(post(body or call("echo", ["hay"])))
    answer = http.client.HTTPResponse(connection)
    answer.begin()
    return answer.status, json.loads(answer.read())


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_calls_are_answered_over_tls(world: World, version: ssl.TLSVersion) -> None:
    """In both versions that are spoken, several on one connection."""
    context = world.context()
    context.minimum_version = context.maximum_version = version
    server = world.serve()
    with world.connect(server, context) as connection:
        assert connection.version() == version.name.replace("_", ".")
        for _ in range(3):
            assert asked(connection)[1]["result"] == ["hay"]
        cipher = connection.cipher()
        assert cipher is not None
        assert any(word in cipher[0] for word in ("GCM", "CHACHA20"))


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_older_versions_and_weak_ciphers_are_not_spoken(world: World) -> None:
    """Neither TLS 1.1, nor 1.2 without forward secrecy or with ciphers of old."""
    server = world.serve()
    old = world.context()
    old.set_ciphers("ALL:@SECLEVEL=0")
    old.minimum_version = old.maximum_version = ssl.TLSVersion.TLSv1_1
    weak = world.context()
    weak.set_ciphers("AES128-SHA:AES256-SHA:ECDHE-ECDSA-AES128-SHA:@SECLEVEL=0")
    weak.maximum_version = ssl.TLSVersion.TLSv1_2
    for context in (old, weak):
        with pytest.raises((ssl.SSLError, ConnectionError)):
            world.connect(server, context)
    with world.connect(server) as connection:
        assert asked(connection)[0] == 200


def test_who_does_not_speak_tls_is_told_nothing(world: World) -> None:
    """A call in the clear is not answered in the clear."""
    answer = world.serve().raw(post(call("echo", ["hay"])))
    assert b"HTTP" not in answer
    assert b"hay" not in answer


def test_a_client_that_believes_another_authority_sends_nothing(world: World) -> None:
    """Nor one that looks for another host."""
    server = world.serve()
    stranger = ssl.create_default_context()
    with pytest.raises(ssl.SSLCertVerificationError):
        world.connect(server, stranger)
    with server.connect() as plain, pytest.raises(ssl.SSLCertVerificationError):
        world.context().wrap_socket(plain, server_hostname="shed.example.org")


def test_a_renewed_certificate_is_shown_from_the_next_connection_on(world: World) -> None:
    """Those that are open go on; nobody has to start the node again."""
    server, former = world.serve(), world.fingerprint()
    with world.connect(server) as before:
        assert shown(before) == former
        world.renew()
        in_reactor(world.tls.look)
        with world.connect(server) as after:
            assert shown(after) == world.fingerprint() != former
            assert asked(after)[0] == 200
        assert asked(before)[0] == 200


def test_what_cannot_be_used_is_not_taken_and_told(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    """The former counts, the log says why, and nothing of the key is in it."""
    server, former = world.serve(), world.fingerprint()
    assert world.tls.problem() is None
    world.renew()
    world.paths.key.chmod(0o644)
    in_reactor(world.tls.look)
    assert "cannot be used" in str(world.tls.problem())
    assert str(world.folder) not in str(world.tls.problem())
    assert "has mode 644" in caplog.text
    assert "PRIVATE" not in caplog.text
    with world.connect(server) as connection:
        assert shown(connection) == former
    world.paths.key.chmod(0o600)
    in_reactor(world.tls.look)
    assert world.tls.problem() is None
    with world.connect(server) as connection:
        assert shown(connection) == world.fingerprint() != former


def test_files_are_looked_at_by_themselves(
    running_reactor: None, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Every few seconds, until the node stops; also after files that were no good."""
    caplog.set_level(logging.INFO, "herdbook.tls")
    clock = Clock()
    paths = put(tmp_path, signed("barn", HOST))
    tls = ListenerTls(paths, clock)
    tls.start()
    paths.certificate.write_text("x")
    clock.advance(LOOK_SECONDS)
    assert tls.problem() is not None
    put(tmp_path, signed("barn", HOST, ends=NOW + 9 * DAY))
    clock.advance(LOOK_SECONDS)
    assert tls.problem() is None
    assert tls.life.ends == NOW + 9 * DAY
    assert "a new certificate of the listeners counts" in caplog.text
    tls.stop()
    assert clock.getDelayedCalls() == []


def test_an_expired_certificate_is_told(world: World) -> None:
    """Clients refuse it, so somebody has to see to it."""
    world.now = NOW + 91 * DAY
    assert "has expired" in str(world.tls.problem())


def test_a_node_does_not_start_on_files_that_are_no_good(world: World) -> None:
    """There is no former certificate yet."""
    world.paths.key.chmod(0o604)
    with pytest.raises(IdentityRefused, match="mode 604"):
        ListenerTls(world.paths, reactor)


class Wire(cast(Any, StringTransport)):  # type: ignore[misc]
    """A TCP connection without a network."""

    def setTcpNoDelay(self, enabled: bool) -> None:  # noqa: N802
        """As TCP has it."""

    def unregisterProducer(self) -> None:  # noqa: N802
        """As TLS has it, which takes it twice."""
        self.producer = None


def over() -> Failure:
    """How a connection ends in good order."""
    return Failure(ConnectionDone())  # type: ignore[no-untyped-call]


class HalfOpen:
    """Somebody who connects, and says no more than he likes."""

    def __init__(self, world: World) -> None:
        self.clock = Clock()
        factory = rpc_factory(HeldCalls())
        self.protocol = ListenerTls(world.paths, self.clock).over(factory).buildProtocol(None)
        self.transport = Wire()
        self.protocol.makeConnection(self.transport)

    def is_cut(self) -> bool:
        """Whether the node has cut it off."""
        return bool(self.transport.disconnected)


@pytest.mark.parametrize("said", [b"", b"\x16\x03\x01"], ids=["nothing", "the beginning"])
def test_who_shakes_no_hands_is_cut_off(world: World, said: bytes) -> None:
    """However steadily he drips."""
    half = HalfOpen(world)
    for _ in range(int(HANDSHAKE_SECONDS) - 1):
        half.clock.advance(1)
        if said:
            half.protocol.dataReceived(said[:1])
        said = said[1:]
    assert not half.is_cut()
    half.clock.advance(1)
    assert half.is_cut()


def test_what_is_sent_ahead_over_tls_is_not_piled_up(world: World) -> None:
    """While an answer is awaited the node reads no further: the sender has to wait."""
    server = world.serve()
    with world.connect(server) as connection:
        connection.settimeout(1)
        connection.sendall(post(call("hold")))
        sent, piece = 0, post(call("echo", ["x" * 60_000]))
        with contextlib.suppress(TimeoutError):
            while sent < 2**26:
                connection.sendall(piece)
                sent += len(piece)
    assert sent < 2**26


def test_who_does_not_answer_the_end_is_cut_off(world: World) -> None:
    """TLS's end asks for an answer; whoever gives none holds no place for long."""
    server = world.serve(WebLimits(1_000, idle_seconds=0.2))
    with world.connect(server) as connection:
        connection.sendall(post(call("echo", ["hay"]), extra="Connection: close\r\n"))
        beneath = socket.socket(fileno=connection.detach())
        beneath.settimeout(SECONDS)
        with contextlib.suppress(ConnectionError):
            assert read_all(beneath)
        beneath.close()


def test_a_stranger_on_the_stream_gets_to_read_why_he_is_sent_away(world: World) -> None:
    """The last line comes before the end, and both over TLS."""
    server = world.stream(StreamLimits(login_seconds=0.2))
    plain = server.connect()
    strict = {"server_hostname": HOST, "suppress_ragged_eofs": False}
    with world.context().wrap_socket(plain, **strict) as connection:  # type: ignore[arg-type]
        told = json.loads(read_all(connection))
    assert told["error"]["data"]["code"] == "access.required"


def test_a_client_of_the_standard_library_is_served(world: World) -> None:
    """As `herdbook call` does it."""
    server = world.serve()
    authority = authority_file(world.folder, world.authority)
    put(world.folder, signed("barn", "127.0.0.1", by=world.authority))
    in_reactor(world.tls.look)
    context = ssl.create_default_context(cafile=str(authority))
    client = http.client.HTTPSConnection(*server.address, timeout=SECONDS, context=context)
    with contextlib.closing(client):
        client.request("POST", "/", call("echo", ["hay"]), JSON)
        assert json.loads(client.getresponse().read())["result"] == ["hay"]


@pytest.mark.parametrize(
    "wrong",
    [b"Transfer-Encoding: gzip\r\nA: b\r\n", b"Transfer-Encoding: chunked\r\n\r\nhay\r\n"],
    ids=["a header", "a chunk"],
)
def test_what_follows_on_a_bad_request_is_neither_run_nor_kept(wrong: bytes) -> None:
    """Its rest is no call. TLS goes on reading when it was closed, for the other side's end."""
    factory, transport = rpc_factory(held := HeldCalls()), Wire()
    factory.clock = Clock()
    connection = factory.buildProtocol(None)
    connection.makeConnection(transport)
    connection.dataReceived(b"POST / HTTP/1.1\r\n" + wrong)
    assert transport.value().startswith(b"HTTP/1.1 400")
    assert transport.disconnecting
    body = call("hold")
    length = b"Content-Length: %d\r\n" % len(body)
    for line in (b"Content-Type: application/json\r\n", length, b"B: c\r\n", b"\r\n", body):
        connection.dataReceived(line)
    tracemalloc.start()
    for _ in range(64):
        connection.dataReceived(b"\r\n" * 8_192)
    kept, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    connection.connectionLost(over())
    assert held.ended.empty()
    assert kept < 2**18


def test_who_finds_no_place_and_does_not_answer_the_end_is_cut_off(world: World) -> None:
    """Else those beyond the limit would stay without one."""
    server = world.stream(StreamLimits(connections=0, linger_seconds=0.2))
    with world.connect(server) as connection:
        assert b"busy" in connection.recv(1_000)
        beneath = socket.socket(fileno=connection.detach())
        beneath.settimeout(SECONDS)
        with contextlib.suppress(ConnectionError):
            read_all(beneath)
        beneath.close()


def test_of_those_who_find_no_place_only_so_many_are_told() -> None:
    """Each takes a socket too; where one ends, the next is told again."""
    away = SentAway(Clock(), 5.0, most=2)
    first, second = away.tell(b"busy\n"), away.tell(b"busy\n")
    assert first is not None
    assert second is not None
    assert away.tell(b"busy\n") is None
    first.connectionLost(over())
    assert away.tell(b"busy\n") is not None
