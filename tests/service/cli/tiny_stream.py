"""A stream that a test plays: what it says on each connection, and what it was asked."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Any

Act = Callable[["Peer"], None]


class Peer:
    """The stream's side of one connection."""

    def __init__(self, connection: socket.socket, stream: TinyStream) -> None:
        self._connection = connection
        self._lines = connection.makefile("rb")
        self._stream = stream

    def asked(self) -> dict[str, Any]:
        """The next call."""
        request: dict[str, Any] = json.loads(self._lines.readline())
        self._stream.requests.append(request)
        return request

    def say(self, **members: Any) -> None:
        """Send one message."""
        self.raw(json.dumps({"jsonrpc": "2.0", **members}, ensure_ascii=False).encode() + b"\n")

    def raw(self, data: bytes) -> None:
        """Send bytes."""
        self._connection.sendall(data)

    def subscribe(self, start: int) -> None:
        """Take a subscription in."""
        self.say(id=self.asked()["id"], result={"subscription": 1, "from": start})

    def tell(self, *positions: int, next_: int | None = None) -> None:
        """Tell changes."""
        changes = [change(position) for position in positions]
        self.say(
            method="feed.change",
            params={
                "subscription": 1,
                "changes": changes,
                "next": positions[-1] if next_ is None else next_,
                "complete": True,
            },
        )

    def overflow(self, next_: int, reason: str) -> None:
        """End the subscription."""
        params = {"subscription": 1, "next": next_, "reason": reason}
        self.say(method="feed.overflow", params=params)

    def wait_for_the_end(self) -> None:
        """Until the other side has left."""
        with suppress(OSError):
            self._lines.read()


def change(position: int, **more: Any) -> dict[str, Any]:
    """A change of a city."""
    return {
        "position": position,
        "record": "city",
        "kind": "update",
        "key": {"id": f"c{position}", "part": 2},
        "fields": ["name", "population"],
        "life": 1,
        "origin": 7,
        "writer": "api:127.0.0.1",
        "at": "2026-01-31T12:00:00.000000Z",
        **more,
    }


class TinyStream:
    """A stream that does on each connection as one test says, and keeps what it was asked."""

    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._thread = threading.Thread(target=self._serve)
        self.url = f"tcp://127.0.0.1:{self._listener.getsockname()[1]}"
        self.acts: list[Act] = []
        self.requests: list[dict[str, Any]] = []
        self.failures: list[BaseException] = []

    def start(self, *acts: Act) -> None:
        """Do these on the next connections, one each; then there are none."""
        self.acts = list(acts)
        self._thread.start()

    def stop(self) -> None:
        """Wait until all is done."""
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        if self._thread.ident is not None:
            self._thread.join(20)
            assert not self._thread.is_alive()

    def params(self) -> list[dict[str, Any]]:
        """What the calls were given."""
        return [request["params"] for request in self.requests]

    def _serve(self) -> None:
        for act in self.acts:
            try:
                connection, _address = self._listener.accept()
            except OSError:
                return
            with connection:
                connection.settimeout(20)
                try:
                    act(Peer(connection, self))
                except BaseException as error:
                    self.failures.append(error)


def telling(start: int, *positions: int) -> Act:
    """Take a subscription in, tell some changes, and wait for the end."""

    def act(peer: Peer) -> None:
        peer.subscribe(start)
        peer.tell(*positions)
        peer.wait_for_the_end()

    return act


def breaking_off(start: int, *positions: int, half: bytes = b"") -> Act:
    """The same, and break off in the midst of a line."""

    def act(peer: Peer) -> None:
        peer.subscribe(start)
        if positions:
            peer.tell(*positions)
        peer.raw(half)

    return act
