"""Over the stream each test vector gets the same answer as from the core."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from typing import Any

import pytest
from prometheus_client import CollectorRegistry

from service.metrics import CallMetrics, StreamMetrics
from service.transports.calls import CallRunner
from service.transports.lines import LineFactory
from service.transports.stream_limits import StreamLimits
from tests.service.rpc.methods import METHODS, respond
from tests.service.rpc.vector import Vector, canonical, checked_shape
from tests.service.rpc.vectors import LIMITS, VECTORS
from tests.service.transports.live import SECONDS, LiveServer
from tests.service.transports.reactor_thread import reactor
from tests.service.transports.streams import Feed

# White space between the parts of a JSON text may be any; only within text a line feed is wrong.
ONE_LINE = [vector for vector in VECTORS if vector.name != "unreadable: a line break in a string"]
LAST = b'{"jsonrpc": "2.0", "method": "sum", "params": [1], "id": "last"}\n'


@pytest.fixture(scope="module")
def server(running_reactor: None) -> Iterator[LiveServer]:
    """One listener for all vectors."""
    registry = CollectorRegistry()
    runner = CallRunner(respond, LIMITS, CallMetrics(registry, set(METHODS)), reactor)
    metrics = StreamMetrics(registry)
    factory = LineFactory(runner, LIMITS, StreamLimits(), metrics, Feed(), reactor)
    server = LiveServer(factory)
    yield server
    server.stop()


def line_of(vector: Vector) -> bytes:
    """The body as one line."""
    return vector.body.replace(b"\n", b" ") + b"\n"


def answers(connection: socket.socket) -> list[bytes]:
    """What comes before the answer to the last call."""
    with connection.makefile("rb") as lines:
        found: list[bytes] = []
        for line in lines:
            if b'"last"' in line:
                return found
            found.append(line)
    raise AssertionError("the connection ended")


@pytest.mark.parametrize("vector", ONE_LINE, ids=lambda vector: vector.name)
def test_a_line_gets_the_answer_in_the_table(server: LiveServer, vector: Vector) -> None:
    """One line where there is an answer, none where there is none."""
    with server.connect() as connection:
        connection.sendall(line_of(vector) + LAST)
        found = answers(connection)
    assert [checked_shape(line) for line in found] == (
        [] if vector.answer is None else [canonical(vector.answer)]
    )


def test_all_vectors_over_one_connection_in_small_pieces(server: LiveServer) -> None:
    """No line, however broken, and no cut, costs a client its connection or an answer."""
    with server.connect() as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for vector in ONE_LINE:
            whole = line_of(vector) + LAST
            for start in range(0, len(whole), 700):
                connection.sendall(whole[start : start + 700])
            found: list[Any] = [checked_shape(line) for line in answers(connection)]
            assert found == ([] if vector.answer is None else [canonical(vector.answer)])


def test_a_line_too_long_is_answered_before_the_end(server: LiveServer) -> None:
    """A client that sends far too much reads why, though it is still sending."""
    with server.connect() as connection:
        connection.sendall(b"[" * 50 * LIMITS.body_bytes)
        connection.settimeout(SECONDS)
        with connection.makefile("rb") as lines:
            [error] = list(lines)
    assert checked_shape(error) == '{"error": -32010, "id": null, "jsonrpc": "2.0"}'


def test_a_flood_of_connections_leaves_the_listener_working(server: LiveServer) -> None:
    """Hundreds that come and go, some in the midst of a line, cost nothing that stays."""
    for number in range(300):
        with server.connect() as connection:
            connection.sendall(b"[" * (number % 7))
    with server.connect() as connection:
        connection.sendall(LAST)
        assert answers(connection) == []
