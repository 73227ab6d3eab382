"""Requests, notifications and batches, told apart and told what is wrong with them."""

from __future__ import annotations

from records.errors import Failure
from service.rpc import messages
from service.rpc.messages import Batch, Invalid, Notification, Request


def failures(value: object) -> tuple[Failure, ...]:
    """What keeps a value from being a request."""
    message = messages.read(value, 10)
    assert isinstance(message, Invalid)
    return message.error.failures


def test_a_null_id_is_a_request_and_a_missing_one_a_notification() -> None:
    """Only calls without an id stay unanswered."""
    call = {"jsonrpc": "2.0", "method": "m"}
    assert messages.read(call | {"id": None}, 10) == Request("m", None, None)
    assert messages.read(call, 10) == Notification("m", None)


def test_params_are_passed_on_as_sent() -> None:
    """Empty parameters and none are told apart."""
    call = {"jsonrpc": "2.0", "method": "m"}
    assert messages.read(call | {"params": []}, 10) == Notification("m", [])
    assert messages.read(call | {"params": {}}, 10) == Notification("m", {})


def test_everything_wrong_is_named_at_once() -> None:
    """A client with four mistakes learns of four, each with its place."""
    found = failures({"jsonrpc": 2, "method": None, "params": "x", "id": []})
    assert [failure.pointer for failure in found] == ["/jsonrpc", "/method", "/params", "/id"]
    assert len({failure.code for failure in found}) == 4


def test_an_invalid_request_in_a_batch_is_named_by_its_place() -> None:
    """Answers with a null id can still be told apart."""
    batch = messages.read([{"jsonrpc": "2.0", "method": "m"}, 7, {}], 10)
    assert isinstance(batch, Batch)
    invalid = [message for message in batch.messages if isinstance(message, Invalid)]
    assert [{failure.index for failure in message.error.failures} for message in invalid] == [
        {1},
        {2},
    ]


def test_a_readable_id_is_kept_for_an_invalid_request() -> None:
    """A client can match the error with what it sent."""
    message = messages.read({"jsonrpc": "2.0", "id": "x"}, 10)
    assert isinstance(message, Invalid)
    assert message.id == "x"


def test_an_empty_batch_is_one_invalid_request() -> None:
    """The specification wants a single error here and no array."""
    assert [failure.code for failure in failures([])] == ["request.batch_empty"]
