"""The gate: a listener for newcomers over TLS 1.3, open while somebody is invited.

A newcomer has no certificate, so it is asked for none; it verifies the gate, and its secret lets it
in. A connection has `seconds` in all and so many lines; who is too many is cut off.
"""

from __future__ import annotations

import signal
from collections.abc import Callable
from typing import Any, NamedTuple, cast

from twisted.internet.defer import Deferred
from twisted.internet.protocol import Factory, connectionDone
from twisted.internet.ssl import CertificateOptions, PrivateCertificate, TLSVersion
from twisted.internet.task import LoopingCall
from twisted.protocols.basic import LineOnlyReceiver
from twisted.protocols.tls import TLSMemoryBIOFactory
from twisted.python.failure import Failure

from service.identity.joining.messages import LARGEST
from service.transports.listening import Listener, listen, shown
from service.transports.timing import Clock, Timer

LOOK_SECONDS = 1.0
"""How often is looked whether anybody is invited still."""


class GateLimits(NamedTuple):
    """What one connection may take, and how many there may be."""

    seconds: float = 30.0
    lines: int = 8
    connections: int = 50


class Sayings(NamedTuple):
    """What the gate says first, and what to each line; both are lines with their ends.

    `answer` has kept what it changes when it gives its line, and raises nothing.
    """

    hello: bytes
    answer: Callable[[bytes], bytes]


class GateConnection(LineOnlyReceiver):
    """One newcomer's connection."""

    delimiter = b"\n"
    MAX_LENGTH = LARGEST

    def __init__(self, factory: GateFactory) -> None:
        self._gate = factory
        self._lines = 0
        self._timer = Timer(factory.clock, factory.limits.seconds, self._cut)

    def connectionMade(self) -> None:
        """Say who is here, unless there are too many."""
        self._gate.connections.add(self)
        self._timer.start()
        if len(self._gate.connections) > self._gate.limits.connections:
            self._cut()
            return
        self._write(self._gate.sayings.hello)

    def lineReceived(self, line: bytes) -> None:  # noqa: N802
        """Answer a line."""
        self._lines += 1
        if self._lines > self._gate.limits.lines:
            self._cut()
            return
        self._write(self._gate.sayings.answer(line))

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """Nothing is waited for any more."""
        self._timer.stop()
        self._gate.connections.discard(self)

    def _write(self, line: bytes) -> None:
        cast(Any, self.transport).write(line)

    def _cut(self) -> None:
        cast(Any, self.transport).abortConnection()


class GateFactory(Factory):
    """Makes the connections, and knows those that are open."""

    noisy = False

    def __init__(self, sayings: Sayings, clock: Clock, limits: GateLimits) -> None:
        self.sayings = sayings
        self.clock = clock
        self.limits = limits
        self.connections: set[GateConnection] = set()

    def buildProtocol(self, addr: Any) -> GateConnection:
        """A connection."""
        return GateConnection(self)


def secured(factory: GateFactory, papers: bytes) -> Any:
    """The same over TLS 1.3; `papers` are a certificate and then its key, in PEM."""
    mine: Any = PrivateCertificate.loadPEM(papers)  # type: ignore[no-untyped-call]
    options = CertificateOptions(
        privateKey=mine.privateKey.original,
        certificate=mine.original,
        raiseMinimumTo=TLSVersion.TLSv1_3,
    )
    return TLSMemoryBIOFactory(cast(Any, options), False, cast(Any, factory))


def run_gate(
    endpoint: str,
    papers: bytes,
    sayings: Sayings,
    is_wanted: Callable[[], bool],
    on_ready: Callable[[str], None],
) -> None:
    """Open a gate until nobody is invited any more, or a signal ends it; blocks.

    `on_ready` is told the address. Raises CannotListen, and what `is_wanted` raises.
    """
    from twisted.internet import reactor as installed

    reactor: Any = installed
    factory = GateFactory(sayings, reactor, GateLimits())
    trouble: list[BaseException] = []

    def look() -> None:
        if not is_wanted() and not factory.connections:
            reactor.stop()

    async def serve() -> None:
        try:
            wanted = Listener("--listen", endpoint, False)
            port = await listen(reactor, wanted, secured(factory, papers))
            on_ready(shown(port.getHost(), is_http=False))
            await LoopingCall(look).start(LOOK_SECONDS, now=False)
        except Exception as error:
            trouble.append(error)
            reactor.stop()

    reactor.callWhenRunning(lambda: Deferred.fromCoroutine(serve()))
    # Twisted answers Ctrl-C only where nobody but Python does.
    if signal.getsignal(signal.SIGINT) is not signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    reactor.run()
    if trouble:
        raise trouble[0]
