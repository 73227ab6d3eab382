"""HTTP connections within bounds: a request is received whole or refused, then one function asked.

Twisted's own parser reads the wire. Added here is how much is kept, and for how long. What ends
each phase of a connection if nothing else does:

    unknown     greeting_seconds         closed          (no token so far, where one is required)
    idle        idle_seconds             closed
    receiving   receive_seconds in all   408, closed     (however steadily it drips)
    refused     linger_seconds           closed          (too large a body, read and thrown away)
    answering   the handler's own limit
    sending     idle_seconds             cut off         (a client that does not read)

A request that was sent ahead is begun when the answer before it is on its way, so that answers
nobody reads do not pile up.
"""

# Twisted's HTTP classes are not annotated; every second line here calls into them.
# mypy: disable-error-code="no-untyped-call"

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import Any, cast

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.interfaces import IAddress
from twisted.internet.protocol import ServerFactory
from twisted.protocols.basic import LineReceiver
from twisted.python.failure import Failure
from twisted.web import http

from service.access.door import Door
from service.access.secret import mask_tokens
from service.rpc.faults import new_trace
from service.transports.peers import address_at, principal_at
from service.transports.places import NoPlace, Places, TurnedAway
from service.transports.timing import Clock, Timer, fired, within_time
from service.transports.web import Answer, Asked, Handler, WebLimits, refusal

_log = logging.getLogger("herdbook.http")
_CLOSE_SECONDS = 2.0


def _shown(uri: bytes) -> str:
    """A request's URI for the log, where some put tokens that belong in a header."""
    return mask_tokens(repr(uri))


class BoundedRequest(http.Request):
    """One request, kept in memory up to the limit of its body."""

    channel: Connection

    def __init__(self, channel: Connection, queued: object) -> None:
        super().__init__(channel, queued)
        self._pieces: list[bytes] = []
        self._size = 0
        self.is_refused = False

    # What Twisted's parser calls, in this order.

    def parseCookies(self) -> None:  # noqa: N802
        """No page reads cookies."""

    def gotLength(self, length: int | None) -> None:  # noqa: N802
        """Refuse who may not come in, and a body that announces itself as too long.

        None is one sent in chunks. Of a stranger's body nothing is kept, as he may have many.
        """
        refused = self.channel.factory.stranger(self._headers(), self._peer())
        if refused is not None:
            self._refuse(refused)
            return
        self.channel.hear(self._headers())
        if length is not None and length > self.channel.factory.limits.body_bytes:
            self._refuse_body()

    def handleContentChunk(self, data: bytes) -> None:  # noqa: N802
        """Keep a piece of the body; once the body is refused, none."""
        if self.is_refused:
            return
        self._pieces.append(data)
        self._size += len(data)
        if self._size > self.channel.factory.limits.body_bytes:
            self._refuse_body()

    def requestReceived(self, command: bytes, path: bytes, version: bytes) -> None:  # noqa: N802
        """Ask the handler, now that everything is here."""
        self.method, self.uri, self.clientproto = command, path, version
        if self.is_refused:
            self.channel.loseConnection()
            return
        running = Deferred.fromCoroutine(self.channel.factory.handle(self._asked()))
        self.notifyFinish().addErrback(lambda _: running.cancel())
        running.addErrback(self._broken).addCallback(self._reply)

    # The answer.

    def refuse_now(self, answer: Answer) -> None:
        """Answer before the request has come to its end; nothing more of it is kept."""
        self.is_refused = True
        self._pieces.clear()
        self.requestHeaders.removeHeader(b"Expect")
        self.channel.persistent = 0
        self.setResponseCode(answer.status)
        self._set_headers(answer)
        self.channel.writeHeaders(
            b"HTTP/1.1", b"%d" % self.code, self.code_message, self.responseHeaders
        )
        self.channel.write(answer.body)

    def _refuse_body(self) -> None:
        """Answer 413 and read on for a while, so that the client gets to see it."""
        limit = self.channel.factory.limits.body_bytes
        message = f"The body is longer than {limit} bytes. Split the work over several calls."
        self._refuse(refusal(http.REQUEST_ENTITY_TOO_LARGE, message))

    def _refuse(self, answer: Answer) -> None:
        """Answer, and throw away for a while what still comes."""
        self.refuse_now(answer)
        self.channel.setTimeout(self.channel.factory.limits.linger_seconds)

    def _peer(self) -> object:
        return cast(Any, self.channel.transport).getPeer()

    def _headers(self) -> dict[str, str]:
        """The headers by their names in lower case; one sent twice is joined (RFC 9110)."""
        return {
            name.decode("latin-1").lower(): b", ".join(values).decode("latin-1")
            for name, values in self.requestHeaders.getAllRawHeaders()
        }

    def _asked(self) -> Asked:
        """The request as a value."""
        path, _, query = self.uri.decode("latin-1").partition("?")
        headers, peer = self._headers(), self._peer()
        body = b"".join(self._pieces)
        self._pieces.clear()
        method = self.method.decode("latin-1")
        return Asked(method, path, query, headers, body, principal_at(peer), address_at(peer))

    def _reply(self, answer: Answer | None) -> None:
        """Send the answer, unless there is nobody left to read it."""
        if answer is None or self._disconnected:
            return
        self.setResponseCode(answer.status)
        self._set_headers(answer)
        if answer.body:
            self.write(answer.body)
        self.finish()

    def _broken(self, failure: Failure) -> Answer | None:
        """What to send when the handler failed: nothing, if it did because the client left."""
        if self._disconnected and failure.check(CancelledError):
            return None
        trace = new_trace()
        error = failure.value
        _log.error("the page %s failed (trace %s)", _shown(self.uri), trace, exc_info=error)
        message = f"Internal error. The node's log tells more under trace {trace}."
        return refusal(http.INTERNAL_SERVER_ERROR, message)

    def _set_headers(self, answer: Answer) -> None:
        """The headers of an answer, and those that every answer has."""
        headers = {"Date": http.datetimeToString().decode("ascii"), "Cache-Control": "no-store"}
        if answer.status != http.NO_CONTENT:
            headers["Content-Length"] = str(len(answer.body))
        if not self.channel.persistent:
            headers["Connection"] = "close"
        for name, value in (headers | dict(answer.headers)).items():
            self.setHeader(name, value)


class Connection(http.HTTPChannel):
    """One connection, with a timer for the phase it is in."""

    factory: WebFactory
    requestFactory: Any = BoundedRequest  # noqa: N815
    _is_idle = True
    _unread: http.Request | None = None

    def callLater(self, period: float, func: Any) -> Any:  # noqa: N802
        """Twisted's timers, on the factory's clock."""
        return self.factory.clock.callLater(period, func)

    def connectionMade(self) -> None:
        """Begin; who is a stranger has not long to show himself."""
        super().connectionMade()
        limits, clock = self.factory.limits, self.factory.clock
        self._greeting = Timer(clock, limits.greeting_seconds, self.timeoutConnection)
        self._greeting.run_while(self.factory.has_strangers)

    def hear(self, headers: Mapping[str, str]) -> None:
        """The headers of a request are there, and it is not refused."""
        self._greeting.stop()
        if self.factory.knows(headers, cast(Any, self.transport).getPeer()):
            self.factory.places.recognise(self)

    def dataReceived(self, data: bytes) -> None:
        """Read on. Unlike in Twisted, more data gives a request no more time.

        What comes after the end was said is nothing to answer; only TLS still reads it.
        """
        if cast(Any, self.transport).disconnecting:
            return
        if self._is_idle:
            self._is_idle = False
            self.setTimeout(self.factory.limits.receive_seconds)
        LineReceiver.dataReceived(self, data)

    def lineReceived(self, line: bytes) -> None:  # noqa: N802
        """Read a line of the headers. Others may take one that begins with a space for another."""
        if line[:1] in (b" ", b"\t"):
            self._respondToBadRequestAndDisconnect()
            return
        super().lineReceived(line)

    def headerReceived(self, line: bytes) -> bool:  # noqa: N802
        """Read a header. A length of thousands of digits is a bad one and not our failure.

        Of codings only chunks are known, and only to HTTP/1.1: another server may see a body
        elsewhere.
        """
        name, _, value = line.partition(b":")
        if name.lower() == b"transfer-encoding" and (
            value.strip(b" \t").lower() != b"chunked" or self._version != b"HTTP/1.1"
        ):
            self._respondToBadRequestAndDisconnect()
            return False
        try:
            return cast(bool, super().headerReceived(line))
        except ValueError:
            self._respondToBadRequestAndDisconnect()
            return False

    def checkPersistence(self, request: http.Request, version: bytes) -> bool:  # noqa: N802
        """Whether the connection stays open after this request."""
        return not self.factory.is_closing and cast(
            bool, super().checkPersistence(request, version)
        )

    def requestDone(self, request: http.Request) -> None:  # noqa: N802
        """Wait for a next request, or for the client to read the answer before the end."""
        self._is_idle = True
        self._savedTimeOut = None
        self.setTimeout(self.factory.limits.idle_seconds)
        if self.persistent and self._waitingForTransport:
            self._unread = request
            return
        super().requestDone(request)

    def resumeProducing(self) -> None:  # noqa: N802
        """Go on with the requests that were sent ahead, now that the client reads again."""
        super().resumeProducing()
        if self._unread is not None:
            request, self._unread = self._unread, None
            self.requestDone(request)

    def timeoutConnection(self) -> None:  # noqa: N802
        """Close the connection; a request that came too slowly is told so.

        One that is closing already, but whose client does not read the last answer, is cut off.
        """
        if cast(Any, self.transport).disconnecting:
            cast(Any, self.transport).abortConnection()
            return
        is_receiving = self.requests and self._unread is None
        if is_receiving and not self.requests[-1].is_refused:
            seconds = self.factory.limits.receive_seconds
            message = f"The request did not arrive within {seconds:g} seconds. Send it again."
            self.requests[-1].refuse_now(refusal(http.REQUEST_TIMEOUT, message))
        super().timeoutConnection()

    def connectionLost(self, reason: Failure) -> None:  # type: ignore[override]
        """End what was running for this client."""
        self._greeting.stop()
        super().connectionLost(reason)
        self.factory.forget(self)

    def close_when_done(self) -> None:
        """Close now, or after the request that is under way."""
        self.persistent = 0
        if not self.requests:
            self.loseConnection()


class WebFactory(ServerFactory):
    """The listener's side: makes connections, and ends them together."""

    noisy = False

    def __init__(
        self,
        handle: Handler,
        limits: WebLimits,
        clock: Clock,
        door: Door | None = None,
        turned_away: Callable[[str], None] = lambda why: None,
    ) -> None:
        self.handle = handle
        self.has_strangers = door is not None and door.required
        self.limits = limits
        self.is_closing = False
        self.clock = clock
        self.places: Places[Connection] = Places(limits.connections, limits.of_block)
        self._turned_away = TurnedAway(turned_away, _log.warning, clock)
        self._closed: Deferred[None] | None = None

    def buildProtocol(self, addr: IAddress | None) -> Any:
        """A new connection; None, which closes it, when there are too many."""
        address = address_at(addr)
        try:
            goes = self.places.for_one_more(address)
        except NoPlace as error:
            self._turned_away(error.why)
            return None
        if goes is not None:
            self._turned_away("stranger")
            self.forget(goes)
            cast(Any, goes.transport).abortConnection()
        connection = Connection()
        connection.factory = self
        connection.timeOut = cast(Any, self.limits.idle_seconds)
        self.places.take(connection, address, self.has_strangers)
        return connection

    def stranger(self, headers: Mapping[str, str], peer: object) -> Answer | None:
        """What to answer who may not come in, before his body is read; None: he may."""
        return None

    def knows(self, headers: Mapping[str, str], peer: object) -> bool:
        """Whether a request that is not refused shows a token that counts."""
        return True

    def forget(self, connection: Connection) -> None:
        """Note that a connection is gone."""
        self.places.leave(connection)
        if not len(self.places) and self._closed is not None:
            closed, self._closed = self._closed, None
            closed.callback(None)

    def log(self, request: http.Request) -> None:
        """One line for each request; Twisted calls this when the answer is sent."""
        _log.debug("%r %s %d", request.method, _shown(request.uri), request.code)

    def finish_requests(self) -> None:
        """Close idle connections, and each other one after its answer."""
        self.is_closing = True
        for connection in self.places:
            connection.close_when_done()

    def close(self) -> Deferred[None]:
        """Close all connections; fires when they are gone, those of slow readers cut off."""
        self.finish_requests()
        if not len(self.places):
            return fired()
        self._closed = closed = Deferred[None]()
        return within_time(closed, _CLOSE_SECONDS, self.clock, self._abort)

    def _abort(self, result: object, seconds: float) -> None:
        """Cut off the connections that did not close by themselves."""
        self._closed = None
        for connection in self.places:
            cast(Any, connection.transport).abortConnection()
