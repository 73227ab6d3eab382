"""How a test vector is written down, and how a real answer is compared with it.

In an expected answer an error stands as its number only; `checked_shape` reduces a real answer to
the same form.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

PARSE, REQUEST, METHOD, PARAMS, INTERNAL = -32700, -32600, -32601, -32602, -32603
BATCH, NESTING, RESULT = -32011, -32012, -32013

MESSAGES = {
    PARSE: "Parse error",
    REQUEST: "Invalid Request",
    METHOD: "Method not found",
    PARAMS: "Invalid params",
    INTERNAL: "Internal error",
}


@dataclass(frozen=True)
class Vector:
    """One body and its answer; None when there must be none."""

    name: str
    body: bytes
    answer: object


def result(value: object, id_: object = 1) -> dict[str, object]:
    """An expected result."""
    return {"jsonrpc": "2.0", "result": value, "id": id_}


def error(number: int, id_: object = None) -> dict[str, object]:
    """An expected error."""
    return {"jsonrpc": "2.0", "error": number, "id": id_}


def checked_shape(reply: bytes | None) -> str | None:
    """A reply in the form the vectors are compared in; checks what all replies have in common."""
    if reply is None:
        return None
    value = json.loads(reply, parse_constant=_no_constant)
    shaped = [_one(item) for item in value] if isinstance(value, list) else _one(value)
    return canonical(shaped)


def canonical(value: object) -> str | None:
    """A text that tells 1 from 1.0 and from true."""
    return None if value is None else json.dumps(value, sort_keys=True)


def _one(answer: dict[str, Any]) -> dict[str, Any]:
    assert answer["jsonrpc"] == "2.0"
    assert set(answer) in ({"jsonrpc", "result", "id"}, {"jsonrpc", "error", "id"})
    if "result" in answer:
        return answer
    fault = answer["error"]
    assert set(fault) == {"code", "message", "data"}
    assert fault["message"] == MESSAGES.get(fault["code"], fault["message"])
    assert {"code", "hint", "retryable", "trace"} <= set(fault["data"])
    return answer | {"error": fault["code"]}


def _no_constant(text: str) -> object:
    raise AssertionError(f"{text} is not JSON")


def vector(name: str, body: str | bytes, answer: object) -> Vector:
    """A vector whose body may be written as text."""
    return Vector(name, body.encode() if isinstance(body, str) else body, answer)


def call(members: str) -> str:
    """A request object with the version and further members."""
    return '{"jsonrpc": "2.0", ' + members + "}"


def batch(*items: str) -> str:
    """A batch of texts."""
    return f"[{','.join(items)}]"
