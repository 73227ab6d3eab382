"""A connection without a network and a clock without time, both moved by the test."""

from __future__ import annotations

from typing import Any, cast

from twisted.internet.defer import Deferred
from twisted.internet.error import ConnectionDone
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport
from twisted.python.failure import Failure

from service.transports.connections import Connection, WebFactory
from service.transports.web import Answer, Asked, Handler, WebLimits

LIMITS = WebLimits(
    1_000, connections=3, receive_seconds=60.0, idle_seconds=75.0, linger_seconds=5.0
)


class Line:
    """One client's connection to a factory."""

    def __init__(self, factory: WebFactory) -> None:
        self.protocol: Connection = factory.buildProtocol(None)
        self.transport: Any = cast(Any, StringTransport)()
        self.protocol.makeConnection(self.transport)

    def send(self, data: bytes) -> None:
        """Bytes arrive at the server."""
        self.protocol.dataReceived(data)

    def stop_reading(self) -> None:
        """The server's buffer is full: the transport says that no more should be written."""
        self.transport.producer.pauseProducing()

    def read(self) -> None:
        """The client has read what was there."""
        self.transport.producer.resumeProducing()

    def leave(self) -> None:
        """The client closes the connection."""
        self.protocol.connectionLost(cast(Any, Failure)(ConnectionDone()))

    @property
    def received(self) -> bytes:
        """All that the server has sent."""
        return bytes(self.transport.value())

    def is_closing(self) -> bool:
        """Whether the server has begun to close; what is written is still sent."""
        return bool(self.transport.disconnecting)

    def is_cut(self) -> bool:
        """Whether the server has cut the connection off."""
        return bool(self.transport.disconnected)


async def echo(asked: Asked) -> Answer:
    """A page that sends the body back."""
    return Answer(200, asked.body)


def new_line(handle: Handler = echo) -> tuple[Line, Clock, WebFactory]:
    """A connection to a fresh factory, with its clock."""
    clock = Clock()
    factory = WebFactory(handle, LIMITS, clock)
    return Line(factory), clock, factory


def has_fired(deferred: Deferred[Any]) -> bool:
    """Whether a Deferred has a result by now."""
    return bool(deferred.called)
