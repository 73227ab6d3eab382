"""A request and an answer of HTTP as values, so that pages know nothing of Twisted."""

from __future__ import annotations

import json
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias


@dataclass(frozen=True)
class Asked:
    """A request that was received whole. Header names are in lower case.

    `client` is who sent it, as the changelog names callers; `address` is where he is, None on a
    socket.
    """

    method: str
    path: str
    query: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    client: str = ""
    address: str | None = None


@dataclass(frozen=True)
class Answer:
    """What is sent back."""

    status: int
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)


Handler: TypeAlias = Callable[[Asked], Coroutine[Any, Any, Answer]]


@dataclass(frozen=True)
class WebLimits:
    """What one listener may cost.

    `connections`: twice the calls that may be pending: half of them may be idle.
    `of_block`: of one block of addresses, but for the loopback; 0: no limit.
    `greeting_seconds`: from the connection to the end of the first headers, where nobody is let in
    without a token.
    `receive_seconds`: from the first byte of a request to its last; 8 MiB at 1.2 Mbit/s.
    `idle_seconds`: longer than the 60 seconds common proxies keep a connection, so that they
    close it first and never send a request into a connection that is just closing.
    `linger_seconds`: how long a refused body is still read. Closing at once would make the
    kernel reset the connection, and the client could lose the answer that says why.
    """

    body_bytes: int
    connections: int = 2000
    of_block: int = 0
    greeting_seconds: float = 10.0
    receive_seconds: float = 60.0
    idle_seconds: float = 75.0
    linger_seconds: float = 5.0


def refusal(status: int, message: str, headers: Mapping[str, str] | None = None) -> Answer:
    """An answer for what is no page: a small JSON object that says what to do."""
    body = json.dumps({"error": message}).encode()
    return Answer(status, body, {"Content-Type": "application/json"} | dict(headers or {}))
