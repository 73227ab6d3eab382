"""The methods that the test vectors call, among them those of the specification's examples."""

from __future__ import annotations

from collections.abc import Coroutine
from typing import Any

from records.errors import Failure
from service.errors import (
    Conflict,
    MethodUnknown,
    NotFound,
    ParametersRefused,
    Unavailable,
    ValuesRefused,
)
from service.rpc.messages import Params

SECRET = "SELECT password FROM users"


async def respond(method: str, params: Params) -> object:
    """Run one of the methods below, as a node does."""
    if method not in METHODS:
        raise MethodUnknown(f"there is no method {method}")
    return METHODS[method](params)


def finish(running: Coroutine[Any, Any, object]) -> object:
    """What a coroutine returns that waits for nothing."""
    try:
        running.send(None)
    except StopIteration as end:
        return end.value
    raise AssertionError("the coroutine waits for something")


def _subtract(params: Params) -> object:
    if isinstance(params, dict):
        return _number(params["minuend"]) - _number(params["subtrahend"])
    if not isinstance(params, list) or len(params) != 2:
        raise ParametersRefused([Failure("params.count", "two numbers are needed")])
    return _number(params[0]) - _number(params[1])


def _number(value: object) -> int:
    if not isinstance(value, int):
        raise ParametersRefused([Failure("params.type", "not a number")])
    return value


def _sum(params: Params) -> object:
    return sum(_number(value) for value in params or [])


def _refuse_values(params: Params) -> object:
    raise ValuesRefused(
        [
            Failure("value.too_long", "name is too long", "/name", 0),
            Failure("value.missing", "code is missing", "/code", 3),
        ]
    )


def _not_found(params: Params) -> object:
    raise NotFound([Failure("record.not_found", "there is no country 7", "/id")])


def _conflict(params: Params) -> object:
    raise Conflict([Failure("constraint.unique", "the code is taken", "/code")])


def _unavailable(params: Params) -> object:
    raise Unavailable("the database cannot be reached")


def _crash(params: Params) -> object:
    raise RuntimeError(f"error in {SECRET!r}")


def _unencodable(params: Params) -> object:
    return {"secret": object(), "query": SECRET}


METHODS = {
    "subtract": _subtract,
    "sum": _sum,
    "update": lambda params: None,
    "notify_hello": lambda params: None,
    "notify_sum": _sum,
    "get_data": lambda params: ["hello", 5],
    "echo": lambda params: params,
    "": lambda params: "the empty name",
    "größe": lambda params: "ü",
    "values": _refuse_values,
    "not_found": _not_found,
    "conflict": _conflict,
    "unavailable": _unavailable,
    "crash": _crash,
    "unencodable": _unencodable,
}
