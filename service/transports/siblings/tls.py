"""TLS between siblings: both sides show a certificate, and only this herd's authority is believed.

What is verified is who is there, not where: a certificate names a node, and no host. Only TLS 1.3
is spoken, since all who speak it here are nodes; sessions are not resumed, so each connection
shows its certificate anew.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple, cast

from OpenSSL import SSL, crypto
from twisted.internet.interfaces import (
    IOpenSSLClientConnectionCreator,
    IOpenSSLServerConnectionCreator,
)
from twisted.protocols.tls import BufferingTLSTransport, TLSMemoryBIOFactory
from twisted.python.failure import Failure
from zope.interface import implementer

from service.herd.link_actions import Alarm, Blame
from service.identity.certificates import Card
from service.identity.credentials import Credentials, Paths, load_credentials
from service.identity.errors import IdentityRefused
from service.identity.life import Standing
from service.identity.verifying import verify_node

_log = logging.getLogger("herdbook.herd")

UNREADABLE, DUE, EXPIRED = "certificate.unreadable", "certificate.due", "certificate.expired"


class Shown:
    """What the other side of one connection has shown: its card, or why that is refused."""

    def __init__(self) -> None:
        self.card: Card | None = None
        self.refused: str | None = None


class Broken(NamedTuple):
    """Why there is no TLS with somebody, and whose fault it is."""

    blame: Blame
    code: str
    text: str


def _clock() -> datetime:
    return datetime.now(UTC)


@implementer(IOpenSSLServerConnectionCreator, IOpenSSLClientConnectionCreator)
class Security:
    """A node's credentials for its links. Raises IdentityRefused where its files are no good.

    Files that are exchanged count from the next connection on; where the new ones are no good, the
    former go on counting.
    """

    def __init__(self, paths: Paths, node: str, now: Callable[[], datetime] = _clock) -> None:
        self._paths = paths
        self._node = node
        self._now = now
        self._stamps = _stamps(paths)
        self._credentials = load_credentials(paths, node, now())
        self._context = self._new_context()
        self._trouble: str | None = None

    @property
    def card(self) -> Card:
        """What this node's own certificate says."""
        return self._credentials.card

    def server(self, factory: Any, clock: Any) -> Any:
        """A factory of connections over TLS, from one without."""
        return _Factory(cast(Any, self), False, factory, clock)

    def client(self, endpoint: Any) -> Any:
        """An endpoint that is reached over TLS, from one without."""
        return _Client(self, endpoint)

    def serverConnectionForTLS(self, protocol: Any) -> SSL.Connection:  # noqa: N802
        """Called by Twisted for each connection that comes in."""
        return self._connection(protocol)

    def clientConnectionForTLS(self, protocol: Any) -> SSL.Connection:  # noqa: N802
        """Called by Twisted for each connection that is made."""
        return self._connection(protocol)

    def look(self) -> None:
        """Take files that were exchanged."""
        stamps = _stamps(self._paths)
        if stamps == self._stamps:
            return
        self._stamps = stamps
        try:
            self._credentials = load_credentials(self._paths, self._node, self._now())
        except IdentityRefused as error:
            self._trouble = "; ".join(map(str, error.troubles))
            _log.error("the exchanged certificate files cannot be used: %s", self._trouble)
            return
        self._trouble = None
        self._context = self._new_context()
        until = f"{self.card.life.ends:%Y-%m-%d %H:%M} UTC"
        _log.info("a new certificate counts, until %s: %s", until, self.card.fingerprint)

    def alarms(self) -> tuple[Alarm, ...]:
        """What somebody has to see to."""
        found = []
        until = f"{self.card.life.ends:%Y-%m-%d %H:%M} UTC"
        standing = self.card.life.standing(self._now())
        if standing is Standing.OVER:
            found.append(
                Alarm(EXPIRED, f"this node's certificate has expired at {until}; {_RENEW}")
            )
        elif standing is Standing.DUE:
            found.append(Alarm(DUE, f"this node's certificate counts until {until}; {_RENEW}"))
        if self._trouble is not None:
            text = f"the former certificate goes on counting, since {self._trouble}"
            found.append(Alarm(UNREADABLE, text))
        return tuple(found)

    def is_over(self, card: Card) -> bool:
        """Whether a certificate that was shown has expired since."""
        return card.life.standing(self._now()) is Standing.OVER

    def _connection(self, protocol: Any) -> SSL.Connection:
        connection = SSL.Connection(self._context, None)
        connection.set_app_data(protocol)
        return connection

    def _new_context(self) -> SSL.Context:
        mine = self._credentials
        context = SSL.Context(SSL.TLS_METHOD)
        context.set_min_proto_version(SSL.TLS1_3_VERSION)
        context.set_options(SSL.OP_NO_TICKET | SSL.OP_NO_COMPRESSION)
        context.set_session_cache_mode(SSL.SESS_CACHE_OFF)
        context.set_mode(SSL.MODE_RELEASE_BUFFERS)
        context.use_certificate(mine.certificate)
        context.use_privatekey(mine.key)
        context.check_privatekey()
        store = context.get_cert_store()
        assert store is not None
        store.add_cert(crypto.X509.from_cryptography(mine.ca))
        context.set_verify_depth(1)
        wanted = SSL.VERIFY_PEER | SSL.VERIFY_FAIL_IF_NO_PEER_CERT
        context.set_verify(wanted, self._verifier(mine))
        return context

    def _verifier(self, mine: Credentials) -> Callable[..., bool]:
        """What OpenSSL asks of each certificate of a chain, the node's own last."""

        def verify(connection: Any, shown: Any, code: int, depth: int, is_good: int) -> bool:
            seen: Shown = connection.get_app_data().shown
            try:
                if depth == 0:
                    seen.card = verify_node(shown.to_cryptography(), mine.ca, self._now())
            except IdentityRefused as error:
                seen.refused = "; ".join(one.message for one in error.troubles)
                return False
            if not is_good and seen.refused is None:
                seen.refused = f"what vouches for it is not this herd's authority (code {code})"
            return bool(is_good)

        return verify


class _Secured(BufferingTLSTransport):
    """As Twisted's; it notes what was shown."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.shown = Shown()


class _Factory(TLSMemoryBIOFactory):
    """As Twisted's, but where there is no protocol for somebody there is none over TLS either."""

    protocol = _Secured

    def buildProtocol(self, addr: Any) -> Any:
        """A connection over TLS; None where there may be no more."""
        inner = self.wrappedFactory.buildProtocol(addr)
        return None if inner is None else self.protocol(self, inner)


class _Client:
    """An endpoint over TLS. Its connection is there before the handshake, which has its limits."""

    def __init__(self, security: Security, endpoint: Any) -> None:
        self._security = security
        self._endpoint = endpoint

    def connect(self, factory: Any) -> Any:
        """A Deferred of the inner protocol."""
        connecting = self._endpoint.connect(_Factory(cast(Any, self._security), True, factory))
        return connecting.addCallback(lambda protocol: protocol.wrappedProtocol)


_RENEW = "renew it with `herdbook herd ca renew` and put it in its place; the node takes it"


def shown_over(transport: Any) -> Card | None:
    """What the other side of a connection has shown, where that was verified."""
    shown = _shown(transport)
    if shown is None:
        return None
    return shown.card if shown.refused is None else None


def broken_by(transport: Any, reason: Failure | None) -> Broken | None:
    """What went wrong with TLS on a connection that is lost; None where it was something else."""
    error, shown = reason and reason.value, _shown(transport)
    if shown is None or not isinstance(error, SSL.Error):
        return None
    if shown.refused is not None:
        text = f"its certificate is refused: {shown.refused}"
        return Broken(Blame.THEIRS, "tls.certificate", text)
    said = _said(error)
    if "alert" in said:
        text = f"the other side does not accept this node: {said}; its log tells more"
        return Broken(Blame.OURS, "tls.refused", text)
    return Broken(Blame.THEIRS, "tls.broken", f"TLS could not be agreed on: {said}")


def wire_of(transport: Any) -> Any:
    """The transport beneath TLS, or the transport itself."""
    return transport.transport if isinstance(transport, _Secured) else transport


def _shown(transport: Any) -> Shown | None:
    """What was seen on a connection; None where it has no TLS."""
    return transport.shown if isinstance(transport, _Secured) else None


def _said(error: SSL.Error) -> str:
    """OpenSSL's own words; they hold nothing of what was sent."""
    queue = error.args[0] if error.args else ()
    words = [each[-1] for each in queue] if isinstance(queue, list | tuple) else []
    return ", ".join(filter(None, words)) or "it gives no reason"


def _stamps(paths: Paths) -> tuple[tuple[int, int, int] | None, ...]:
    """What changes when a file is exchanged."""
    return tuple(map(_stamp, paths))


def _stamp(path: Path) -> tuple[int, int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_ino, found.st_size
