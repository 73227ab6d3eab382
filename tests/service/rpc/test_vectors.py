"""The core answers each test vector as written down."""

from __future__ import annotations

import pytest

from service.rpc.exchange import Exchange
from tests.service.rpc.methods import finish, respond
from tests.service.rpc.vector import Vector, canonical, checked_shape
from tests.service.rpc.vectors import LIMITS, SPECIFICATION, VECTORS


def reply_to(body: bytes) -> bytes | None:
    """The reply of an exchange that runs its calls in order."""
    exchange = Exchange(LIMITS)
    for call in exchange.receive(body):
        try:
            result = finish(respond(call.method, call.params))
        except Exception as error:
            exchange.fail(call, error)
        else:
            exchange.succeed(call, result)
    return exchange.body()


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector.name)
def test_a_body_gets_the_answer_in_the_table(vector: Vector) -> None:
    """Every client of JSON-RPC 2.0 gets what the specification promises."""
    assert checked_shape(reply_to(vector.body)) == canonical(vector.answer)


def test_the_table_is_whole() -> None:
    """All examples of the specification are there, and no two vectors have one name."""
    assert len(SPECIFICATION) == 15
    assert len(VECTORS) - len(SPECIFICATION) >= 60
    assert len({vector.name for vector in VECTORS}) == len(VECTORS)
