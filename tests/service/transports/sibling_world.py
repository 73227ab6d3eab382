"""Rooms of several nodes, a network in memory between them, and a clock that the test moves."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import count
from typing import Any, cast

from prometheus_client import CollectorRegistry
from twisted.internet.address import IPv4Address
from twisted.internet.defer import Deferred, fail, maybeDeferred, succeed
from twisted.internet.error import ConnectError, ConnectionDone
from twisted.internet.task import Clock
from twisted.python.failure import Failure

from service.herd.codec import decode, encode
from service.herd.frames import FrameReader, framed
from service.herd.messages import Message
from service.herd.status import SiblingState, Standing
from service.metrics import HerdMetrics
from service.transports.siblings.room import HerdRoom, Who
from service.transports.siblings.terms import LinkLimits, Surroundings
from tests.service.herd.memory_store import MemoryHerdStore

FULL = 65_536
STEP = 0.1
_gone = cast(Any, Failure)(ConnectionDone())


class Transport:
    """One end of a connection, as Twisted's are: full above 64 KiB, told when it is empty again."""

    def __init__(self, peer: IPv4Address) -> None:
        self.protocol: Any = None
        self.other: Transport
        self.producer: Any = None
        self.buffer = bytearray()
        self.most = 0
        self.is_reading = True
        self.has_ended = False
        self.is_open = True
        self.moves = 2**30
        self._peer = peer

    def getPeer(self) -> IPv4Address:  # noqa: N802
        """Who is there."""
        return self._peer

    def registerProducer(self, producer: Any, _streaming: bool) -> None:  # noqa: N802
        """Who is told when it is full."""
        self.producer = producer

    def unregisterProducer(self) -> None:  # noqa: N802
        """Nobody is told any more."""
        self.producer = None

    def write(self, data: bytes) -> None:
        """Put bytes into the buffer."""
        assert not self.has_ended
        self.buffer += data
        self.most = max(self.most, len(self.buffer))
        if len(self.buffer) > FULL and self.producer is not None:
            self.producer.pauseProducing()

    def pauseProducing(self) -> None:  # noqa: N802
        """Read nothing."""
        self.is_reading = False

    def resumeProducing(self) -> None:  # noqa: N802
        """Read again."""
        self.is_reading = True

    def loseWriteConnection(self) -> None:  # noqa: N802
        """Close one way after what was written."""
        self.has_ended = True

    def abortConnection(self) -> None:  # noqa: N802
        """Close at once."""
        self.lose()

    def lose(self) -> None:
        """The connection breaks: both ends are told, what is unread is lost."""
        for end in (self, self.other):
            if end.is_open:
                end.is_open = False
                end.protocol.connectionLost(_gone)

    def move(self) -> bool:
        """Carry what is there to the other end; False: nothing could be done."""
        if not self.is_open or not self.other.is_reading:
            return False
        if self.buffer:
            data = bytes(self.buffer[: min(self.moves, FULL)])
            del self.buffer[: len(data)]
            self.other.protocol.dataReceived(data)
            if not self.buffer and self.is_open and self.producer is not None:
                self.producer.resumeProducing()
            return True
        if self.has_ended:
            self.lose()
            return True
        return False


class Stranger:
    """A connection that a test holds itself."""

    def __init__(self) -> None:
        self.transport: Any = None
        self._is_lost = False
        self.messages: list[Message] = []
        self._reader = FrameReader()

    def dataReceived(self, data: bytes) -> None:
        """Take the messages that came."""
        self._reader.feed(data)
        self.messages += map(decode, self._reader.payloads())

    def connectionLost(self, _reason: object) -> None:
        """The connection is gone."""
        self._is_lost = True

    def is_lost(self) -> bool:
        """Whether the connection is gone."""
        return self._is_lost

    def say(self, message: Message) -> None:
        """Send a message."""
        self.transport.write(framed(encode(message)))


class World:
    """All nodes. Of what is given to threads the newest ends first; none while they are `stuck`."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.stores: dict[str, MemoryHerdStore] = {}
        self.rooms: dict[str, HerdRoom] = {}
        self.registries: dict[str, CollectorRegistry] = {}
        self.ends: list[Transport] = []
        self.dials: list[str] = []
        self.unreachable: set[str] = set()
        self.stuck = False
        self._jobs: list[tuple[Deferred[Any], Callable[..., Any], tuple[Any, ...]]] = []
        self._ports = count(40_000)

    def node(
        self,
        name: str,
        siblings: Sequence[str] = (),
        store: MemoryHerdStore | None = None,
        limits: LinkLimits | None = None,
        follows_records: bool = False,
    ) -> MemoryHerdStore:
        """A node that runs, and its database."""
        store = store or MemoryHerdStore(len(self.stores))
        self.stores[name] = store
        registry = self.registries[name] = CollectorRegistry()
        around = Surroundings(
            clock=cast(Any, self.clock),
            in_thread=self._in_thread,
            connect=lambda address: _Endpoint(self, address),
            metrics=HerdMetrics(registry),
            chance=lambda: 1.0,
            limits=limits or LinkLimits(),
            follows_records=follows_records,
            may_dial=lambda address: address != "forbidden",
        )
        room = HerdRoom(store, Who(name, "1"), siblings, store, around)
        self.rooms[name] = room
        room.start()
        self.pump()
        return store

    def run(self, seconds: float) -> None:
        """Let time pass."""
        for _ in range(round(seconds / STEP)):
            self.clock.advance(STEP)
            self.pump()

    def pump(self) -> None:
        """Let everything happen that needs no time."""
        while self._work() | self._carry():
            pass

    def stranger(self, name: str) -> Stranger:
        """A connection to a node from somebody who is none."""
        stranger = Stranger()
        protocol = self.rooms[name].listener.buildProtocol(self._address())
        assert protocol is not None
        self.connect(stranger, protocol)
        return stranger

    def connect(self, one: Any, other: Any) -> None:
        """Two protocols get a connection."""
        near, far = Transport(self._address()), Transport(self._address())
        near.other, far.other = far, near
        near.protocol, far.protocol = one, other
        self.ends += (near, far)
        for end in (near, far):
            end.protocol.transport = end
        for end in (near, far):
            if hasattr(end.protocol, "connectionMade"):
                end.protocol.connectionMade()
        self.pump()

    def cut(self) -> None:
        """All connections break."""
        for end in self.open():
            end.lose()
        self.pump()

    def open(self) -> list[Transport]:
        """The ends of open connections."""
        return [end for end in self.ends if end.is_open]

    def siblings(self, name: str) -> tuple[SiblingState, ...]:
        """How the siblings of a node stand."""
        return self.rooms[name].state().siblings

    def standings(self, name: str) -> list[Standing]:
        """The same, in a word each."""
        return [sibling.standing for sibling in self.siblings(name)]

    def metric(self, node: str, name: str, **labels: str) -> float | None:
        """A number that a node tells of itself."""
        return self.registries[node].get_sample_value(name, labels)

    def agreed(self) -> bool:
        """Whether all nodes hold the same rows at the same vector."""
        rows = [store.rows() for store in self.stores.values()]
        known = [store.node.known for store in self.stores.values()]
        return all(one == rows[0] for one in rows) and all(one == known[0] for one in known)

    def _address(self) -> Any:
        return IPv4Address("TCP", "127.0.0.1", next(self._ports))

    def _in_thread(self, work: Callable[..., Any], *arguments: Any) -> Deferred[Any]:
        done: Deferred[Any] = Deferred()
        self._jobs.append((done, work, arguments))
        return done

    def _work(self) -> bool:
        """One job, and everything else may overtake the next."""
        if not self._jobs or self.stuck:
            return False
        done, work, arguments = self._jobs.pop()
        maybeDeferred(work, *arguments).chainDeferred(done)
        return True

    def _carry(self) -> bool:
        moved = [end.move() for end in tuple(self.ends)]
        return any(moved)


class _Endpoint:
    """Leads to the node whose name is the address."""

    def __init__(self, world: World, address: str) -> None:
        self._world = world
        self._address = address

    def connect(self, factory: Any) -> Deferred[Any]:
        """A connection, unless nobody is there."""
        world = self._world
        world.dials.append(self._address)
        room = world.rooms.get(self._address)
        there = room and self._address not in world.unreachable
        far = room.listener.buildProtocol(world._address()) if room and there else None
        if far is None:
            return fail(cast(Any, ConnectError)(string="nobody is there"))
        near = factory.buildProtocol(None)
        world.clock.callLater(0, world.connect, near, far)
        return succeed(near)
