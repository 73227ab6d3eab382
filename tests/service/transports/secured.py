"""Nodes over real sockets whose links are secured, and strangers who try to get in."""

from __future__ import annotations

import contextlib
import socket
import ssl
import time
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any, cast

from prometheus_client import CollectorRegistry
from twisted.internet.endpoints import clientFromString
from twisted.internet.threads import deferToThread

from service.herd.codec import encode
from service.herd.frames import framed
from service.herd.messages import PROTOCOL, Hello
from service.herd.status import HerdState, SiblingState
from service.identity.authority import Authority
from service.identity.credentials import Paths
from service.metrics import HerdMetrics
from service.transports.siblings.room import HerdRoom, Who
from service.transports.siblings.terms import LinkLimits, Surroundings
from service.transports.siblings.tls import Security
from tests.service.herd.memory_store import MemoryHerdStore
from tests.service.identity.papers import DAY, herd, node_files
from tests.service.transports.reactor_thread import in_reactor, reactor

SECONDS = 30
TODAY = datetime.now(UTC).replace(microsecond=0)


class SecuredHerd:
    """Nodes of one herd, by name. All that they hold is touched in the reactor only.

    `now` is what all of them take for the time.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.authority: Authority = herd(TODAY - 500 * DAY)
        self.now = TODAY
        self.stores: dict[str, MemoryHerdStore] = {}
        self.rooms: dict[str, HerdRoom] = {}
        self.security: dict[str, Security] = {}
        self._ports: dict[str, Any] = {}

    def node(
        self,
        name: str,
        *siblings: str,
        paths: Paths | None = None,
        limits: LinkLimits | None = None,
        calls_itself: str | None = None,
        is_plain: bool = False,
        peers_required: bool = False,
    ) -> str:
        """A node that runs, with a row of its own; where it listens."""
        security = None
        if not is_plain:
            files = paths or node_files(self.folder / name, self.authority, name, TODAY)
            security = self.security[name] = Security(files, name, lambda: self.now)
        around = Surroundings(
            clock=reactor,
            in_thread=deferToThread,
            connect=partial(clientFromString, reactor),
            metrics=HerdMetrics(CollectorRegistry()),
            chance=lambda: 0.0,
            limits=limits or LinkLimits(note_seconds=0.05),
            security=security,
            peers_required=peers_required,
        )
        start = partial(self._start, name, siblings, around, calls_itself or name)
        return cast(str, in_reactor(start))

    def _start(
        self,
        name: str,
        siblings: tuple[str, ...],
        around: Surroundings,
        called: str,
    ) -> str:
        store = self.stores[name] = MemoryHerdStore(len(self.stores))
        store.insert("country", len(self.stores), name=name)
        room = self.rooms[name] = HerdRoom(store, Who(called, "1"), siblings, store, around)
        room.start()
        port = self._ports[name] = reactor.listenTCP(0, room.listener, interface="127.0.0.1")
        return f"tcp:127.0.0.1:{port.getHost().port}"

    def port(self, name: str) -> int:
        """Where a node listens."""
        return cast(int, self._ports[name].getHost().port)

    def fingerprint(self, name: str) -> str:
        """That of the certificate by which a node knows itself."""
        return cast(str, in_reactor(lambda: self.security[name].card.fingerprint))

    def state(self, name: str) -> HerdState:
        """How a node stands."""
        return cast(HerdState, in_reactor(self.rooms[name].state))

    def reasons(self, name: str) -> list[str]:
        """Why a node is not linked with somebody."""
        return [one.reason for one in self.state(name).siblings if one.reason]

    def siblings(self, name: str) -> tuple[SiblingState, ...]:
        """The siblings that a node is linked with."""
        linked = ("streaming, eager", "streaming, lazy")
        return tuple(one for one in self.state(name).siblings if one.standing.value in linked)

    def fingerprints(self, name: str) -> list[str | None]:
        """Those of the siblings that a node is linked with."""
        return [one.fingerprint for one in self.siblings(name)]

    def rows(self, name: str) -> int:
        """How many rows a node has."""
        return len(in_reactor(self.stores[name].rows))

    def stop(self) -> None:
        """Stop all."""
        for room in self.rooms.values():
            in_reactor(room.stop)
        for port in self._ports.values():
            in_reactor(port.stopListening)


def until(is_so: Callable[[], object], what: str = "it does not come to it") -> None:
    """Wait for something."""
    end = time.monotonic() + SECONDS
    while not is_so():
        assert time.monotonic() < end, what
        time.sleep(0.01)


def connected(port: int) -> socket.socket:
    """A connection to a node, on which nothing is said."""
    return socket.create_connection(("127.0.0.1", port), SECONDS)


def client_context(paths: Paths | None) -> ssl.SSLContext:
    """Somebody who believes anybody, and shows what he has."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    if paths is not None:
        context.load_cert_chain(paths.certificate, paths.key)
    return context


def greeting(name: str, origin: int = 7_777) -> bytes:
    """What a node says first."""
    return framed(encode(Hello(PROTOCOL, origin, 1, name, "1", {})))


def heard(port: int, context: ssl.SSLContext, said: bytes) -> bytes:
    """What somebody is told who gets through the handshake and says something; nothing if not."""
    plain = connected(port)
    with plain, contextlib.suppress(OSError), context.wrap_socket(plain) as secured:
        secured.sendall(said)
        return secured.recv(65_536)
    return b""


def is_closed(connection: socket.socket) -> bool:
    """Whether the other side has closed it; waits for that."""
    try:
        while connection.recv(65_536):
            pass
    except TimeoutError:
        return False
    except OSError:
        return True
    return True
