"""JSON-RPC 2.0 messages as values: what a decoded body asks, and how an answer looks.

Members that the specification does not name are ignored: it is silent about them, and clients of
other libraries send some.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from records.errors import Failure
from service.rpc.faults import Fault
from service.rpc.refusals import BatchTooLarge, RequestRefused

VERSION = "2.0"

Id: TypeAlias = str | int | float | None
Params: TypeAlias = list[object] | dict[str, object] | None


@dataclass(frozen=True, slots=True)
class Request:
    """A call that waits for an answer under its id; null is an id like any other."""

    method: str
    params: Params
    id: Id


@dataclass(frozen=True, slots=True)
class Notification:
    """A call without an id: it is run and never answered."""

    method: str
    params: Params


@dataclass(frozen=True, slots=True)
class Invalid:
    """Something else, and every reason why; `id` is null unless it could be read."""

    id: Id
    error: RequestRefused


Message: TypeAlias = Request | Notification | Invalid


@dataclass(frozen=True, slots=True)
class Batch:
    """Several messages in one body, answered in one."""

    messages: tuple[Message, ...]


def read(value: object, batch_items: int) -> Message | Batch:
    """The message or batch in a decoded body; raises BatchTooLarge above `batch_items`."""
    if not isinstance(value, list):
        return read_one(value)
    if not value:
        empty = Failure("request.batch_empty", "a batch must hold at least one request")
        return Invalid(None, RequestRefused([empty]))
    if len(value) > batch_items:
        raise BatchTooLarge(f"the batch holds {len(value)} requests, the limit is {batch_items}")
    return Batch(tuple(read_one(item, index) for index, item in enumerate(value)))


def read_one(value: object, index: int | None = None) -> Message:
    """The message in one decoded value; `index` is its place in a batch."""
    if not isinstance(value, dict):
        failure = Failure("request.not_object", "a request must be an object", "", index)
        return Invalid(None, RequestRefused([failure]))
    failures = _failures(value, index)
    if failures:
        id_ = value.get("id")
        return Invalid(id_ if _is_id(id_) else None, RequestRefused(failures))
    if "id" in value:
        return Request(value["method"], value.get("params"), value["id"])
    return Notification(value["method"], value.get("params"))


def success(id_: Id, result: object) -> dict[str, object]:
    """The answer that carries a result."""
    return {"jsonrpc": VERSION, "result": result, "id": id_}


def failure(id_: Id, fault: Fault) -> dict[str, object]:
    """The answer that carries an error."""
    return {"jsonrpc": VERSION, "error": fault.as_json(), "id": id_}


def notification(method: str, params: dict[str, object]) -> dict[str, object]:
    """What is told without having been asked, and not answered."""
    return {"jsonrpc": VERSION, "method": method, "params": params}


def _failures(value: dict[str, object], index: int | None) -> list[Failure]:
    """Everything that keeps an object from being a request."""
    method, params = value.get("method"), value.get("params", {})
    checks = (
        (value.get("jsonrpc") == VERSION, "jsonrpc", 'must be the string "2.0"'),
        (isinstance(method, str), "method", "must be a string"),
        (isinstance(params, list | dict), "params", "must be an array or an object, or absent"),
        (_is_id(value.get("id")), "id", "must be a string, a number or null, or absent"),
    )
    return [
        Failure(f"request.{member}", f"{member} {rule}", f"/{member}", index)
        for holds, member, rule in checks
        if not holds
    ]


def _is_id(value: object) -> bool:
    """Whether a value may be an id; true and false are no numbers in JSON."""
    return value is None or (isinstance(value, str | int | float) and not isinstance(value, bool))
