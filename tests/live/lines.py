"""A client of a node's stream, as simple as the protocol allows."""

from __future__ import annotations

import json
import socket
import struct
from collections import deque
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit

from tests.live.node import CallFailed

SECONDS = 30.0
_PIECE = 4_096


class Ended(Exception):
    """The connection is over."""


class LineClient:
    """One connection to the stream, for the time of a `with` block."""

    def __init__(self, address: str, *, receive_buffer: int | None = None) -> None:
        self._socket = _socket_to(address, receive_buffer)
        self._bytes = b""
        self.messages: deque[dict[str, Any]] = deque()
        self._last = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._socket.close()

    def send(self, data: bytes) -> None:
        """Send bytes as they are."""
        self._socket.sendall(data)

    def cut(self) -> None:
        """End the connection without a good-bye: the other side meets a reset."""
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._socket.close()

    def call(self, method: str, params: Any = None) -> Any:
        """The result of a call; what is told meanwhile is kept. Raises CallFailed."""
        self._last += 1
        call = {"jsonrpc": "2.0", "id": self._last, "method": method, "params": params or {}}
        self.send(json.dumps(call).encode() + b"\n")
        while True:
            message = self.receive()
            if "method" in message:
                self.messages.append(message)
            elif "error" in message:
                raise CallFailed(message["error"])
            else:
                assert message["id"] == self._last
                return message["result"]

    def told(self) -> dict[str, Any]:
        """The next notification, `{"method": …, "params": …}`."""
        return self.messages.popleft() if self.messages else self.receive()

    def receive(self, piece: int = _PIECE) -> dict[str, Any]:
        """The next message of any sort, received in pieces of this size; raises Ended."""
        while b"\n" not in self._bytes:
            self.receive_some(piece)
        line, _, self._bytes = self._bytes.partition(b"\n")
        message: dict[str, Any] = json.loads(line)
        return message

    def receive_some(self, piece: int = _PIECE) -> None:
        """Take in what is there, at most so many bytes; raises Ended."""
        try:
            data = self._socket.recv(piece)
        except ConnectionError:
            raise Ended from None
        if not data:
            raise Ended
        self._bytes += data


def _socket_to(address: str, receive_buffer: int | None) -> socket.socket:
    """A connected socket; one with a small buffer makes the other side wait early."""
    if address.startswith("unix:"):
        connected = socket.socket(socket.AF_UNIX)
        connected.settimeout(SECONDS)
        connected.connect(address.removeprefix("unix:"))
        return connected
    parts = urlsplit(address)
    connected = socket.socket(socket.AF_INET)
    if receive_buffer is not None:
        connected.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
    connected.settimeout(SECONDS)
    connected.connect((parts.hostname, parts.port))
    return connected
