"""A wire carries, is cut, and carries again."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from service.cli.demonstration.wire import Target, Wire

SECONDS = 10
LONG = b"x" * 3_000_000


class Echo:
    """Sends back what comes, on every connection."""

    def __init__(self, listener: socket.socket) -> None:
        self._listener = listener
        self.threads = [threading.Thread(target=self._accept, daemon=True)]
        self.threads[0].start()

    def _accept(self) -> None:
        while True:
            try:
                client, _address = self._listener.accept()
            except OSError:
                return
            self.threads.append(threading.Thread(target=self._echo, args=(client,), daemon=True))
            self.threads[-1].start()

    def _echo(self, client: socket.socket) -> None:
        with client:
            while said := client.recv(4_096):
                client.sendall(said)


@pytest.fixture(params=["socket", "port"])
def target(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Target]:
    """Somebody to be connected with, by either kind of address."""
    if request.param == "socket":
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(str(tmp_path / "echo"))
        listener.listen()
    else:
        listener = socket.create_server(("127.0.0.1", 0))
    with listener:
        echo = Echo(listener)
        yield listener.getsockname()
        listener.shutdown(socket.SHUT_RDWR)
    for thread in echo.threads:
        thread.join(SECONDS)
        assert not thread.is_alive()


def connected(wire: Wire) -> socket.socket:
    """A connection over the wire."""
    kind, host, port = wire.address.split(":")
    assert kind == "tcp"
    return socket.create_connection((host, int(port)), timeout=SECONDS)


def received(client: socket.socket, count: int) -> bytes:
    """So many bytes, or what came until the end, however that came."""
    parts = b""
    with suppress(ConnectionError):
        while len(parts) < count and (part := client.recv(count - len(parts))):
            parts += part
    return parts


def test_what_is_said_arrives_and_so_does_the_answer(target: Target) -> None:
    """Over several connections at once, and more than any buffer holds."""
    with Wire(target) as wire, connected(wire) as one, connected(wire) as other:
        other.sendall(b"other")
        sending = threading.Thread(target=one.sendall, args=(LONG,))
        sending.start()
        assert received(one, len(LONG)) == LONG
        assert received(other, 5) == b"other"
        sending.join(SECONDS)


def test_a_cut_ends_what_is_open_and_what_comes_waits_until_it_is_healed(target: Target) -> None:
    """Who connects meanwhile is not refused; nothing is carried before the wire is healed."""
    with Wire(target) as wire, connected(wire) as before:
        before.sendall(b"a")
        assert received(before, 1) == b"a"
        wire.cut()
        assert received(before, 1) == b""
        with connected(wire) as first, connected(wire) as second:
            first.sendall(b"b")
            first.settimeout(0.1)
            with pytest.raises(TimeoutError):
                first.recv(1)
            first.settimeout(SECONDS)
            wire.heal()
            second.sendall(b"c")
            assert received(first, 1) == b"b"
            assert received(second, 1) == b"c"


def test_nothing_is_left_when_it_ends(target: Target) -> None:
    """Connections are closed and nobody listens, whether it is cut or not."""
    for is_cut in (True, False):
        with Wire(target) as wire:
            client = connected(wire)
            if is_cut:
                wire.cut()
        with client:
            assert received(client, 1) == b""
        with pytest.raises(ConnectionRefusedError):
            connected(wire)


def test_where_nobody_listens_the_connection_ends(tmp_path: Path) -> None:
    """As a connection to a node that does not run."""
    with Wire(str(tmp_path / "nobody")) as wire, connected(wire) as client:
        assert received(client, 1) == b""
