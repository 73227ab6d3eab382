"""Persistent connections: one JSON-RPC message a line, over TCP or a socket.

The calls of a connection run side by side and are answered as they end. What ends a connection if
nothing else does:

    unknown     login_seconds            error, closed   (no token, where one is required)
                at a line of over 4 KiB  error, closed
                at 8 lines without calls error, closed
    idle        idle_seconds             closed          (nothing under way, no subscription)
    receiving   receive_seconds a line   error, closed   (however steadily it drips)
    too long    at limits.body_bytes     error, closed
    unread      stall_seconds            its subscriptions end
                four times as long       cut off
    closing     linger_seconds           cut off

Where as many calls are under way as a connection may have, or the client does not read what it is
sent, nothing more is read from it.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from enum import Enum
from typing import Any, cast

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.interfaces import IAddress
from twisted.internet.protocol import Protocol, ServerFactory
from twisted.python.failure import Failure

from service.access.door import Door, Visitor
from service.errors import Busy, ServiceError, TimedOut
from service.methods.caller import Caller, calling
from service.metrics import StreamMetrics
from service.rpc.limits import Limits
from service.rpc.lines import END, LineReader
from service.rpc.refusals import BodyTooLarge
from service.transports.calls import CallRunner
from service.transports.outbox import Outbox
from service.transports.peers import address_at, keep_alive, principal_at
from service.transports.places import NoPlace, Places, TurnedAway
from service.transports.sent_away import SentAway
from service.transports.stream_limits import STRANGER_BYTES, STRANGER_LINES, StreamLimits
from service.transports.subscribers import (
    CallSession,
    Changes,
    Subscriptions,
    SubscriptionTerms,
    Wakes,
)
from service.transports.timing import Clock, Timer, fired, within_time

_log = logging.getLogger("herdbook.stream")
_CLOSE_SECONDS = 2.0
_STALLS_BEFORE_THE_END = 4


class Phase(Enum):
    """Where a connection stands; it only ever moves down this list."""

    OPEN = "takes messages"
    CLOSING = "answers what it took"
    GONE = "is lost"


class LineConnection(Protocol):
    """One client. To its transport it is also the producer of what is sent."""

    transport: Any

    def __init__(self, factory: LineFactory) -> None:
        self.factory: LineFactory = factory
        self._phase = Phase.OPEN
        self._reader = LineReader(factory.limits.body_bytes)
        self._outbox = Outbox(self._write)
        self._subscriptions = Subscriptions(self._outbox, factory.terms)
        self._running: set[Deferred[Any]] = set()
        self._principal = ""
        self._visitor: Visitor | None = None
        self._line: int | None = None
        self._is_reading = True
        self._is_settling = False
        self._lingers = False
        self._stalls = 0
        bounds, clock = factory.bounds, factory.clock
        self._idle = Timer(clock, bounds.idle_seconds, self.close)
        self._receiving = Timer(clock, bounds.receive_seconds, self._is_too_slow)
        self._unknown = Timer(clock, bounds.login_seconds, self._stays_unknown)
        self._unread = Timer(clock, bounds.stall_seconds, self._is_stalled)
        self._linger = Timer(clock, bounds.linger_seconds, self._abort)

    # What Twisted calls.

    def connectionMade(self) -> None:
        """Begin to read."""
        peer = self.transport.getPeer()
        self._principal = principal_at(peer)
        if self.factory.door is not None:
            self._visitor = self.factory.door.visitor(address_at(peer), self._principal)
            self._unknown.start()
        keep_alive(self.transport)
        self.transport.registerProducer(self, True)
        self._settle()

    def dataReceived(self, data: bytes) -> None:
        """Take in what came; behind a line that is refused everything is thrown away."""
        if self._phase is Phase.OPEN:
            self._idle.stop()
            self._reader.receive(data)
            self._settle()

    def connectionLost(self, reason: Failure | None = None) -> None:
        """End what was under way for this client."""
        self._phase = Phase.GONE
        timers = (self._idle, self._unknown, self._receiving, self._unread, self._linger)
        for timer in timers:
            timer.stop()
        self._outbox.clear()
        self._subscriptions.end_all()
        for running in tuple(self._running):
            running.cancel()
        self.factory.forget(self)

    def pauseProducing(self) -> None:  # noqa: N802
        """The transport is full."""
        self._outbox.pause()
        self._settle()

    def resumeProducing(self) -> None:  # noqa: N802
        """The client has read what the transport had."""
        self._unread.stop()
        self._stalls = 0
        self._outbox.resume()
        if self._outbox.is_drained:
            self._subscriptions.drained()
        self._settle()

    def stopProducing(self) -> None:  # noqa: N802
        """The connection is lost, as `connectionLost` says too."""

    # What the factory calls.

    def close(self) -> None:
        """Take no more messages, answer those under way, and close."""
        if self._phase is Phase.OPEN:
            self._phase = Phase.CLOSING
            self._subscriptions.end_all()
            self._settle()

    def look_again(self) -> None:
        """Close, and say why, where the token that was shown counts no more."""
        if self._visitor is not None:
            self._refuse_unless(self._visitor.still_known)

    def cut_off(self) -> None:
        """Close at once; what is unsent is lost."""
        self._abort()

    # Calls.

    def _begin_calls(self) -> None:
        """Begin what was received, as far as there is room."""
        while self._phase is Phase.OPEN and self._has_room():
            try:
                line = self._reader.take()
            except BodyTooLarge as error:
                self._refuse(error)
                return
            size = self._reader.unfinished_size if line is None else len(line)
            if not self._may_send(size) or line is None:
                return
            self._begin(line)

    def _begin(self, line: bytes) -> None:
        """Begin the calls of one message, or say why not now."""
        runner = self.factory.runner
        refusal = runner.refusal()
        if refusal is not None:
            self._reply(runner.turn_away(line, refusal))
            return
        session = CallSession(self._subscriptions)
        with calling(Caller(self._principal, session, self._visitor)):
            count = None if self._visitor is None else self._visitor.count_no_call
            running = Deferred.fromCoroutine(runner.answer(line, count))
        self._running.add(running)
        running.addBoth(self._ended, running, session)

    def _ended(
        self, outcome: bytes | Failure | None, running: Deferred[Any], session: CallSession
    ) -> None:
        """Send the answer to a message, then what is told of what it subscribed to."""
        self._running.discard(running)
        if self._phase is Phase.GONE:
            return
        if not isinstance(outcome, Failure):
            self._reply(outcome)
        elif not isinstance(outcome.value, CancelledError):
            self._reply(self.factory.runner.refuse(cast(BaseException, outcome.value)))
        if self._visitor is not None and self._visitor.is_known:
            self.factory.places.recognise(self)
        elif self._visitor is not None and self._visitor.without_call >= STRANGER_LINES:
            self._stays_unknown()
        if session.begun:
            # The token may have ended since it let them subscribe.
            self.look_again()
        if self._phase is Phase.OPEN:
            self._subscriptions.begin(session.begun)
        self._settle()

    def _reply(self, reply: bytes | None) -> None:
        if reply is not None:
            self._outbox.send(reply + END)

    def _refuse(self, error: ServiceError) -> None:
        """Answer what is no message, and close; the client gets a while to read why."""
        self._reply(self.factory.runner.refuse(error))
        self._lingers = True
        self.close()

    # What is read, and what is waited for.

    def _settle(self) -> None:
        """After whatever happened: go on with calls, with reading, with closing."""
        if self._is_settling or self._phase is Phase.GONE:
            return
        self._is_settling = True
        try:
            self._begin_calls()
        finally:
            self._is_settling = False
        self._read_or_rest()
        self._watch()
        self._close_when_done()

    def _has_room(self) -> bool:
        """Whether another message may begin."""
        return len(self._running) < self.factory.bounds.calls and self._outbox.is_drained

    def _read_or_rest(self) -> None:
        """Read from the socket only what can be used, or is thrown away."""
        wanted = self._phase is Phase.CLOSING or self._has_room()
        if wanted != self._is_reading:
            self._is_reading = wanted
            (self.transport.resumeProducing if wanted else self.transport.pauseProducing)()

    def _watch(self) -> None:
        """Run the timers of what is waited for, and no other."""
        is_open, line = self._phase is Phase.OPEN, self._reader.unfinished
        if line != self._line:
            # Each line has a time of its own.
            self._receiving.stop()
            self._line = line
        self._receiving.run_while(is_open and self._is_reading and line is not None)
        at_work = bool(self._running or self._subscriptions) or line is not None
        self._idle.run_while(is_open and not at_work and self._outbox.is_drained)
        self._unread.run_while(not self._outbox.is_drained)

    def _close_when_done(self) -> None:
        """Close once everything is answered and with the transport."""
        if self._phase is not Phase.CLOSING or self._running or not self._outbox.is_drained:
            return
        if self.transport.producer is None:
            return
        self.transport.unregisterProducer()
        self._linger.start()
        if self._lingers:
            # To close while the client still sends would reset the connection, and take from the
            # client what it was sent.
            self.transport.loseWriteConnection()
        else:
            self.transport.loseConnection()

    def _may_send(self, size: int) -> bool:
        """Whether a line may be so long; who has yet to show a token is sent away for it."""
        if size > STRANGER_BYTES:
            self._stays_unknown()
        return self._phase is Phase.OPEN

    def _stays_unknown(self) -> None:
        if self._visitor is not None:
            self._refuse_unless(self._visitor.identified)

    def _refuse_unless(self, known: Callable[[], object]) -> None:
        """Close, and say why, where this raises an error of the service."""
        if self._phase is not Phase.OPEN:
            return
        try:
            known()
        except ServiceError as error:
            self._refuse(error)

    def _is_too_slow(self) -> None:
        seconds = self.factory.bounds.receive_seconds
        message = f"the message did not arrive within {seconds:g} seconds"
        self._refuse(TimedOut(message, hint="Send a whole line, and its line feed, at once."))

    def _is_stalled(self) -> None:
        """The client has not read for a while: end its subscriptions, later the connection."""
        self._stalls += 1
        if self._stalls >= _STALLS_BEFORE_THE_END:
            self._abort()
        else:
            self._subscriptions.stalled()
            self._settle()

    def _write(self, data: bytes) -> None:
        self.transport.write(data)

    def _abort(self) -> None:
        self.transport.abortConnection()


class LineFactory(ServerFactory):
    """The listener's side: makes connections, and ends them together."""

    noisy = False

    def __init__(
        self,
        runner: CallRunner,
        limits: Limits,
        bounds: StreamLimits,
        metrics: StreamMetrics,
        changes: Changes,
        clock: Clock,
        door: Door | None = None,
        turned_away: Callable[[str], None] = lambda why: None,
    ) -> None:
        self.door = door
        self._turned_away = TurnedAway(turned_away, _log.warning, clock)
        self.runner = runner
        self.limits = limits
        self.bounds = bounds
        self.metrics = metrics
        self.clock = clock
        wakes = Wakes(changes)
        self.terms = SubscriptionTerms(bounds.subscriptions, limits, metrics, clock, wakes)
        self.places: Places[LineConnection] = Places(bounds.connections, bounds.of_block)
        self._sent_away = SentAway(clock, bounds.linger_seconds)
        self._closed: Deferred[None] | None = None

    def buildProtocol(self, addr: IAddress | None) -> Any:
        """A new connection, or one that only says that there are too many, or none."""
        address = address_at(addr)
        try:
            goes = self.places.for_one_more(address)
        except NoPlace as none:
            self._turned_away(none.why)
            error = Busy(f"there are {len(self.places)} connections already")
            return self._sent_away.tell(self.runner.refuse(error) + END)
        if goes is not None:
            self._turned_away("stranger")
            self.forget(goes)
            goes.cut_off()
        connection = LineConnection(self)
        self.places.take(connection, address, self.door is not None and self.door.required)
        self.metrics.connections.inc()
        return connection

    def forget(self, connection: LineConnection) -> None:
        """Note that a connection is gone."""
        if self.places.leave(connection):
            self.metrics.connections.dec()
        if not len(self.places) and self._closed is not None:
            closed, self._closed = self._closed, None
            closed.callback(None)

    def look_again(self) -> None:
        """Close the connections whose tokens count no more."""
        for connection in self.places:
            connection.look_again()

    def drain(self, seconds: float) -> Deferred[None]:
        """Take no more messages; fires when those under way are answered and the answers sent.

        Calls still running after `seconds` are cut short, connections still open a little later.
        """
        self._finish()
        return self.runner.drain(seconds).addCallback(lambda _: self.close())

    def close(self) -> Deferred[None]:
        """Close all connections; fires when they are gone, those of slow readers cut off."""
        self._finish()
        if not len(self.places):
            return fired()
        self._closed = closed = Deferred[None]()
        return within_time(closed, _CLOSE_SECONDS, self.clock, self._cut_off)

    def _finish(self) -> None:
        for connection in self.places:
            connection.close()

    def _cut_off(self, result: object, seconds: float) -> None:
        """Cut off the connections that did not close by themselves."""
        self._closed = None
        for connection in self.places:
            connection.cut_off()
