"""A listener on a real socket, and clients from the standard library."""

from __future__ import annotations

import http.client
import json
import queue
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from prometheus_client import CollectorRegistry
from twisted.internet.defer import CancelledError, Deferred

from service.metrics import CallMetrics
from service.rpc.limits import Limits
from service.rpc.messages import Params
from service.transports.calls import CallRunner
from service.transports.connections import WebFactory
from service.transports.http import RpcFactory
from service.transports.lines import LineFactory
from service.transports.web import WebLimits
from tests.service.rpc.methods import METHODS, respond
from tests.service.transports.reactor_thread import in_reactor, reactor

SECONDS = 20
JSON = {"Content-Type": "application/json"}


@dataclass(frozen=True)
class Reply:
    """An answer as a client sees it; header names in lower case."""

    status: int
    headers: dict[str, str]
    body: bytes


class LiveServer:
    """A factory that listens on a free port of this machine."""

    def __init__(
        self, factory: WebFactory | LineFactory, over: Callable[[Any], Any] | None = None
    ) -> None:
        self.factory = factory
        wrapped = factory if over is None else over(factory)
        self._listening = in_reactor(reactor.listenTCP, 0, wrapped, interface="127.0.0.1")
        self.address = ("127.0.0.1", self._listening.getHost().port)

    def connect(self) -> socket.socket:
        """A new connection."""
        return socket.create_connection(self.address, timeout=SECONDS)

    @contextmanager
    def client(self) -> Iterator[http.client.HTTPConnection]:
        """A client that keeps its connection."""
        client = http.client.HTTPConnection(*self.address, timeout=SECONDS)
        try:
            yield client
        finally:
            client.close()

    def request(
        self,
        method: str = "POST",
        path: str = "/",
        body: object = b"",
        headers: dict[str, str] | None = None,
    ) -> Reply:
        """The answer to one request on a connection of its own."""
        with self.client() as client:
            return ask(client, method, path, body, headers)

    def raw(self, data: bytes) -> bytes:
        """All that comes back for some bytes, up to the end of the connection."""
        with self.connect() as connection:
            connection.sendall(data)
            return read_all(connection)

    def stop(self) -> None:
        """Stop listening and close what is open."""
        in_reactor(self._listening.stopListening)
        in_reactor(self.factory.close)


def ask(
    client: http.client.HTTPConnection,
    method: str = "POST",
    path: str = "/",
    body: object = b"",
    headers: dict[str, str] | None = None,
) -> Reply:
    """The answer to one request on an open connection."""
    client.request(method, path, body, JSON if headers is None else headers)  # type: ignore[arg-type]
    response = client.getresponse()
    named = {name.lower(): value for name, value in response.getheaders()}
    return Reply(response.status, named, response.read())


def read_all(connection: socket.socket) -> bytes:
    """Everything that still comes on a connection, up to its end."""
    return b"".join(iter(lambda: connection.recv(65536), b""))


class HeldCalls:
    """The methods of the vectors, and `hold`, whose calls wait until a test lets them go."""

    def __init__(self) -> None:
        self.ended: queue.Queue[str] = queue.Queue()
        self._begun = threading.Semaphore(0)
        self._waiting: list[Deferred[None]] = []

    async def respond(self, method: str, params: Params) -> object:
        """Run one call."""
        if method != "hold":
            return await respond(method, params)
        waiting: Deferred[None] = Deferred()
        self._waiting.append(waiting)
        self._begun.release()
        try:
            await waiting
        except CancelledError:
            self.ended.put("cancelled")
            raise
        self.ended.put("done")
        return params

    def wait_for(self, calls: int) -> None:
        """Wait until so many more calls have begun."""
        for _ in range(calls):
            assert self._begun.acquire(timeout=SECONDS), "a call did not begin"

    def let_go(self) -> None:
        """Let all waiting calls end."""
        in_reactor(self._let_go)

    def _let_go(self) -> None:
        waiting, self._waiting = self._waiting, []
        for call in waiting:
            call.callback(None)


def rpc_factory(
    held: HeldCalls, limits: Limits | None = None, web: WebLimits | None = None
) -> RpcFactory:
    """The JSON-RPC listener over the test methods."""
    limits = limits or Limits()
    metrics = CallMetrics(CollectorRegistry(), {*METHODS, "hold"})
    runner = CallRunner(held.respond, limits, metrics, reactor)
    return RpcFactory(runner, web or WebLimits(limits.body_bytes), reactor)


def post(body: bytes, path: str = "/", extra: str = "") -> bytes:
    """A request as raw bytes; `extra` are whole header lines."""
    head = (
        f"POST {path} HTTP/1.1\r\nHost: herd\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(body)}\r\n{extra}\r\n"
    )
    return head.encode() + body


def call(method: str, params: object = None, id_: object = 1) -> bytes:
    """The body of one call."""
    return json.dumps(
        {"jsonrpc": "2.0", "method": method, "params": params or [], "id": id_}
    ).encode()
