"""A client of the stream: one JSON-RPC message a line over a socket, with TLS where it is asked."""

from __future__ import annotations

import re
import socket
import ssl
from collections import deque
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import msgspec

from service.cli.output import CommandFailed
from service.cli.rpc_client import LARGEST_REPLY, ErrorObject
from service.cli.token_source import require_safe
from service.cli.trust import client_context, tls_failed

_CONNECT_SECONDS = 10.0
_ANSWER_SECONDS = 60.0
_PIECE = 65_536
FIRST_ANSWER_SECONDS = 10.0
"""For a call that a node answers at once, so that silence means that no node is there."""

_HTTP = b"HTTP/"
_WHICH = (
    "name the node's stream, its listener listen.stream (tcp://127.0.0.1:8652 unless set); "
    "listen.rpc and listen.admin take HTTP. The node shows all three when it starts"
)
_START = (
    "is a node running there? `herdbook up` and `herdbook serve` start one and show its stream, "
    "which is tls:// where its listeners speak TLS"
)
_KEEP_ALIVE = {socket.TCP_KEEPIDLE: 60, socket.TCP_KEEPINTVL: 10, socket.TCP_KEEPCNT: 6}


class StreamLost(Exception):
    """The connection could not be made, or broke: it may be tried again."""

    def __init__(self, text: str, hint: str = _START) -> None:
        super().__init__(text)
        self.hint = hint


class CallRefused(Exception):
    """The node answered with a JSON-RPC error."""

    def __init__(self, text: str, error: ErrorObject) -> None:
        super().__init__(error.message)
        data = _data_of(error)
        self.text = text
        self.code = str(data.get("code", ""))
        self.hint = str(data.get("hint", ""))
        self.retryable = bool(data.get("retryable"))


class Message(msgspec.Struct, frozen=True):
    """Whatever comes over the stream; changes stay the text they are."""

    jsonrpc: Literal["2.0"]
    id: int | None = None
    method: str | None = None
    params: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET
    result: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET
    error: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET


@dataclass(frozen=True)
class Shows:
    """The token to show, and the file of those who are believed over TLS; None: the system's."""

    token: str | None = field(default=None, repr=False)
    ca: Path | None = None


@dataclass(frozen=True)
class Address:
    """Where a stream listens: a host and a port, with or without TLS, or the path of a socket."""

    host: str = ""
    port: int = 0
    path: str = ""
    secured: bool = False

    @classmethod
    def parse(cls, text: str) -> Address:
        """An address as a node shows it; CommandFailed where it is none."""
        kind, _, rest = text.partition(":")
        if kind == "unix" and rest.startswith("/"):
            return cls(path=rest)
        host, _, port = rest.removeprefix("//").rstrip("/").rpartition(":")
        host = host.removeprefix("[").removesuffix("]")
        is_port = re.fullmatch("[0-9]{1,5}", port) is not None and 0 < int(port) < 65_536
        if kind in ("tcp", "tls") and rest.startswith("//") and host and is_port:
            return cls(host=host, port=int(port), secured=kind == "tls")
        raise CommandFailed(
            f"{text} is no address of a stream",
            "write tcp://127.0.0.1:8652, tls://HOST:8652 or unix:/path in --url or"
            " HERDBOOK_STREAM_URL; the node shows its own when it starts",
            code="feed.url",
        )

    def __str__(self) -> str:
        if self.path:
            return f"unix:{self.path}"
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{'tls' if self.secured else 'tcp'}://{host}:{self.port}"


class StreamClient:
    """One connection. Whatever is told between a call and its answer is kept for `next_told`."""

    def __init__(self, address: Address, shows: Shows | None = None) -> None:
        """Connect, and show a token if there is one; raises what `call` does."""
        shows = shows or Shows()
        if shows.token is not None:
            require_safe(bool(address.path) or address.secured, address.host)
        self._address = address
        self._socket = _connected(address, shows.ca)
        self._pieces: list[bytes] = []
        self._size = 0
        self._lines: deque[bytes] = deque()
        self._told: deque[Message] = deque()
        self._last = 0
        if shows.token is not None:
            self._log_in(shows.token)

    def _log_in(self, token: str) -> None:
        try:
            self.call("session.login", {"token": token}, FIRST_ANSWER_SECONDS)
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """End the connection."""
        self._socket.close()

    def call(
        self, method: str, params: dict[str, Any], seconds: float = _ANSWER_SECONDS
    ) -> msgspec.Raw:
        """The result of a call, as JSON; raises CallRefused, StreamLost or CommandFailed."""
        self._last += 1
        request = {"jsonrpc": "2.0", "id": self._last, "method": method, "params": params}
        try:
            # A node takes the carriage return for a space. An HTTP server, which waits for it,
            # answers that this is no request of its own; else both sides would wait for ever.
            line = msgspec.json.encode(request) + b"\r\n"
        except UnicodeEncodeError:
            raise CommandFailed("an argument is not UTF-8 text", code="usage") from None
        self._socket.settimeout(seconds)
        try:
            self._socket.sendall(line)
        except OSError as error:
            raise self._lost(error) from None
        while True:
            message = self._receive()
            if message.method is not None:
                self._told.append(message)
            elif message.id in (self._last, None):
                return self._result_of(message)

    def next_told(self) -> Message:
        """The next notification, however long it takes; raises StreamLost or CommandFailed."""
        self._socket.settimeout(None)
        while not self._told:
            message = self._receive()
            if message.method is not None:
                self._told.append(message)
            elif message.error is not msgspec.UNSET:
                self._result_of(message)
        return self._told.popleft()

    def _result_of(self, message: Message) -> msgspec.Raw:
        """What an answer brings."""
        if isinstance(message.result, msgspec.Raw):
            return message.result
        if not isinstance(message.error, msgspec.Raw):
            raise self._garbage("it holds neither result nor error")
        try:
            error = msgspec.json.decode(message.error, type=ErrorObject)
        except msgspec.MsgspecError as wrong:
            raise self._garbage(str(wrong)) from None
        raise CallRefused(bytes(message.error).decode(), error)

    def _receive(self) -> Message:
        """The next message of any sort."""
        while not self._lines:
            self._read()
        line = self._lines.popleft()
        if line.startswith(_HTTP):
            raise CommandFailed(
                f"{self._address} takes HTTP: it is no stream", _WHICH, code="feed.answer"
            )
        try:
            return msgspec.json.decode(line, type=Message)
        except (msgspec.MsgspecError, RecursionError) as wrong:
            raise self._garbage(str(wrong)) from None

    def _read(self) -> None:
        """Take in what came, and cut it into lines."""
        try:
            data = self._socket.recv(_PIECE)
        except OSError as error:
            raise self._lost(error) from None
        if not data:
            raise StreamLost(f"{self._address} closed the connection")
        *ended, rest = data.split(b"\n")
        for piece in ended:
            self._lines.append(b"".join([*self._pieces, piece]))
            self._pieces.clear()
            self._size = 0
        if rest:
            self._pieces.append(rest)
            self._size += len(rest)
        if self._size > LARGEST_REPLY:
            raise self._garbage(f"a line is longer than {LARGEST_REPLY} bytes")

    def _lost(self, error: OSError) -> StreamLost:
        if isinstance(error, TimeoutError):
            seconds = self._socket.gettimeout()
            return StreamLost(f"{self._address} did not answer within {seconds:g} seconds", _WHICH)
        return StreamLost(f"{self._address} broke the connection: {_reason(error)}")

    def _garbage(self, reason: str) -> CommandFailed:
        return CommandFailed(
            f"what {self._address} sent is no JSON-RPC message: {reason}",
            _WHICH,
            code="feed.answer",
        )


def unreachable(lost: StreamLost) -> CommandFailed:
    """What to say where there never was a connection, or the command does not try again."""
    return CommandFailed(str(lost), lost.hint, code="feed.unreachable")


def _connected(address: Address, ca: Path | None) -> socket.socket:
    """A socket that is connected, and finds out when the other side is gone; or StreamLost."""
    try:
        if address.path:
            connection = socket.socket(socket.AF_UNIX)
            connection.settimeout(_CONNECT_SECONDS)
            connection.connect(address.path)
            return connection
        connection = socket.create_connection((address.host, address.port), _CONNECT_SECONDS)
        if address.secured:
            connection = _secured(connection, address, ca)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        for option, value in _KEEP_ALIVE.items():
            connection.setsockopt(socket.IPPROTO_TCP, option, value)
    except (OSError, UnicodeError) as error:
        raise StreamLost(f"{address} cannot be reached: {_reason(error)}") from None
    return connection


def _secured(plain: socket.socket, address: Address, ca: Path | None) -> socket.socket:
    """The same connection over TLS; CommandFailed where whoever is there is not believed."""
    try:
        return client_context(ca).wrap_socket(plain, server_hostname=address.host)
    except BaseException as error:
        plain.close()
        # It may be about to stop, or to come up.
        if isinstance(error, ssl.SSLError) and not isinstance(error, ssl.SSLEOFError):
            raise tls_failed(str(address), error) from None
        raise


def _reason(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error) or type(error).__name__


def _data_of(error: ErrorObject) -> dict[str, Any]:
    """What an error says for programs."""
    try:
        data = msgspec.json.decode(error.data)
    except msgspec.MsgspecError:
        return {}
    return data if isinstance(data, dict) else {}
