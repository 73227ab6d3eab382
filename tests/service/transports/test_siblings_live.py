"""Links over real sockets: several nodes in one reactor, and wires that are cut between them."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any, cast

import pytest
from prometheus_client import CollectorRegistry
from twisted.internet.endpoints import clientFromString
from twisted.internet.threads import deferToThread
from twisted.protocols.portforward import ProxyFactory

from service.metrics import HerdMetrics
from service.transports.siblings.room import HerdRoom, Who
from service.transports.siblings.terms import Surroundings
from tests.service.herd.memory_store import MemoryHerdStore
from tests.service.transports.reactor_thread import in_reactor, reactor

SECONDS = 30


class LiveHerd:
    """Nodes with listeners of their own. All that they hold is touched in the reactor only."""

    def __init__(self, folder: Path) -> None:
        self.stores: list[MemoryHerdStore] = []
        self._folder = folder
        self._rooms: list[HerdRoom] = []
        self._ports: list[Any] = []
        self._proxied: list[Any] = []

    def node(self, *siblings: str, most_rows: int = 1_000, socket: bool = False) -> str:
        """A node that runs; where it listens."""
        return cast(str, in_reactor(self._node, siblings, most_rows, socket))

    def proxy(self, address: str) -> str:
        """Another way to an address, which can be cut."""
        return cast(str, in_reactor(self._proxy, address))

    def cut(self) -> None:
        """All connections over proxies break."""
        in_reactor(self._cut)

    def do(self, number: int, write: Callable[[MemoryHerdStore], None]) -> None:
        """Let something be written at a node."""
        in_reactor(write, self.stores[number])

    def await_agreement(self, rows: int) -> None:
        """Wait until all nodes hold the same, and so much of it."""
        end = time.monotonic() + SECONDS
        while not in_reactor(self._agreed, rows):
            assert time.monotonic() < end, "the nodes do not agree"
            time.sleep(0.01)

    def stop(self) -> None:
        """Stop all."""
        for room in self._rooms:
            in_reactor(room.stop)
        for port in self._ports:
            in_reactor(port.stopListening)
        in_reactor(self._cut)

    def _node(self, siblings: tuple[str, ...], most_rows: int, socket: bool) -> str:
        store = MemoryHerdStore(len(self.stores), most_rows)
        around = Surroundings(
            clock=reactor,
            in_thread=deferToThread,
            connect=partial(clientFromString, reactor),
            metrics=HerdMetrics(CollectorRegistry()),
            chance=lambda: 0.0,
        )
        who = Who(f"node-{len(self.stores)}", "1")
        room = HerdRoom(store, who, siblings, store, around)
        self.stores.append(store)
        self._rooms.append(room)
        room.start()
        if socket:
            path = str(self._folder / "herd.sock")
            self._ports.append(reactor.listenUNIX(path, room.listener))
            return f"unix:{path}"
        self._ports.append(reactor.listenTCP(0, room.listener, interface="127.0.0.1"))
        return f"tcp:127.0.0.1:{self._ports[-1].getHost().port}"

    def _proxy(self, address: str) -> str:
        _kind, host, port = address.split(":")
        factory = cast(Any, ProxyFactory)(host, int(port))
        factory.noisy = False
        build = factory.buildProtocol

        def build_and_keep(peer: Any) -> Any:
            self._proxied.append(build(peer))
            return self._proxied[-1]

        factory.buildProtocol = build_and_keep
        self._ports.append(reactor.listenTCP(0, factory, interface="127.0.0.1"))
        return f"tcp:127.0.0.1:{self._ports[-1].getHost().port}"

    def _cut(self) -> None:
        for protocol in self._proxied:
            protocol.transport.abortConnection()
        self._proxied.clear()

    def _agreed(self, rows: int) -> bool:
        first = self.stores[0]
        return len(first.rows()) == rows and all(
            store.rows() == first.rows() and store.node.known == first.node.known
            for store in self.stores
        )


@pytest.fixture
def herd(running_reactor: None, tmp_path: Path) -> Iterator[LiveHerd]:
    """No nodes yet; all are stopped after the test."""
    herd = LiveHerd(tmp_path)
    yield herd
    herd.stop()


def country(key: int, store: MemoryHerdStore) -> None:
    """A row."""
    store.insert("country", key, name=f"country {key}")


def test_three_nodes_over_tcp_and_a_socket_agree(herd: LiveHerd) -> None:
    """Everyone writes; a circle of links, each kind of address."""
    first = herd.node(socket=True)
    second = herd.node(first)
    herd.node(first, second)
    for number in range(3):
        for key in range(20):
            herd.do(number, partial(country, number * 100 + key))
    herd.await_agreement(60)
    assert [len(store.rows()) for store in herd.stores] == [60, 60, 60]


def test_wires_that_are_cut_again_and_again_lose_nothing(herd: LiveHerd) -> None:
    """Both write while the connection breaks at any moment."""
    first = herd.node(most_rows=3)
    herd.node(herd.proxy(first), most_rows=3)
    for key in range(40):
        herd.do(key % 2, partial(country, key))
        if key % 8 == 7:
            herd.cut()
    herd.await_agreement(40)
    assert herd.stores[0].rows() == herd.stores[1].rows()


def test_large_parts_come_whole_over_real_sockets(herd: LiveHerd) -> None:
    """Parts of megabytes, written and read in threads, both ways at once."""

    def many(base: int, store: MemoryHerdStore) -> None:
        for key in range(base, base + 1_200):
            name = f"{key} " + "".join(f"{key * n % 7919:x}" for n in range(400))
            store.insert("country", key, name=name)

    first = herd.node(most_rows=400)
    herd.do(0, partial(many, 0))
    herd.node(first, most_rows=400)
    herd.do(1, partial(many, 10_000))
    herd.await_agreement(2_400)
    assert max(len(str(row["name"])) for row in herd.stores[1].rows().values()) > 1_000
