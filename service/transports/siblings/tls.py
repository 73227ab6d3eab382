"""TLS between siblings: both sides show a certificate, and only this herd's authority is believed.

What is verified is who is there, not where: a certificate names a node, and no host. Only TLS 1.3
is spoken, since all who speak it here are nodes; sessions are not resumed, so each connection
shows its certificate anew.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import UTC, datetime
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
from service.transports.exchanged import Exchanged

_log = logging.getLogger("herdbook.herd")

UNREADABLE, EXPIRED = "certificate.unreadable", "certificate.expired"
DUE, ENDING = "certificate.due", "certificate.ending"
FOREIGN = "tls.certificate"

_HAS_EXPIRED = 10
"""OpenSSL's X509_V_ERR_CERT_HAS_EXPIRED."""


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


class _Shows(NamedTuple):
    """What a node shows, and what OpenSSL makes of it."""

    mine: Credentials
    context: SSL.Context


def _clock() -> datetime:
    return datetime.now(UTC)


@implementer(IOpenSSLServerConnectionCreator, IOpenSSLClientConnectionCreator)
class Security:
    """A node's credentials for its links. Raises IdentityRefused where its files are no good.

    Files that are exchanged count from the next connection on; where the new ones are no good, the
    former go on counting.
    """

    def __init__(self, paths: Paths, node: str, now: Callable[[], datetime] = _clock) -> None:
        self._now = now
        self._files = Exchanged(paths, lambda: self._read(paths, node), _tell_change, _log)

    @property
    def card(self) -> Card:
        """What this node's own certificate says."""
        return self._mine.card

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
        """Take files that were exchanged; what was wrong with them may be mended without that."""
        self._files.look()

    def alarms(self) -> tuple[Alarm, ...]:
        """What somebody has to see to."""
        found = []
        now, life = self._now(), self.card.life
        if life.standing(now) is Standing.OVER:
            text = f"this node's certificate has expired at {_moment(life.ends)}"
            found.append(Alarm(EXPIRED, f"{text}; {self._mine.remedy}"))
        elif now >= life.alarm_at:
            found.append(Alarm(ENDING, self._until()))
        if self._files.trouble is not None:
            text = f"the former certificate goes on counting, since {self._files.trouble}"
            found.append(Alarm(UNREADABLE, text))
        return tuple(found)

    def warnings(self) -> tuple[Alarm, ...]:
        """What can wait for some time yet."""
        now, life = self._now(), self.card.life
        is_due = life.standing(now) is Standing.DUE and now < life.alarm_at
        return (Alarm(DUE, self._until()),) if is_due else ()

    def against(self, card: Card) -> Broken | None:
        """What speaks by now against a certificate that was shown; None where it counts yet."""
        if card.life.standing(self._now()) is Standing.OVER:
            return Broken(Blame.THEIRS, EXPIRED, "its certificate has expired")
        ours, theirs = self.card.subject.herd, card.subject.herd
        if theirs != ours:
            text = f"its certificate is of herd {theirs}, and this node is of herd {ours} by now"
            return Broken(Blame.THEIRS, FOREIGN, text)
        return None

    @property
    def _mine(self) -> Credentials:
        return self._files.held.mine

    def _read(self, paths: Paths, node: str) -> _Shows:
        found = load_credentials(paths, node, self._now())
        return _Shows(found, self._new_context(found))

    def _until(self) -> str:
        until = _moment(self.card.life.ends)
        return f"this node's certificate counts until {until}; {self._mine.remedy}"

    def _connection(self, protocol: Any) -> SSL.Connection:
        connection = SSL.Connection(self._files.held.context, None)
        connection.set_app_data(protocol)
        return connection

    def _new_context(self, mine: Credentials) -> SSL.Context:
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
            if depth == 0:
                self._look_at(shown, seen, mine)
            if not is_good and seen.refused is None:
                seen.refused = _unvouched(code)
            return bool(is_good) and seen.refused is None

        return verify

    def _look_at(self, shown: crypto.X509, seen: Shown, mine: Credentials) -> None:
        """Note what a certificate says, or what speaks against it.

        Whatever goes wrong is a refusal: an error would pass OpenSSL by, and end in the reactor.
        """
        try:
            seen.card = verify_node(shown.to_cryptography(), mine.ca, self._now())
        except IdentityRefused as error:
            seen.refused = "; ".join(one.message for one in error.troubles)
        except Exception as error:
            _log.debug("a certificate cannot be read", exc_info=True)
            seen.refused = f"it cannot be read ({type(error).__name__})"


def _tell_change(former: _Shows, latter: _Shows) -> bool:
    """Whether another certificate counts; then the log is told."""
    was, found = former.mine, latter.mine
    if (found.certificate, found.ca) == (was.certificate, was.ca):
        return False
    until = _moment(found.card.life.ends)
    _log.info("a new certificate counts, until %s: %s", until, found.card.fingerprint)
    return True


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
        return Broken(Blame.THEIRS, FOREIGN, text)
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


def _unvouched(code: int) -> str:
    """What OpenSSL has against who has signed a certificate."""
    if code == _HAS_EXPIRED:
        return "this herd's authority has expired"
    return f"what vouches for it is not this herd's authority (code {code})"


def _moment(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M} UTC"
