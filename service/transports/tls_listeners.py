"""TLS for applications: what listeners show, renewed while the node runs, and shaken hands in time.

TLS 1.2 is spoken with forward secrecy and authenticated ciphers only, and TLS 1.3. Clients show no
certificate, but tokens. Sessions are not resumed, so each connection is shown what counts now.
"""

# Twisted's protocol is not annotated.
# mypy: disable-error-code="no-untyped-call"

from __future__ import annotations

import logging
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any, NamedTuple, cast

from OpenSSL import SSL, crypto
from twisted.internet.interfaces import IOpenSSLServerConnectionCreator
from twisted.protocols.tls import TLSMemoryBIOFactory, TLSMemoryBIOProtocol
from twisted.python.failure import Failure
from zope.interface import implementer

from service.identity.life import Life, Standing
from service.identity.listener import ListenerCredentials, ListenerPaths, load_listener
from service.transports.exchanged import Exchanged
from service.transports.timing import Clock, Timer

LOOK_SECONDS = 5.0
"""Between two looks at the files, as with those of links."""

HANDSHAKE_SECONDS = 10.0
"""From the connection to the end of the handshake, as with links."""

_CIPHERS = b"ECDHE+AESGCM:ECDHE+CHACHA20"
_PIECE = 65_536
_log = logging.getLogger("herdbook.tls")


class _Shows(NamedTuple):
    """What is shown, and what OpenSSL makes of it."""

    mine: ListenerCredentials
    context: SSL.Context


def _clock() -> datetime:
    return datetime.now(UTC)


@implementer(IOpenSSLServerConnectionCreator)
class ListenerTls:
    """What a node's listeners show. Raises IdentityRefused where its files are no good.

    Files that are exchanged count from the next connection on; where the new ones are no good, the
    former go on counting.
    """

    def __init__(
        self, paths: ListenerPaths, clock: Clock, now: Callable[[], datetime] = _clock
    ) -> None:
        self._clock = clock
        self._now = now
        self._files = Exchanged(paths, lambda: self._read(paths), _tell_change, _log)
        self._next: Any = None

    @property
    def life(self) -> Life:
        """That of the certificate that is shown."""
        return self._files.held.mine.life

    def start(self) -> None:
        """Look at the files from now on."""
        self._next = self._clock.callLater(LOOK_SECONDS, self._look_on)

    def stop(self) -> None:
        """Look no more."""
        if self._next is not None:
            self._next.cancel()
            self._next = None

    def look(self) -> None:
        """Take files that were exchanged."""
        self._files.look()

    def problem(self) -> str | None:
        """What somebody has to see to; None where all is well."""
        life = self.life
        if life.standing(self._now()) is Standing.OVER:
            return f"the certificate of the listeners has expired at {life.ends:%Y-%m-%d %H:%M} UTC"
        if self._files.trouble is not None:
            # Where its files are is told to the log only.
            return "the exchanged certificate of the listeners cannot be used; the log tells why"
        return None

    def over(self, factory: Any) -> Any:
        """A factory of connections over TLS, from one without."""
        return _Factory(cast(Any, self), False, factory, cast(Any, self._clock))

    def serverConnectionForTLS(self, protocol: Any) -> SSL.Connection:  # noqa: N802
        """Called by Twisted for each connection."""
        connection = SSL.Connection(self._files.held.context, None)
        connection.set_app_data(protocol)
        return connection

    def _look_on(self) -> None:
        try:
            self.look()
        finally:
            self.start()

    def _read(self, paths: ListenerPaths) -> _Shows:
        found = load_listener(paths, self._now())
        return _Shows(found, _context(found))


def _context(mine: ListenerCredentials) -> SSL.Context:
    context = SSL.Context(SSL.TLS_METHOD)
    context.set_min_proto_version(SSL.TLS1_2_VERSION)
    context.set_cipher_list(_CIPHERS)
    context.set_options(SSL.OP_NO_TICKET | SSL.OP_NO_COMPRESSION | SSL.OP_NO_RENEGOTIATION)
    context.set_options(SSL.OP_CIPHER_SERVER_PREFERENCE)
    context.set_session_cache_mode(SSL.SESS_CACHE_OFF)
    context.set_mode(SSL.MODE_RELEASE_BUFFERS)
    own, *above = mine.chain
    context.use_certificate(own)
    for one in above:
        context.add_extra_chain_cert(crypto.X509.from_cryptography(one))
    context.use_privatekey(mine.key)
    context.check_privatekey()
    context.set_info_callback(_informed)
    return context


def _informed(connection: SSL.Connection, where: int, _code: int) -> None:
    """OpenSSL tells how far it is."""
    if where & SSL.SSL_CB_HANDSHAKE_DONE:
        connection.get_app_data().shook_hands()


def _tell_change(former: _Shows, latter: _Shows) -> bool:
    """Whether another certificate counts; then the log is told."""
    if former.mine.chain == latter.mine.chain:
        return False
    ends, fingerprint = latter.mine.life.ends, latter.mine.fingerprint
    until = f"{ends:%Y-%m-%d %H:%M} UTC"
    _log.info("a new certificate of the listeners counts, until %s: %s", until, fingerprint)
    return True


class _Timed(TLSMemoryBIOProtocol):
    """As Twisted's, but who does not come to the end of a handshake is cut off."""

    factory: _Factory
    _shaking: Timer | None = None

    def makeConnection(self, transport: Any) -> None:  # noqa: N802
        """Begin, and give the other side its time."""
        clock = cast(Any, self.factory).hurry
        self._shaking = Timer(clock, HANDSHAKE_SECONDS, self.abortConnection)
        self._shaking.start()
        super().makeConnection(transport)

    def shook_hands(self) -> None:
        """The handshake is done."""
        if self._shaking is not None:
            self._shaking.stop()

    def connectionLost(self, reason: Failure) -> None:  # type: ignore[override]
        """It is over."""
        self.shook_hands()
        super().connectionLost(reason)

    def loseWriteConnection(self) -> None:  # noqa: N802
        """Say that nothing follows, in TLS and beneath it; what still comes is read."""
        handle = self.getHandle()
        with suppress(SSL.Error):
            handle.shutdown()
            cast(Any, self.transport).write(handle.bio_read(_PIECE))
        cast(Any, self.transport).loseWriteConnection()


class _Factory(TLSMemoryBIOFactory):
    """As Twisted's, but where there is no protocol for somebody there is none over TLS either."""

    protocol = _Timed

    def __init__(self, creator: Any, is_client: bool, factory: Any, clock: Any) -> None:
        super().__init__(creator, is_client, factory, clock)
        self.hurry: Clock = clock

    def buildProtocol(self, addr: Any) -> Any:
        """A connection over TLS; None where there may be no more."""
        inner = self.wrappedFactory.buildProtocol(addr)
        return None if inner is None else self.protocol(self, inner)
