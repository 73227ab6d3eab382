"""A network in memory: real nodes without their input and output, wires with delays, one seed.

Time is counted in moments; nothing waits for a clock. Every run with the same seed is the same.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from itertools import count
from random import Random
from typing import TypeAlias

from service.herd.deltas import Delta
from service.herd.flood import Flood
from service.herd.flood_events import (
    ApplyFailed,
    BuildFailed,
    Built,
    Committed,
    Event,
    Grown,
    LinkClosed,
    LinkOpened,
    Received,
    Ticked,
)
from service.herd.link_actions import Action, Alarm, Apply, Blame, Build, Close, Send
from service.herd.link_greeting import Identity
from service.herd.link_roles import Manner
from service.herd.messages import Applied, Graft, Have, Hello, Message, Portion
from service.herd.vectors import Vector, includes
from tests.service.herd.toy import ToyNode

TICK = 20
"""Moments between two ticks of a node."""

Edge: TypeAlias = tuple[int, int]


@dataclass
class Faults:
    """How often something goes wrong, as shares of one."""

    apply_fails: float = 0.0
    build_fails: float = 0.0
    repeats: float = 0.0


@dataclass(eq=False)
class Wire:
    """One connection. `ends` has each node's number for it; `due` when its last message arrives."""

    edge: Edge
    ends: Mapping[int, int]
    due: dict[int, int] = field(default_factory=dict)
    open: bool = True

    def other(self, node: int) -> int:
        """The node at the other end."""
        return self.edge[0] if node == self.edge[1] else self.edge[1]


class Process:
    """One run of a node: what is lost in a crash."""

    def __init__(self, node: ToyNode, run: int, manner: Manner, phase: int) -> None:
        identity = Identity(node.origin, run, f"node-{node.origin}", "1")
        self.node = node
        self.flood = Flood(identity, node.vector, manner)
        self.alive = True
        self.phase = phase
        self.wires: dict[int, Wire] = {}
        self.reading: dict[int, tuple[int, list[Delta]]] = {}


class Network:
    """Nodes and wires. `sent` counts messages by type, `closes` and `alarms` keep what was said."""

    def __init__(
        self,
        origins: Iterable[int],
        edges: Iterable[Edge],
        seed: int = 0,
        manner: Manner = Manner.TREE,
        part_size: int = 1000,
        faults: Faults | None = None,
    ) -> None:
        self.random = Random(seed)
        self.now = 0
        self.nodes = {origin: ToyNode(origin, part_size) for origin in origins}
        self.edges = set(edges)
        self.faults = faults or Faults()
        self.sent: dict[type, int] = {}
        self.crossings: list[Edge] = []
        self.closes: list[Close] = []
        self.alarms: list[Alarm] = []
        self.processes: dict[int, Process] = {}
        self._manner = manner
        self._queue: list[tuple[int, int, Callable[[], None]]] = []
        self._order = count()
        self._numbers = count(1)
        for origin in self.nodes:
            self.start(origin)

    # What a test does

    def start(self, origin: int) -> None:
        """Start a node, again or for the first time, and dial its neighbours."""
        run, phase = next(self._numbers), self.random.randrange(TICK)
        process = Process(self.nodes[origin], run, self._manner, phase)
        self.processes[origin] = process
        self._later(phase + 1, lambda: self._tick(process))
        for edge in self._edges_of(origin):
            self._dial_later(edge)

    def kill(self, origin: int) -> None:
        """End a node's process at once; what it has committed stays."""
        process = self.processes[origin]
        process.alive = False
        for wire in tuple(process.wires.values()):
            self.cut(wire)

    def remove(self, origin: int) -> None:
        """A node dies and does not come back."""
        self.edges -= set(self._edges_of(origin))
        self.kill(origin)
        del self.nodes[origin], self.processes[origin]

    def sever(self, edge: Edge) -> None:
        """Cut the link between two nodes for good."""
        self.edges.discard(edge)
        for wire in self.wires():
            if wire.edge == edge:
                self.cut(wire)

    def cut(self, wire: Wire) -> None:
        """A connection breaks: what is on it is lost, and both ends learn of it a little later."""
        if not wire.open:
            return
        wire.open = False
        for node, link in wire.ends.items():
            process = self.processes[node]
            process.wires.pop(link, None)
            self._tell(process, LinkClosed(link), self._delay())
        self._dial_later(wire.edge)

    def write(self, origin: int) -> tuple[int, int]:
        """A change at a node; its links learn of it when it is sealed."""
        process = self.processes[origin]
        change = process.node.write()
        vector = process.node.vector
        self._tell(process, Grown(vector), 1)
        return change

    def run(self, ticks: int) -> None:
        """Let some ticks pass."""
        self.run_moments(ticks * TICK)

    def run_moments(self, moments: int) -> None:
        """Let less than a tick pass, or more."""
        end = self.now + moments
        while self._queue and self._queue[0][0] <= end:
            self.now, _order, happen = heapq.heappop(self._queue)
            happen()
        self.now = end

    def settle(self, ticks: int = 200) -> int:
        """Run until all nodes have the same; returns how many ticks that took, at most `ticks`."""
        for passed in range(ticks):
            if self.agreed():
                return passed
            self.run(1)
        return ticks

    # What a test looks at

    def agreed(self) -> bool:
        """Whether all nodes have the same."""
        vectors = [node.vector for node in self.nodes.values()]
        return all(vector == vectors[0] for vector in vectors)

    def everywhere(self, change: tuple[int, int]) -> bool:
        """Whether a change is on every node."""
        return all(change in node.entries for node in self.nodes.values())

    def wires(self) -> list[Wire]:
        """The open connections."""
        return list(
            {wire: 0 for process in self.processes.values() for wire in process.wires.values()}
        )

    def forget_counts(self) -> None:
        """Count messages from here."""
        self.sent.clear()
        self.crossings.clear()

    def broken_rules(self) -> list[Close]:
        """Links that one end closed for what the other did."""
        return [close for close in self.closes if close.blame is Blame.THEIRS]

    # How it goes on

    def _later(self, delay: int, happen: Callable[[], None]) -> None:
        heapq.heappush(self._queue, (self.now + delay, next(self._order), happen))

    def _delay(self) -> int:
        return self.random.randint(1, 6)

    def _edges_of(self, origin: int) -> list[Edge]:
        return sorted(edge for edge in self.edges if origin in edge)

    def _dial_later(self, edge: Edge) -> None:
        self._later(self._delay() + self.random.randrange(2 * TICK), lambda: self._dial(edge))

    def _dial(self, edge: Edge) -> None:
        """Connect two nodes, unless they are, or one is down."""
        both = [self.processes.get(origin) for origin in edge]
        if edge not in self.edges or any(each is None or not each.alive for each in both):
            return
        if any(wire.edge == edge for wire in self.processes[edge[0]].wires.values()):
            return
        self.connect(edge)

    def connect(self, edge: Edge) -> Wire:
        """A new connection between two nodes; either may be the one that dials."""
        wire = Wire(edge, {origin: next(self._numbers) for origin in edge})
        dialler = self.random.choice(edge)
        for origin, link in wire.ends.items():
            process = self.processes[origin]
            process.wires[link] = wire
            self._tell(process, LinkOpened(link, origin == dialler), 0)
        return wire

    def _tick(self, process: Process) -> None:
        if process.alive:
            self._give(process, Ticked())
            self._later(TICK, lambda: self._tick(process))

    def _tell(self, process: Process, event: Event, delay: int) -> None:
        """Let an event happen to a node, if it still runs then."""
        self._later(delay, lambda: self._give(process, event))

    def _give(self, process: Process, event: Event) -> None:
        if process.alive:
            for action in process.flood.handle(event):
                _CARRY_OUT[type(action)](self, process, action)

    def _send(self, process: Process, action: Send) -> None:
        """Put a message on the wire. What it says must be true of what is committed."""
        said = _said(action.message)
        assert includes(process.node.vector, said), f"{action} says what is not committed"
        wire = process.wires.get(action.link)
        if wire is None:
            return
        self.sent[type(action.message)] = self.sent.get(type(action.message), 0) + 1
        if isinstance(action.message, Portion):
            self.crossings.append(wire.edge)
        twice = self.random.random() < self.faults.repeats and _repeatable(action.message)
        for _ in range(1 + twice):
            self._travel(wire, process.node.origin, action.message)

    def _travel(self, wire: Wire, sender: int, message: Message) -> None:
        """A wire keeps the order of what is sent one way."""
        receiver = wire.other(sender)
        process = self.processes[receiver]
        wire.due[sender] = max(self.now + self._delay(), wire.due.get(sender, 0))

        def arrive() -> None:
            if wire.open:
                self._give(process, Received(wire.ends[receiver], message))

        self._later(wire.due[sender] - self.now, arrive)

    def _build(self, process: Process, action: Build) -> None:
        def read() -> None:
            if not process.alive:
                return
            if self.random.random() < self.faults.build_fails:
                self._give(process, BuildFailed(action.link, action.number, "no connection"))
                return
            if action.part == 0:
                delta = process.node.delta(action.above)
                process.reading[action.link] = action.number, delta
            number, parts = process.reading[action.link]
            assert number == action.number, "a part of a delta that is over was asked for"
            self._give(process, Built(action.link, number, action.part, parts[action.part]))

        self._later(self.random.randint(0, 2), read)

    def _apply(self, process: Process, action: Apply) -> None:
        number, part, delta = action.portion

        def commit() -> None:
            if not process.alive:
                return
            if self.random.random() < self.faults.apply_fails:
                self._give(process, ApplyFailed(action.link, number, part, "disk full"))
                return
            process.node.apply(delta)
            self._give(process, Committed(action.link, number, part, process.node.vector))

        self._later(self.random.randint(1, 4), commit)

    def _close(self, process: Process, action: Close) -> None:
        """What was sent before still arrives; then the other end learns of it."""
        self.closes.append(action)
        wire = process.wires.pop(action.link, None)
        if wire is None:
            return
        due = wire.due.get(process.node.origin, self.now)
        self._later(max(1, due - self.now + 1), lambda: self.cut(wire))

    def _alarm(self, _process: Process, action: Alarm) -> None:
        self.alarms.append(action)


def _said(message: Message) -> Vector:
    """What a message says of the node that sends it."""
    match message:
        case Hello() | Have() | Applied() | Graft():
            return message.vector
        case Portion():
            return message.delta.covers
    return {}


def _repeatable(message: Message) -> bool:
    """Whether a message may come twice: a greeting may not."""
    return not isinstance(message, Hello)


_CARRY_OUT: Mapping[type[Action], Callable[..., None]] = {
    Send: Network._send,
    Build: Network._build,
    Apply: Network._apply,
    Close: Network._close,
    Alarm: Network._alarm,
}


def ring_with_chords(size: int, degree: int, seed: int) -> set[Edge]:
    """A connected graph in which nodes have about `degree` neighbours."""
    random = Random(seed)
    around = list(range(1, size + 1))
    random.shuffle(around)
    edges = {_edge(one, other) for one, other in zip(around, around[1:] + around[:1], strict=True)}
    while len(edges) < min(size * degree // 2, size * (size - 1) // 2):
        one, other = random.sample(around, 2)
        edges.add(_edge(one, other))
    return edges


def _edge(one: int, other: int) -> Edge:
    return min(one, other), max(one, other)
