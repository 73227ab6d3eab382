"""A wire between two nodes on this machine that can be cut, and healed.

with Wire("/run/north/herd.sock") as wire:
    ... wire.address ...
    wire.cut()
    wire.heal()
"""

from __future__ import annotations

import socket
import threading
from contextlib import closing, suppress
from typing import Self, TypeAlias

_PIECE = 65_536
_END_SECONDS = 10.0

Target: TypeAlias = str | tuple[str, int]
"""A socket's path, or host and port."""


class Wire:
    """Listens on a port of this machine, and carries what comes to a target and back.

    While it is cut, who connects is neither refused nor answered, as over a network that drops
    everything; what had been open is closed. `address` is where it listens, as `herd.siblings`
    has it.
    """

    def __init__(self, target: Target) -> None:
        self._target = target
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.address = f"tcp:127.0.0.1:{self._listener.getsockname()[1]}"
        self._lock = threading.Lock()
        self._whole = threading.Event()
        self._whole.set()
        self._is_over = False
        self._open: set[socket.socket] = set()
        self._threads = [threading.Thread(target=self._accept, daemon=True)]

    def cut(self) -> None:
        """Close what is open, and carry nothing until it is healed."""
        with self._lock:
            self._whole.clear()
            for end in self._open:
                _hang_up(end)

    def heal(self) -> None:
        """Carry again, also for those who connected meanwhile."""
        self._whole.set()

    def __enter__(self) -> Self:
        """Begin to carry."""
        self._threads[0].start()
        return self

    def __exit__(self, *raised: object) -> None:
        """Close everything."""
        self._is_over = True
        _hang_up(self._listener)
        self._listener.close()
        self.cut()
        self.heal()
        for thread in tuple(self._threads):
            thread.join(_END_SECONDS)

    def _accept(self) -> None:
        """Take connections until the listener is closed."""
        while self._whole.wait() and not self._is_over:
            try:
                client, _address = self._listener.accept()
            except OSError:
                return
            carrier = threading.Thread(target=self._carry, args=(client,), daemon=True)
            self._threads.append(carrier)
            carrier.start()

    def _carry(self, client: socket.socket) -> None:
        """Pass on what both sides say until one of them ends, or the wire is cut."""
        with closing(client), closing(_socket_for(self._target)) as server, suppress(OSError):
            self._whole.wait()
            server.connect(self._target)
            if not self._opened(client, server):
                return
            back = threading.Thread(target=_pump, args=(server, client), daemon=True)
            back.start()
            _pump(client, server)
            back.join()
            with self._lock:
                self._open -= {client, server}

    def _opened(self, *ends: socket.socket) -> bool:
        """Note what a cut has to close; False where it came before that."""
        with self._lock:
            is_open = self._whole.is_set() and not self._is_over
            self._open |= set(ends) if is_open else set()
            return is_open


def _socket_for(target: Target) -> socket.socket:
    return socket.socket(socket.AF_UNIX if isinstance(target, str) else socket.AF_INET)


def _pump(source: socket.socket, sink: socket.socket) -> None:
    """Pass on what one side says; when it ends, both do."""
    with suppress(OSError):
        while said := source.recv(_PIECE):
            sink.sendall(said)
    _hang_up(source)
    _hang_up(sink)


def _hang_up(end: socket.socket) -> None:
    """End a connection in both directions; one that is over already is fine."""
    with suppress(OSError):
        end.shutdown(socket.SHUT_RDWR)
