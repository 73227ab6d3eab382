"""A node's two doors for applications, over methods that say who called; no network, no clock."""

from __future__ import annotations

import json
from typing import Any

from prometheus_client import CollectorRegistry
from twisted.internet.address import IPv4Address
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock

from service.access.door import Door
from service.methods.caller import current_caller, current_principal
from service.methods.guard import guarded
from service.methods.logging_in import LoginMethods
from service.methods.params import Arguments, Parameter, Signature
from service.methods.registry import Registry, described
from service.metrics import CallMetrics, StreamMetrics
from service.rpc.limits import Limits
from service.transports.calls import CallRunner
from service.transports.http import RpcPages
from service.transports.lines import LineConnection, LineFactory
from service.transports.web import Answer, Asked
from tests.service.transports.streams import BOUNDS, Client, Feed

ADDRESS = "192.0.2.7"
_ANY = Parameter("any", "whatever", {})


class Guarded:
    """Both doors, the methods behind them, and what these were called for."""

    def __init__(self, door: Door) -> None:
        self.door = door
        self.clock = Clock()
        self.feed = Feed()
        self.waiting: list[Deferred[object]] = []
        self.called: list[str] = []
        numbers, limits = CollectorRegistry(), Limits()
        self.runner = runner = CallRunner(
            guarded(self._registry(), door), limits, CallMetrics(numbers, set()), self.clock
        )
        self.pages = RpcPages(runner, door)
        metrics = StreamMetrics(numbers)
        self.factory = LineFactory(runner, limits, BOUNDS, metrics, self.feed, self.clock, door)

    def post(self, *calls: str, token: str | None = None, **headers: str) -> Answer:
        """The answer to one request over HTTP; several calls are a batch."""
        answer: Any = getattr(self.posting(*calls, token=token, **headers), "result", None)
        assert isinstance(answer, Answer)
        return answer

    def posting(self, *calls: str, token: str | None = None, **headers: str) -> Deferred[Answer]:
        """A request over HTTP that may wait."""
        return self.posting_body(body(*calls), token, **headers)

    def posting_body(self, sent: bytes, token: str | None, **headers: str) -> Deferred[Answer]:
        """The same with any body."""
        shown = {} if token is None else {"authorization": f"Bearer {token}"}
        asked = Asked(
            "POST",
            "/",
            headers={"content-type": "application/json", **shown, **headers},
            body=sent,
            client=f"api:{ADDRESS}",
            address=ADDRESS,
        )
        return Deferred.fromCoroutine(self.pages(asked))

    def connect(self) -> GuardedClient:
        """A connection that stays."""
        return GuardedClient(self)

    def _registry(self) -> Registry:
        registry = Registry(LoginMethods().methods())
        for name in ("cow.list", "cow.create", "held.drop"):
            registry.add(described(name, "Who calls.", Signature((_ANY,)), {}, {}, self._who))
        for name, handler in (("feed.read", self._wait), ("feed.subscribe", self._subscribe)):
            registry.add(described(name, "Waits.", Signature(), {}, {}, handler))
        return registry

    async def _who(self, arguments: Arguments) -> object:
        arguments.problems.raise_any()
        self.called.append(str(current_principal()))
        return current_principal()

    async def _wait(self, arguments: Arguments) -> object:
        self.waiting.append(Deferred())
        return await self.waiting[-1]

    async def _subscribe(self, arguments: Arguments) -> object:
        caller = current_caller()
        assert caller is not None
        assert caller.session is not None
        return caller.session.subscribe(self.feed.source(), 0, 10)


class GuardedClient(Client):
    """A client of the stream at an address."""

    protocol: LineConnection

    def __init__(self, world: Guarded) -> None:
        super().__init__(world, IPv4Address("TCP", ADDRESS, 4711))

    def ask(self, method: str, *params: object) -> Any:
        """The answer to one call."""
        self.call(method, *params)
        [answer] = self.received()
        return answer


def body(*calls: str) -> bytes:
    """One call, or several as a batch."""
    made = [{"jsonrpc": "2.0", "method": name, "id": at} for at, name in enumerate(calls)]
    return json.dumps(made[0] if len(made) == 1 else made).encode()


def code_of(answer: Any) -> str:
    """The word of an error."""
    code = answer["error"]["data"]["code"]
    assert isinstance(code, str)
    return code


def told(answer: Answer) -> Any:
    """The body of an answer."""
    return json.loads(answer.body)
