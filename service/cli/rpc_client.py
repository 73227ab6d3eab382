"""One JSON-RPC call over HTTP, with the standard library and a deadline over all of it.

`http.client` knows no proxies, which is right here: a node is asked directly.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import shlex
import socket
import ssl
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal
from urllib.parse import SplitResult, urlsplit

import msgspec

from service.cli.output import CommandFailed
from service.cli.token_source import VARIABLE, require_safe
from service.cli.trust import client_context, tls_failed

# More than a node sends by its own limits; whoever sends more is no node.
LARGEST_REPLY = 256 * 1024 * 1024
_START = (
    "is a node running there? `herdbook up` and `herdbook serve` start one. Of one that runs "
    "elsewhere name the address that it tells: --url URL, or HERDBOOK_URL"
)
_MAYBE = "the call may still have its effect; read before you send it again"
_TLS = "Nothing was done if the listener speaks TLS: then its URL begins with https://"

_TOO_MANY = "access.too_many"
_STATUS_HINTS = {
    401: "the server wants credentials",
    403: "the server does not let this address in",
    404: "is this the URL of the RPC listener? It ends in /",
    405: "is this the URL of the RPC listener? It ends in /",
    413: "the call is larger than limits.body_bytes of the node",
    415: "is this the URL of the RPC listener?",
    429: "too many calls from here; wait a moment",
    503: "the node is starting, stopping or overloaded; try again in a moment",
}


class ErrorObject(msgspec.Struct, frozen=True, omit_defaults=True):
    """A JSON-RPC error, as the node sent it."""

    code: int
    message: str
    data: msgspec.Raw = msgspec.Raw(b"")


class Envelope(msgspec.Struct, frozen=True):
    """A JSON-RPC response; the result stays the text it is."""

    jsonrpc: Literal["2.0"]
    id: str | int | float | None
    result: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET
    error: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET


class _Why(msgspec.Struct, frozen=True):
    """What an error says for programs, as far as it is needed here."""

    code: str
    hint: str


class _Stranger(msgspec.Struct, frozen=True):
    """The error of a call whose token does not count."""

    message: str
    data: _Why


@dataclass(frozen=True)
class Request:
    """One call; without an id it is a notification."""

    method: str
    params: str | None
    id: str | int | None

    def body(self) -> bytes:
        """The request as JSON; the parameters are put in as they were written."""
        params = "" if self.params is None else f',"params":{self.params}'
        identity = "" if self.id is None else f',"id":{json.dumps(self.id)}'
        text = f'{{"jsonrpc":"2.0","method":{json.dumps(self.method)}{params}{identity}}}'
        return text.encode()


@dataclass(frozen=True)
class Answer:
    """What came back, as JSON text: a result or a JSON-RPC error; for a notification nothing."""

    result: str | None = None
    error: str | None = None


def send(
    url: str,
    request: Request,
    timeout: float,
    token: str | None = None,
    ca: Path | None = None,
) -> Answer:
    """Send one request and give its answer; CommandFailed when there is none to be had.

    With a token, unless it would leave this machine for all to read. `ca` is a file of those who
    are believed over TLS; None: the system's.
    """
    parts = _parsed(url)
    headers = {"Content-Type": "application/json", "Accept": "application/json"}
    if token is not None:
        require_safe(parts.scheme == "https", parts.hostname or "")
        headers["Authorization"] = f"Bearer {token}"
    body = _exchange(parts, request.body(), timeout, headers, ca)
    if request.id is None:
        return Answer()
    if not body:
        raise _garbage(url, "it answered with nothing")
    return _answer(url, body, request.id)


def _url_hint(url: str) -> str:
    """What to do about a URL that cannot be called; a node on a socket shows such a one."""
    kind, _, path = url.partition(":")
    if kind == "unix" and path.startswith("/"):
        return (
            "this command calls over TCP only; for a socket use curl --unix-socket "
            f"{shlex.quote(path)} --header 'Content-Type: application/json' --data JSON "
            "http://localhost/"
        )
    return "write http://127.0.0.1:8650/ in --url or HERDBOOK_URL"


def _parsed(url: str) -> SplitResult:
    """The URL taken apart; CommandFailed when it is not one that can be called."""
    try:
        parts = urlsplit(url)
        usable = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:
        usable = False
    if not usable or any(sign <= " " or sign > "~" for sign in url):
        raise CommandFailed("the URL is none that can be called", _url_hint(url), code="call.url")
    if parts.username is not None or parts.password is not None:
        raise CommandFailed(
            "the URL holds a user name or password, which this version does not send",
            "leave out what stands before the @",
            code="call.url",
        )
    return parts


class _Deadline:
    """Ends a connection when its time is up, however slowly bytes keep dripping in."""

    def __init__(self, seconds: float) -> None:
        self.passed = False
        self._guarded: socket.socket | None = None
        self._timer = threading.Timer(seconds, self._pass)
        self._timer.daemon = True

    def __enter__(self) -> _Deadline:
        self._timer.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._timer.cancel()

    def guard(self, connected: socket.socket) -> None:
        """From now on this socket ends with the deadline; TimeoutError when it has passed."""
        # Kept here, since http.client forgets its socket before it has read the whole answer.
        self._guarded = connected
        if self.passed:
            raise TimeoutError

    def _pass(self) -> None:
        self.passed = True
        if self._guarded is not None:
            # It may have ended by itself in the same moment.
            with contextlib.suppress(OSError):
                # That of a socket with TLS would take TLS off first, and the other thread may send.
                socket.socket.shutdown(self._guarded, socket.SHUT_RDWR)


def _exchange(
    url: SplitResult, body: bytes, timeout: float, headers: Mapping[str, str], ca: Path | None
) -> bytes:
    """Post the body and read the reply's, all within the timeout."""
    shown = f"{url.scheme}://{url.netloc}{url.path}"
    connection = _connection(url, timeout, ca)
    with contextlib.closing(connection), _Deadline(timeout) as deadline:
        try:
            _connect(connection, shown)
            deadline.guard(connection.sock)
            response, reply = _posted(connection, url, body, headers)
        except (OSError, http.client.HTTPException) as error:
            late = deadline.passed or isinstance(error, TimeoutError)
            raise _late(shown, timeout) if late else _lost(shown, error) from None
        if deadline.passed:
            raise _late(shown, timeout)
    return _accepted(shown, response, reply)


def _connect(connection: http.client.HTTPConnection, url: str) -> None:
    """Connect; CommandFailed when nobody is there, TimeoutError when nobody reacts."""
    try:
        connection.connect()
    except TimeoutError:
        raise
    except ssl.SSLError as error:
        raise tls_failed(url, error) from None
    except (OSError, UnicodeError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise CommandFailed(
            f"{url} cannot be reached: {reason}", _START, code="call.unreachable"
        ) from None


def _posted(
    connection: http.client.HTTPConnection,
    url: SplitResult,
    body: bytes,
    headers: Mapping[str, str],
) -> tuple[http.client.HTTPResponse, bytes]:
    path = (url.path or "/") + (f"?{url.query}" if url.query else "")
    connection.request("POST", path, body, headers)
    response = connection.getresponse()
    return response, response.read(LARGEST_REPLY + 1)


def _connection(url: SplitResult, timeout: float, ca: Path | None) -> http.client.HTTPConnection:
    host = url.hostname or ""
    if url.scheme == "https":
        context = client_context(ca)
        return http.client.HTTPSConnection(host, url.port, timeout=timeout, context=context)
    return http.client.HTTPConnection(host, url.port, timeout=timeout)


def _accepted(url: str, response: http.client.HTTPResponse, reply: bytes) -> bytes:
    """The reply's body, unless HTTP already says that the call came to nothing."""
    if len(reply) > LARGEST_REPLY:
        raise _garbage(url, f"the answer is larger than {LARGEST_REPLY} bytes")
    if response.status in (200, 204):
        return reply
    if response.status in (401, 429):
        _refuse_stranger(url, reply)
    hint = _STATUS_HINTS.get(response.status, "is this the URL of a Herdbook node?")
    if 300 <= response.status < 400:
        hint = (
            f"it points to {response.getheader('Location', 'nowhere')}; redirects are not followed"
        )
    told = " ".join(reply[:200].decode("utf-8", "replace").split())
    message = f"{url} answered with HTTP {response.status} {response.reason}".rstrip()
    raise CommandFailed(
        f"{message}: {told}" if told else message,
        hint,
        code="call.http",
        details={"status": response.status},
    )


def _refuse_stranger(url: str, reply: bytes) -> None:
    """Raise CommandFailed with what a node says to who does not get in; else nothing."""
    try:
        envelope = msgspec.json.decode(reply, type=Envelope)
        if isinstance(envelope.error, msgspec.Raw):
            error = msgspec.json.decode(envelope.error, type=_Stranger)
            where = f" Commands take it from --token-file or {VARIABLE}."
            hint = error.data.hint + ("" if error.data.code == _TOO_MANY else where)
            raise CommandFailed(f"{url}: {error.message}", hint, code=error.data.code)
    except (msgspec.MsgspecError, RecursionError):
        return


def _answer(url: str, body: bytes, expected: str | int) -> Answer:
    """The body as the answer to this call; CommandFailed when it is no such thing."""
    try:
        envelope = msgspec.json.decode(body, type=Envelope)
        match envelope.result, envelope.error:
            case msgspec.Raw() as result, msgspec.UnsetType():
                if envelope.id != expected:
                    raise _garbage(url, "it answers another call")
                return Answer(result=_text(result))
            case msgspec.UnsetType(), msgspec.Raw() as error:
                msgspec.json.decode(error, type=ErrorObject)
                return Answer(error=_text(error))
        raise _garbage(url, "it holds not exactly one of result and error")
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as wrong:
        raise _garbage(url, str(wrong)) from None


def _text(raw: msgspec.Raw) -> str:
    """JSON as it came, checked and on one line."""
    return msgspec.json.format(bytes(raw), indent=-1).decode()


def _late(url: str, timeout: float) -> CommandFailed:
    return CommandFailed(
        f"{url} did not answer within {timeout:g} seconds",
        f"{_MAYBE}, or raise --timeout",
        code="call.timeout",
    )


def _lost(url: str, error: Exception) -> CommandFailed:
    """What to say when the connection stood and broke, or brought something else than HTTP."""
    reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
    if isinstance(error, http.client.HTTPException) and not isinstance(error, OSError):
        return _garbage(url, f"it does not speak HTTP ({reason})")
    message = f"{url} broke the connection before it answered: {reason}"
    hint = f"{_MAYBE}. {_TLS}" if url.startswith("http://") else _MAYBE
    return CommandFailed(message, hint, code="call.lost")


def _garbage(url: str, reason: str) -> CommandFailed:
    return CommandFailed(
        f"what {url} sent is no JSON-RPC answer: {reason}",
        "is this the URL of a Herdbook node?",
        code="call.answer",
    )
