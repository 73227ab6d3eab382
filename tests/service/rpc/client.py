"""The other side of the wire: builds bodies and reads replies, written against the specification.

It shares nothing with the code under test but msgspec.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import msgspec


@dataclass(frozen=True)
class Wanted:
    """A call that a client makes; without an answer wanted it is a notification."""

    method: str
    params: object
    wants_answer: bool = True


def body_of(calls: Sequence[Wanted], *, as_batch: bool) -> bytes:
    """The body for some calls; ids are their places."""
    requests = [_request(place, call) for place, call in enumerate(calls)]
    return msgspec.json.encode(requests if as_batch else requests[0])


def answers_in(reply: bytes | None) -> dict[object, dict[str, object]]:
    """The answers of a reply by their ids; no two may have the same."""
    if reply is None:
        return {}
    value = msgspec.json.decode(reply)
    answers = value if isinstance(value, list) else [value]
    assert answers, "a reply must not be an empty batch"
    found = {answer["id"]: answer for answer in answers}
    assert len(found) == len(answers)
    return found


def _request(place: int, call: Wanted) -> dict[str, object]:
    request: dict[str, object] = {"jsonrpc": "2.0", "method": call.method}
    if call.params is not None:
        request["params"] = call.params
    return request | ({"id": place} if call.wants_answer else {})
