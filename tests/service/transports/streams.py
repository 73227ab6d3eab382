"""A client of the stream without a network, and a feed without a database."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, Protocol, cast

from prometheus_client import CollectorRegistry
from twisted.internet.defer import Deferred
from twisted.internet.error import ConnectionDone
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport
from twisted.python.failure import Failure

from service.methods.caller import current_caller
from service.methods.feed_port import Change, Ends, Entry, FeedPage
from service.methods.session import Session, Source
from service.metrics import CallMetrics, StreamMetrics
from service.rpc.limits import Limits
from service.rpc.messages import Params
from service.transports.calls import CallRunner
from service.transports.lines import LineConnection, LineFactory
from service.transports.stream_limits import StreamLimits
from tests.service.rpc.methods import METHODS, respond

BOUNDS = StreamLimits(connections=3, calls=4, subscriptions=2)
CAPACITY = 65_536


class SmallTransport(cast(Any, StringTransport)):  # type: ignore[misc]
    """A transport that is full after a while, as Twisted's are, until the client reads."""

    def __init__(self) -> None:
        super().__init__()
        self.unread = 0
        self.is_read = True
        self.has_ended = False

    def write(self, data: bytes) -> None:
        """Take something; say so where it is enough."""
        super().write(data)
        self.unread += len(data)
        if self.producer is not None and self.unread > CAPACITY:
            self.producer.pauseProducing()
            if self.is_read:
                self.read()

    def read(self) -> None:
        """The client reads what there is."""
        self.unread = 0
        if self.producer is not None:
            self.producer.resumeProducing()

    def loseWriteConnection(self) -> None:  # noqa: N802
        """The server has said all."""
        self.has_ended = True


class Feed:
    """A changelog whose pages come when the test says so."""

    def __init__(self) -> None:
        self.head = 0
        self.padding = ""
        self.asked: list[tuple[int, int, Deferred[FeedPage]]] = []
        self.coming: list[tuple[int, int, Deferred[FeedPage | None]]] = []
        self.cancelled: list[int] = []
        self.given_up: list[int] = []
        self.listeners: list[Callable[[int], None]] = []

    def subscribe(self, on_sealed: Callable[[int], None]) -> Callable[[], None]:
        """Tell of what is sealed."""
        self.listeners.append(on_sealed)
        return lambda: self.listeners.remove(on_sealed)

    def seal(self, head: int) -> None:
        """There are changes up to a position."""
        self.head = head
        for listener in tuple(self.listeners):
            listener(head)

    def seal_and_read(self, head: int) -> None:
        """There are changes up to a position, and whoever expected a page gets it first."""
        self.head = head
        coming, self.coming = self.coming, []
        for after, limit, waiting in coming:
            waiting.callback(self._page(after, limit))
        self.seal(head)

    def disappoint(self, outcome: Exception | None = None) -> None:
        """Nobody gets the page that was expected."""
        coming, self.coming = self.coming, []
        for _after, _limit, waiting in coming:
            if outcome is None:
                waiting.callback(None)
            else:
                waiting.errback(outcome)

    def answer(self) -> None:
        """Give a page to everybody who asked for one."""
        asked, self.asked = self.asked, []
        for after, limit, waiting in asked:
            waiting.callback(self._page(after, limit))

    def fail(self, error: Exception) -> None:
        """Fail everybody who asked for a page."""
        asked, self.asked = self.asked, []
        for _after, _limit, waiting in asked:
            waiting.errback(error)

    def source(self) -> Source:
        """The pages for one subscription."""
        return Source(self._read, self._coming, self._as_json)

    async def _read(self, after: int, limit: int) -> FeedPage:
        def cancel(_waiting: object) -> None:
            self.cancelled.append(after)
            self.asked = [one for one in self.asked if one[2] is not waiting]

        waiting: Deferred[FeedPage] = Deferred(cancel)
        self.asked.append((after, limit, waiting))
        return await waiting

    async def _coming(self, after: int, limit: int) -> FeedPage | None:
        def cancel(_waiting: object) -> None:
            self.given_up.append(after)
            self.coming = [one for one in self.coming if one[2] is not waiting]

        waiting: Deferred[FeedPage | None] = Deferred(cancel)
        self.coming.append((after, limit, waiting))
        return await waiting

    def _page(self, after: int, limit: int) -> FeedPage:
        positions = range(after + 1, min(self.head, after + limit) + 1)
        changes = [_change(position) for position in positions]
        next_ = positions[-1] if positions else after
        return FeedPage(changes, next_, Ends(self.head, 0), next_ == self.head)

    def _as_json(self, page: FeedPage) -> list[object]:
        return [str(change.entry.position) + self.padding for change in page.changes]


def _change(position: int) -> Change:
    entry = Entry(position, "farm", "farm", "insert", (position,), (), 1, 1, 0, "api:test")
    return Change(entry, None)


class Stream:
    """A listener over test methods: those of the vectors, `hold`, `who`, and the feed's."""

    def __init__(self, limits: Limits | None = None, bounds: StreamLimits = BOUNDS) -> None:
        self.clock = Clock()
        self.feed = Feed()
        self.registry = CollectorRegistry()
        self.held: dict[object, Deferred[object]] = {}
        self.limits = limits or Limits()
        calls = CallMetrics(self.registry, set(METHODS))
        self.runner = CallRunner(self._respond, self.limits, calls, self.clock)
        metrics = StreamMetrics(self.registry)
        self.factory = LineFactory(self.runner, self.limits, bounds, metrics, self.feed, self.clock)

    def sample(self, name: str) -> float | None:
        """A number that the metrics show."""
        return self.registry.get_sample_value(name)

    async def _respond(self, method: str, params: Params) -> object:
        caller = current_caller()
        assert caller is not None
        values: list[Any] = params if isinstance(params, list) else []
        if method == "who":
            return caller.principal
        if method == "hold":
            self.held[values[0]] = Deferred()
            return await self.held[values[0]]
        if method == "feed.subscribe":
            return _session().subscribe(self.feed.source(), values[0], values[1])
        if method == "feed.unsubscribe":
            return _session().unsubscribe(values[0])
        return await respond(method, params)


def _session() -> Session:
    caller = current_caller()
    assert caller is not None
    assert caller.session is not None
    return caller.session


class Listening(Protocol):
    """What has a listener for streams."""

    factory: LineFactory


class Client:
    """One connection to a stream."""

    def __init__(self, stream: Listening, peer: object = None) -> None:
        self.protocol: LineConnection = stream.factory.buildProtocol(None)
        self.transport = SmallTransport()
        self.transport.peerAddr = peer
        self.protocol.makeConnection(self.transport)
        self._seen = 0

    def send(self, data: bytes) -> None:
        """Bytes arrive at the server."""
        self.protocol.dataReceived(data)

    def call(self, method: str, *params: object, id_: object = 1) -> None:
        """Send one call."""
        self.send(line(method, *params, id_=id_))

    def stop_reading(self) -> None:
        """From now on nothing is read."""
        self.transport.is_read = False

    def read_on(self) -> None:
        """Read what is there, and go on."""
        self.transport.is_read = True
        self.transport.read()

    def leave(self) -> None:
        """The client closes the connection."""
        self.protocol.connectionLost(cast(Any, Failure)(ConnectionDone()))

    def received(self) -> list[Any]:
        """The messages that came since the last look."""
        data = self.transport.value()
        new, self._seen = data[self._seen :], len(data)
        assert new.endswith(b"\n") or not new
        return [json.loads(text) for text in new.splitlines()]

    @property
    def sent_bytes(self) -> int:
        """How much the server has given to the transport."""
        return len(self.transport.value())

    def is_reading(self) -> bool:
        """Whether the server reads what is sent to it."""
        return bool(self.transport.producerState == "producing")

    def is_closed(self) -> bool:
        """Whether the server has closed, now or once everything is read."""
        return bool(self.transport.disconnecting or self.transport.has_ended)

    def is_cut(self) -> bool:
        """Whether the server has cut the connection off."""
        return bool(self.transport.disconnected)


def line(method: str, *params: object, id_: object = 1) -> bytes:
    """One call as a line."""
    call = {"jsonrpc": "2.0", "method": method, "params": list(params), "id": id_}
    return json.dumps(call).encode() + b"\n"
