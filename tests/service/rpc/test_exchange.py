"""The laws of an exchange: all requests answered once, in order, and no input raises anything."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from records.errors import Failure
from service.errors import ValuesRefused
from service.rpc.exchange import Call, Exchange
from service.rpc.limits import Limits
from service.rpc.refusals import ExchangeMisuse
from tests.service.rpc.client import Wanted, answers_in, body_of
from tests.service.rpc.test_codec import DOCUMENTS
from tests.service.rpc.test_vectors import reply_to
from tests.service.rpc.vector import checked_shape
from tests.service.rpc.vectors import LIMITS, VECTORS

PARAMS = st.none() | st.lists(DOCUMENTS, max_size=3) | st.dictionaries(st.text(), DOCUMENTS)
CALLS = st.lists(
    st.builds(Wanted, st.sampled_from(["echo", "fails"]), PARAMS, st.booleans()), min_size=1
)
ROOMY = Limits(nesting=100)


def batch(size: int) -> bytes:
    """A batch of requests whose ids count from 0."""
    return body_of([Wanted("echo", [place]) for place in range(size)], as_batch=True)


def settle(exchange: Exchange, call: Call) -> None:
    """Give a call its outcome: an echo of its parameters, or an error."""
    if call.method == "echo":
        exchange.succeed(call, call.params)
    else:
        exchange.fail(call, ValuesRefused([Failure("value.missing", "missing")]))


@given(CALLS, st.booleans(), st.randoms())
def test_both_sides_agree_in_whatever_order_results_come(
    calls: list[Wanted], as_batch: bool, order: Any
) -> None:
    """Every request gets its own answer, notifications none, and the order is that of the body."""
    calls = calls if as_batch else calls[:1]
    exchange = Exchange(ROOMY)
    opened = list(exchange.receive(body_of(calls, as_batch=as_batch)))
    assert [(call.method, call.params) for call in opened] == [
        (call.method, call.params) for call in calls
    ]
    order.shuffle(opened)
    for call in opened:
        settle(exchange, call)
    answers = answers_in(exchange.body())
    assert list(answers) == [place for place, call in enumerate(calls) if call.wants_answer]
    for place, answer in answers.items():
        assert isinstance(place, int)
        echoed = calls[place].method == "echo"
        assert answer.get("result") == (calls[place].params if echoed else None)
        assert ("error" in answer) is not echoed


@given(st.binary(max_size=300))
def test_any_bytes_get_a_valid_reply_or_none(body: bytes) -> None:
    """Noise is answered with an error and nothing else happens."""
    checked_shape(reply_to(body))


@given(st.sampled_from(VECTORS), st.data())
def test_damaged_bodies_get_a_valid_reply_or_none(vector: Any, data: st.DataObject) -> None:
    """A body that was cut, doubled or overwritten somewhere is still answered properly."""
    body = bytearray(vector.body)
    start = data.draw(st.integers(0, len(body)))
    end = data.draw(st.integers(start, len(body)))
    body[start:end] = data.draw(st.binary(max_size=4) | st.just(bytes(body[start:end] * 2)))
    checked_shape(reply_to(bytes(body)))


@given(DOCUMENTS, st.sampled_from(["jsonrpc", "method", "params", "id"]))
def test_any_value_in_any_member_gets_a_valid_reply_or_none(value: object, member: str) -> None:
    """No type of value in any place is more than an error."""
    call = {"jsonrpc": "2.0", "method": "echo", "params": [], "id": 1} | {member: value}
    checked_shape(reply_to(json.dumps(call).encode()))


def test_a_refused_batch_runs_nothing() -> None:
    """Above the limit no call of the batch begins."""
    exchange = Exchange(Limits(batch_items=3))
    assert exchange.receive(batch(4)) == ()
    assert checked_shape(exchange.body()) == '{"error": -32011, "id": null, "jsonrpc": "2.0"}'


def test_a_batch_of_the_default_limit_runs() -> None:
    """A thousand calls in one body are fine, one more is not."""
    assert len(Exchange().receive(batch(1000))) == 1000
    assert Exchange().receive(batch(1001)) == ()


def test_a_body_above_the_limit_is_refused_unread() -> None:
    """Transports without a limit of their own get one here."""
    exchange = Exchange(Limits(body_bytes=10))
    assert exchange.receive(b"[" * 11) == ()
    assert checked_shape(exchange.body()) == '{"error": -32010, "id": null, "jsonrpc": "2.0"}'


def test_only_what_does_not_fit_is_replaced() -> None:
    """One oversized result does not cost the others theirs."""
    exchange = Exchange(Limits(result_bytes=500))
    first, second, third = exchange.receive(batch(3))
    exchange.succeed(first, "small")
    fault = exchange.succeed(second, "x" * 500)
    exchange.succeed(third, "small too")
    answers = answers_in(exchange.body())
    assert fault is not None
    assert fault.code == "limit.result"
    assert "was carried out" in fault.message
    assert [answers[0]["result"], answers[2]["result"]] == ["small", "small too"]
    assert "error" in answers[1]


def test_a_long_list_of_failures_finds_its_limit() -> None:
    """An error that does not fit is shortened, and keeps code, hint and trace."""
    exchange = Exchange(Limits(result_bytes=1_000))
    [call] = exchange.receive(body_of([Wanted("m", [])], as_batch=False))
    exchange.fail(call, ValuesRefused([Failure("value.missing", "missing")] * 500))
    reply = exchange.body()
    assert reply is not None
    assert len(reply) < 1_000
    error = json.loads(reply)["error"]
    assert error["code"] == 1000
    assert set(error["data"]) == {"code", "hint", "retryable", "trace"}


def test_the_errors_of_a_batch_share_its_limit() -> None:
    """Long lists of failures end when their room is used up, and so do results after them."""
    exchange = Exchange(Limits(result_bytes=10_000))
    calls = exchange.receive(batch(6))
    for call in calls[:5]:
        exchange.fail(call, ValuesRefused([Failure("value.missing", "missing")] * 60))
    exchange.succeed(calls[5], "x" * 6_000)
    answers: dict[Any, Any] = answers_in(exchange.body())
    listed = ["errors" in answers[place]["error"]["data"] for place in range(5)]
    assert listed == [True, True, False, False, False]
    assert answers[5]["error"]["data"]["code"] == "limit.result"


def test_an_error_that_cannot_be_encoded_becomes_an_internal_one() -> None:
    """Even a broken error gets an answer."""
    exchange = Exchange(Limits(result_bytes=10))
    [call] = exchange.receive(body_of([Wanted("m", [])], as_batch=False))
    exchange.fail(call, ValuesRefused([], "a lone surrogate: \ud800"))
    assert checked_shape(exchange.body()) == '{"error": -32603, "id": 0, "jsonrpc": "2.0"}'


def test_a_failed_notification_is_logged_and_not_answered(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """What goes wrong without a listener can still be found."""
    exchange = Exchange()
    [call] = exchange.receive(body_of([Wanted("m", [], wants_answer=False)], as_batch=False))
    exchange.fail(call, RuntimeError("out of hay"))
    assert exchange.body() is None
    assert "out of hay" in caplog.text


def test_a_reply_before_the_last_outcome_is_a_mistake_of_ours() -> None:
    """A transport cannot send half a batch by accident."""
    exchange = Exchange()
    first, _second = exchange.receive(batch(2))
    exchange.succeed(first, None)
    with pytest.raises(ExchangeMisuse):
        exchange.body()


def test_two_outcomes_for_one_call_are_a_mistake_of_ours() -> None:
    """No request is answered twice."""
    exchange = Exchange()
    [call] = exchange.receive(batch(1))
    exchange.succeed(call, 1)
    with pytest.raises(ExchangeMisuse):
        exchange.succeed(call, 2)
    with pytest.raises(ExchangeMisuse):
        exchange.fail(call, RuntimeError())


def test_the_limits_of_the_table_are_small_enough_to_be_met() -> None:
    """The vectors can only test limits that they reach."""
    assert LIMITS.body_bytes > max(len(vector.body) for vector in VECTORS)
