"""A wire between a client and a database server that a test can cut."""

from __future__ import annotations

import select
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from enum import Enum, auto
from pathlib import Path

_PIECE = 65_536
_LONGEST_WAIT = 30.0


class Fate(Enum):
    """What happens to the next COMMIT that comes along the wire."""

    ARRIVES = auto()
    IS_LOST = auto()
    ARRIVES_AND_ITS_ANSWER_IS_LOST = auto()


class Wire:
    """Listens on a port of this machine and passes everything on to the server's socket."""

    def __init__(self, server_socket: Path) -> None:
        self._server_socket = server_socket
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._open: list[socket.socket] = []
        self._threads = [threading.Thread(target=self._accept)]
        self.next_commit = Fate.ARRIVES
        self.commits = 0

    @property
    def port(self) -> int:
        """Where clients connect."""
        number: int = self._listener.getsockname()[1]
        return number

    def start(self) -> None:
        """Begin to listen."""
        self._threads[0].start()

    def stop(self) -> None:
        """Cut everything and wait for the threads."""
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.cut()
        for thread in self._threads:
            thread.join(_LONGEST_WAIT)

    def cut(self) -> None:
        """Cut all connections."""
        for end in self._open:
            _hang_up(end)

    def _accept(self) -> None:
        """Take connections until the listener is closed."""
        while True:
            try:
                client, _address = self._listener.accept()
            except OSError:
                return
            server = socket.socket(socket.AF_UNIX)
            server.connect(str(self._server_socket))
            self._open += [client, server]
            thread = threading.Thread(target=self._carry, args=(client, server))
            self._threads.append(thread)
            thread.start()

    def _carry(self, client: socket.socket, server: socket.socket) -> None:
        """Pass on what either side says, until one of them hangs up or the test cuts."""
        try:
            while self._carry_once(client, server):
                pass
        except OSError:
            pass
        finally:
            for end in (client, server):
                _hang_up(end)
                end.close()

    def _carry_once(self, client: socket.socket, server: socket.socket) -> bool:
        """Pass on what is there; False when the connection is over."""
        ready, _writable, _broken = select.select([client, server], [], [])
        for end in ready:
            said = end.recv(_PIECE)
            if not said:
                return False
            if end is server:
                client.sendall(said)
            elif not self._pass_on(said, server):
                return False
        return True

    def _pass_on(self, said: bytes, server: socket.socket) -> bool:
        """Send the client's words to the server, unless they are a COMMIT that has a fate."""
        if said[4:].upper() != b"\x03COMMIT":
            server.sendall(said)
            return True
        self.commits += 1
        fate, self.next_commit = self.next_commit, Fate.ARRIVES
        if fate is not Fate.IS_LOST:
            server.sendall(said)
        if fate is Fate.ARRIVES_AND_ITS_ANSWER_IS_LOST:
            server.recv(_PIECE)
        return fate is Fate.ARRIVES


def _hang_up(end: socket.socket) -> None:
    """End a connection in both directions; one that is over already is fine."""
    with suppress(OSError):
        end.shutdown(socket.SHUT_RDWR)


@contextmanager
def wired(server_socket: Path) -> Iterator[Wire]:
    """A wire to the server, for the time of a `with` block."""
    wire = Wire(server_socket)
    wire.start()
    try:
        yield wire
    finally:
        wire.stop()
