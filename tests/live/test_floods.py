"""Floods of connections and requests without end: a node goes on serving, within its means."""

from __future__ import annotations

import contextlib
import json
import re
import socket
import ssl
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from urllib.request import urlopen

import pytest

from tests.live.lines import LineClient
from tests.live.node import NodeProcess, migrate
from tests.live.test_access import REQUIRED, made
from tests.service.identity.hosts import Signed, authority_file, put, signed
from tests.service.transports.live import call, post

FEW = ("sh", "-c", 'ulimit -n 256; exec "$@"', "sh")
PATIENCE = 60.0


class Target:
    """A node with few descriptors, where nobody gets in without a token."""

    def __init__(self, node: NodeProcess, token: str, ca: Path | None) -> None:
        self.node = node
        self.token = token
        self._context = None if ca is None else ssl.create_default_context(cafile=str(ca))

    def connect(self, url: str) -> socket.socket:
        """A connection on which nothing is said, no handshake either."""
        parts = urlsplit(url)
        return socket.create_connection((parts.hostname or "", parts.port or 0), PATIENCE)

    def answered(self, data: bytes, url: str = "") -> bytes:
        """All that comes back for what is sent to `listen.rpc`, up to the end."""
        with self._secured(self.connect(url or self.node.rpc)) as connection:
            with contextlib.suppress(ConnectionError):
                connection.sendall(data)
            received = b""
            with contextlib.suppress(ConnectionError):
                while piece := connection.recv(65_536):
                    received += piece
            return received

    def calls(self, body: bytes = b"", url: str = "") -> bytes:
        """The answer to a call with the token."""
        shown = f"Authorization: Bearer {self.token}\r\nConnection: close\r\n"
        return self.answered(post(body or call("farm.count", {}), extra=shown), url)

    def is_alive(self) -> bool:
        """Whether calls, the stream and probes are answered."""
        if not self.calls().startswith(b"HTTP/1.1 200 "):
            return False
        if self._context is None:
            with LineClient(self.node.stream) as client:
                client.call("session.login", {"token": self.token})
                client.call("farm.count")
        with urlopen(f"{self.node.admin}livez", timeout=PATIENCE, context=self._context) as page:
            return bool(page.status == 200)

    def _secured(self, plain: socket.socket) -> socket.socket:
        if self._context is None:
            return plain
        return self._context.wrap_socket(plain, server_hostname="127.0.0.1")


@contextlib.contextmanager
def target(folder: Path, database: str, ca: Path | None, **settings: str) -> Iterator[Target]:
    """Such a node; over TLS where there is an authority to believe."""
    migrate(folder, database)
    token = made(folder, "loader", "--role", "write")
    with NodeProcess(folder, database, through=FEW, **REQUIRED, **settings) as node:
        yield Target(node, token, ca)
        log = node.log()
    assert "Too many open files" not in log
    assert "Traceback" not in log
    assert len(log.splitlines()) < 100


@pytest.mark.slow
def test_strangers_who_say_nothing_keep_nobody_out(tmp_path: Path, database: str) -> None:
    """Hundreds at each listener, three times what the system lets the node open."""
    with target(tmp_path, database, None) as node, contextlib.ExitStack() as held:
        assert node.is_alive()
        for url in (node.node.rpc, node.node.stream, node.node.admin):
            for _ in range(250):
                held.enter_context(node.connect(url))
        for _ in range(3):
            assert node.is_alive()
        assert len(list(Path(f"/proc/{node.node.pid}/fd").iterdir())) < 256
        numbers = urlopen_numbers(node)
        assert numbers["rpc"] > 0 < numbers["stream"]


def urlopen_numbers(node: Target) -> dict[str, float]:
    """How many strangers had to go, by listener."""
    parts = urlsplit(node.node.admin)
    with socket.create_connection((parts.hostname or "", parts.port or 0), PATIENCE) as asked:
        shown = f"Authorization: Bearer {node.token}\r\nConnection: close\r\n\r\n"
        asked.sendall(f"GET /metrics HTTP/1.1\r\nHost: barn\r\n{shown}".encode())
        text = b"".join(iter(lambda: asked.recv(65_536), b"")).decode()
    line = r'connections_turned_away_total\{listener="(\w+)",reason="stranger"\} (\S+)'
    return {name: float(number) for name, number in re.findall(line, text)}


def shown_files(folder: Path) -> tuple[Path, dict[str, str]]:
    """An authority's file, and the settings of a node that shows what it has signed."""
    authority: Signed = signed("hosts")
    paths = put(folder, signed("barn", "127.0.0.1", by=authority))
    files = {f"HERDBOOK_LISTEN_{key.upper()}": str(path) for key, path in paths._asdict().items()}
    return authority_file(folder, authority), files


@pytest.mark.slow
def test_half_a_handshake_keeps_nobody_out(tmp_path: Path, database: str) -> None:
    """Over TLS the same: who has not shaken hands gives way, and is cut off after ten seconds."""
    ca, files = shown_files(tmp_path)
    with target(tmp_path, database, ca, **files) as node, contextlib.ExitStack() as held:
        assert node.is_alive()
        half = [held.enter_context(node.connect(node.node.rpc)) for _ in range(300)]
        for connection in half[::2]:
            with contextlib.suppress(ConnectionError):
                connection.sendall(b"\x16\x03\x01\x02\x00\x01")
        assert node.is_alive()
        for connection in half[:3] + half[-3:]:
            with contextlib.suppress(ConnectionError):
                assert connection.recv(1) == b""


@pytest.mark.slow
def test_headers_that_drip_keep_nobody_out(tmp_path: Path, database: str) -> None:
    """Who has not shown a token ten seconds after he came is cut off, however busy he seems."""
    with target(tmp_path, database, None) as node, contextlib.ExitStack() as held:
        slow = [held.enter_context(node.connect(node.node.rpc)) for _ in range(60)]
        deadline = time.monotonic() + PATIENCE
        beginning = b"POST / HTTP/1.1\r\nHost: herd\r\n"
        left = slow
        while left:
            assert time.monotonic() < deadline
            left = [one for one in left if _drips(one, beginning or b"X: a\r\n")]
            beginning = b""
            assert node.calls().startswith(b"HTTP/1.1 200 ")
            time.sleep(0.5)


def _drips(connection: socket.socket, piece: bytes) -> bool:
    """Whether more can be sent on a connection."""
    connection.settimeout(0.01)
    try:
        connection.sendall(piece)
        return connection.recv(65_536) != b""
    except TimeoutError:
        return True
    except ConnectionError:
        return False


def test_what_is_too_large_is_refused_and_not_read(tmp_path: Path, database: str) -> None:
    """Headers, bodies with and without a length, batches; another client is served meanwhile."""
    limits = {"HERDBOOK_LIMITS_BODY_BYTES": "100000", "HERDBOOK_LIMITS_BATCH_ITEMS": "10"}
    with target(tmp_path, database, None, **limits) as node:
        shown = f"Authorization: Bearer {node.token}\r\n".encode()
        start = b"POST / HTTP/1.1\r\nHost: herd\r\nContent-Type: application/json\r\n" + shown
        assert b"200 OK" not in node.answered(start + b"X: " + b"a" * 50_000)
        assert node.answered(start + b"X: a\r\n" * 600).startswith(b"HTTP/1.1 400 ")
        announced = start + b"Content-Length: 1000000000000\r\n\r\n"
        assert node.answered(announced).startswith(b"HTTP/1.1 413 ")
        chunks = b"Transfer-Encoding: chunked\r\n\r\n" + b"2710\r\n" + b" " * 10_000 + b"\r\n"
        endless = start + chunks + chunks[chunks.index(b"2710") :] * 40
        assert node.answered(endless).startswith(b"HTTP/1.1 413 ")
        one: Any = {"jsonrpc": "2.0", "method": "farm.count", "id": 1}
        answer = node.calls(json.dumps([one] * 11).encode())
        assert json.loads(answer.partition(b"\r\n\r\n")[2])["error"]["code"] == -32011
        assert node.is_alive()


def own_address() -> str:
    """An address of this machine that is no loopback."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asked:
        try:
            # Nothing is sent; the system says from where it would be.
            asked.connect(("198.51.100.1", 9))
        except OSError:
            pytest.skip("this machine has no address but the loopback")
        address: str = asked.getsockname()[0]
    return address


@pytest.mark.slow
def test_one_block_of_addresses_gets_its_share(tmp_path: Path, database: str) -> None:
    """Of calls and of connections, over TLS on all addresses; others are served as before."""
    far = own_address()
    ca, files = shown_files(tmp_path)
    rates = {"HERDBOOK_ACCESS_ADDRESS_RATE": "0.5", "HERDBOOK_ACCESS_ADDRESS_CONNECTIONS": "8"}
    wide = {"HERDBOOK_LISTEN_RPC": "tcp:0:interface=0.0.0.0"}
    with (
        target(tmp_path, database, ca, **files, **rates, **wide) as node,
        contextlib.ExitStack() as held,
    ):
        port = urlsplit(node.node.rpc).port
        away, near = f"https://{far}:{port}/", f"https://127.0.0.1:{port}/"
        statuses = [node.calls(url=away)[9:12] for _ in range(6)]
        assert statuses == [b"200"] * 5 + [b"429"]
        assert b"Retry-After: " in node.calls(url=away)
        for _ in range(20):
            held.enter_context(node.connect(away))
        assert node.calls(url=away)[9:12] in (b"429", b"200")
        for _ in range(20):
            assert node.calls(url=near)[9:12] == b"200"
