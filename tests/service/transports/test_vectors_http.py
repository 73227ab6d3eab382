"""Over HTTP each test vector gets the same answer as from the core."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.service.rpc.vector import Vector, canonical, checked_shape
from tests.service.rpc.vectors import LIMITS, VECTORS
from tests.service.transports.live import HeldCalls, LiveServer, ask, rpc_factory


@pytest.fixture(scope="module")
def server(running_reactor: None) -> Iterator[LiveServer]:
    """One listener for all vectors."""
    server = LiveServer(rpc_factory(HeldCalls(), LIMITS))
    yield server
    server.stop()


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector.name)
def test_a_body_gets_the_answer_in_the_table(server: LiveServer, vector: Vector) -> None:
    """JSON-RPC answers are always 200, and 204 where there is none."""
    reply = server.request(body=vector.body)
    assert reply.status == (204 if vector.answer is None else 200)
    assert checked_shape(reply.body or None) == canonical(vector.answer)
    if reply.body:
        assert reply.headers["content-type"] == "application/json"
        assert int(reply.headers["content-length"]) == len(reply.body)
    else:
        assert "content-length" not in reply.headers


def test_all_vectors_over_one_connection(server: LiveServer) -> None:
    """No body, however broken, costs a client its connection."""
    with server.client() as client:
        for vector in VECTORS:
            reply = ask(client, body=vector.body)
            assert checked_shape(reply.body or None) == canonical(vector.answer), vector.name
