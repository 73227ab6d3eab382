"""One connection to a sibling: bytes and timers.

What ends it if nothing else does:

handshake  handshake_seconds to the end of TLS's   cut off
greeting   greeting_seconds to the first message   closed, with the reason
silent     silent_seconds without a byte           cut off
unread     stall_seconds in which nothing is read  cut off
closing    linger_seconds                          cut off
"""

from __future__ import annotations

from enum import Enum
from typing import Any, NamedTuple, Protocol

from twisted.internet.interfaces import IHandshakeListener
from twisted.internet.protocol import Protocol as TwistedProtocol
from twisted.python.failure import Failure
from zope.interface import implementer

from service.herd.faults import THEIRS, WireFault
from service.herd.link_actions import Blame
from service.herd.messages import Message
from service.identity.certificates import Card
from service.transports.outbox import Outbox
from service.transports.peers import keep_alive
from service.transports.siblings.incoming import Incoming
from service.transports.siblings.outgoing import Outgoing
from service.transports.siblings.terms import Surroundings
from service.transports.siblings.tls import broken_by, shown_over, wire_of
from service.transports.timing import Timer


class Phase(Enum):
    """Where a connection stands; it only ever moves down this list."""

    HANDSHAKE = "agrees on TLS"
    GREETING = "waits for who is there"
    OPEN = "takes messages"
    CLOSING = "sends what was to be sent"
    GONE = "is lost"


class Ending(NamedTuple):
    """Why a link ended, and who has to do something about it."""

    blame: Blame
    code: str
    text: str


BROKE_OFF = Ending(Blame.NOBODYS, "link.lost", "the connection was lost")
NO_WORD = Ending(
    Blame.NOBODYS,
    "link.no_greeting",
    "the other side closed the connection before it said who it is: it is starting, or no node",
)
NO_TLS = Ending(
    Blame.NOBODYS,
    "tls.no_handshake",
    "the connection was lost before TLS was agreed on: the other side is starting, or has no TLS",
)
CROWDED = Ending(Blame.NOBODYS, "tls.crowded", "others came before it had shown who it is")
STOPPED = Ending(Blame.NOBODYS, "link.stopped", "this node is stopping")


class Owner(Protocol):
    """Who is told what happens on a connection."""

    def made(self, connection: SiblingConnection) -> None:
        """There is a connection; nothing may be said over it yet."""

    def opened(self, connection: SiblingConnection) -> None:
        """Messages can be sent: who is there is certified, or nobody asks for it."""

    def received(self, connection: SiblingConnection, message: Message) -> None:
        """A message came."""

    def broke(self, connection: SiblingConnection, ending: Ending) -> None:
        """The link cannot go on; the owner closes the connection."""

    def lost(self, connection: SiblingConnection) -> None:
        """The connection is gone; nothing is told of it any more."""


@implementer(IHandshakeListener)
class SiblingConnection(TwistedProtocol):
    """One link's connection. To its transport it is also the producer of what is sent.

    `ending` is why the link ended, once it has; `since` when it was made; `card` what the other
    side's certificate says, once that is certain, where links are secured.
    """

    transport: Any

    def __init__(
        self, number: int, dialled: bool, address: str, owner: Owner, around: Surroundings
    ) -> None:
        self.number = number
        self.dialled = dialled
        self.address = address
        self.ending: Ending | None = None
        self.card: Card | None = None
        self.since = around.clock.seconds()
        self._is_secured = around.security is not None
        self._owner = owner
        self._bytes = around.metrics.bytes
        self._limits = limits = around.limits
        self._phase = Phase.HANDSHAKE
        self._is_reading = True
        self._outbox = Outbox(self._write)
        self._incoming = Incoming(
            around.in_thread, limits.inline_bytes, limits.greeting_bytes, self._take, self._fail
        )
        self._outgoing = Outgoing(
            around.in_thread, limits.inline_bytes, limits.waiting, self._outbox, self._fail
        )
        clock = around.clock
        self._handshake = Timer(clock, limits.handshake_seconds, self._agrees_on_nothing)
        self._greeting = Timer(clock, limits.greeting_seconds, self._says_nothing)
        self._silent = Timer(clock, limits.silent_seconds, self._is_silent)
        self._unread = Timer(clock, limits.stall_seconds, self._is_stalled)
        self._linger = Timer(clock, limits.linger_seconds, self.cut_off)

    # What Twisted calls.

    def connectionMade(self) -> None:
        """Begin."""
        keep_alive(wire_of(self.transport))
        self.transport.registerProducer(self, True)
        self._handshake.start()
        self._silent.start()
        self._owner.made(self)
        if not self._is_secured:
            self._open()

    def handshakeCompleted(self) -> None:  # noqa: N802
        """TLS is agreed on."""
        self.card = shown_over(self.transport)
        if self.card is not None and self._phase is Phase.HANDSHAKE:
            self._open()
        else:
            # It cannot happen; if it does all the same, nobody gets in by it.
            self.cut_off()

    def dataReceived(self, data: bytes) -> None:
        """Take in what came; once the link is closed it is thrown away."""
        self._bytes["in"].inc(len(data))
        self._silent.start()
        if self._phase in (Phase.GREETING, Phase.OPEN):
            self._incoming.feed(data)
            self._settle()

    def connectionLost(self, reason: Failure | None = None) -> None:
        """The connection is gone."""
        if self.ending is None:
            broken = broken_by(self.transport, reason)
            self.ending = Ending(*broken) if broken else _LOST.get(self._phase, BROKE_OFF)
        self._phase = Phase.GONE
        for timer in (self._handshake, self._greeting, self._silent, self._unread, self._linger):
            timer.stop()
        self._incoming.stop()
        self._outgoing.stop()
        self._owner.lost(self)

    def pauseProducing(self) -> None:  # noqa: N802
        """The transport is full."""
        self._outbox.pause()
        self._settle()

    def resumeProducing(self) -> None:  # noqa: N802
        """The other side has read what the transport had."""
        self._unread.stop()
        self._outbox.resume()
        self._outgoing.go_on()
        self._settle()

    def stopProducing(self) -> None:  # noqa: N802
        """The connection is lost, as `connectionLost` says too."""

    # What the owner calls.

    @property
    def is_over(self) -> bool:
        """Whether the link has ended, though the connection may still be there."""
        return self._phase in (Phase.CLOSING, Phase.GONE)

    @property
    def is_shaking_hands(self) -> bool:
        """Whether it is not known yet that somebody of the herd is there."""
        return self._phase is Phase.HANDSHAKE

    def greeted(self) -> None:
        """It is known who is there."""
        if self._phase is Phase.GREETING:
            self._phase = Phase.OPEN
            self._greeting.stop()
            self._incoming.allow(self._limits.longest)

    def send(self, message: Message) -> None:
        """Send a message after those before."""
        if not self.is_over:
            self._outgoing.send(message)
            self._settle()

    def close(self, ending: Ending) -> None:
        """Take nothing more, and close after what was sent."""
        if self.is_over:
            return
        was, self._phase, self.ending = self._phase, Phase.CLOSING, ending
        self._handshake.stop()
        if was is Phase.HANDSHAKE:
            self.cut_off()
            return
        self._greeting.stop()
        self._incoming.stop()
        self._settle()

    def cut_off(self) -> None:
        """Close at once; what is unsent is lost."""
        self.transport.abortConnection()

    # What is waited for.

    def _open(self) -> None:
        self._phase = Phase.GREETING
        self._handshake.stop()
        self._greeting.start()
        self._owner.opened(self)
        self._settle()

    def _take(self, message: Message) -> None:
        self._owner.received(self, message)
        self._settle()

    def _fail(self, fault: WireFault) -> None:
        blame = Blame.THEIRS if fault.side == THEIRS else Blame.OURS
        self._owner.broke(self, Ending(blame, fault.code, fault.text))
        self._settle()

    def _settle(self) -> None:
        """After whatever happened: read or rest, watch, close."""
        if self._phase is Phase.GONE:
            return
        wanted = self.is_over or not self._incoming.is_busy
        if wanted != self._is_reading:
            self._is_reading = wanted
            (self.transport.resumeProducing if wanted else self.transport.pauseProducing)()
        self._unread.run_while(not self._outbox.is_drained)
        if self._phase is Phase.CLOSING and self._outgoing.is_done:
            self._close_when_read()

    def _close_when_read(self) -> None:
        """Close this way; to close both while the other side sends would lose it the reason."""
        if self.transport.producer is not None:
            self.transport.unregisterProducer()
            self._linger.start()
            if self._is_secured:
                # TLS closes one way by itself, after what it has gathered.
                self.transport.loseConnection()
            else:
                self.transport.loseWriteConnection()

    def _agrees_on_nothing(self) -> None:
        text = f"TLS was not agreed on within {self._limits.handshake_seconds:g} seconds"
        self.close(Ending(Blame.THEIRS, NO_TLS.code, text))

    def _says_nothing(self) -> None:
        text = f"it did not say who it is within {self._limits.greeting_seconds:g} seconds"
        self._owner.broke(self, Ending(Blame.THEIRS, "link.no_greeting", text))

    def _is_silent(self) -> None:
        text = f"nothing came for {self._limits.silent_seconds:g} seconds"
        self._break_off(Ending(Blame.NOBODYS, "link.silent", text))

    def _is_stalled(self) -> None:
        text = f"it read nothing of what it was sent for {self._limits.stall_seconds:g} seconds"
        self._break_off(Ending(Blame.THEIRS, "link.unread", text))

    def _break_off(self, ending: Ending) -> None:
        if not self.is_over:
            self._owner.broke(self, ending)
        self.cut_off()

    def _write(self, data: bytes) -> None:
        self._bytes["out"].inc(len(data))
        self.transport.write(data)


_LOST = {Phase.HANDSHAKE: NO_TLS, Phase.GREETING: NO_WORD}
"""What a loss means that nobody gave a reason for, by where the connection stood."""
