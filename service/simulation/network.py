"""All connections: who is linked with whom, what breaks, and who dials again."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import count

from service.herd.flood_events import LinkClosed, LinkOpened, Received
from service.herd.messages import Message
from service.simulation.durable import DurableNode
from service.simulation.origins import draw
from service.simulation.process import Process
from service.simulation.setting import Edge
from service.simulation.story import Happened
from service.simulation.timeline import SECOND
from service.simulation.wire import Wire
from service.simulation.world import World

REDIAL = SECOND // 2
LONGEST_HALT = 3 * SECOND
LATEST_NEWS_OF_A_CUT = 3 * SECOND
"""One end of a broken connection may learn of it much later than the other."""


class Network:
    """The running nodes and the wires between them; in `peace` nothing goes wrong any more."""

    def __init__(self, nodes: Sequence[DurableNode], world: World) -> None:
        self.nodes = nodes
        self.processes: list[Process] = []
        self.severed: dict[Edge, int] = {}
        self.repeats = 0.0
        self.peace = False
        self._world = world
        self._wires: dict[Edge, list[Wire]] = {edge: [] for edge in world.setting.edges}
        self._by_link: dict[int, Wire] = {}
        self._dialling: set[Edge] = set()
        self._numbers = count(1)
        for node in nodes:
            self.processes.append(Process(node, next(self._numbers), world, self))
        for edge in world.setting.edges:
            self._redial(edge)

    def wires(self) -> list[Wire]:
        """The open connections."""
        return [wire for wires in self._wires.values() for wire in wires]

    def start(self, number: int) -> None:
        """Start a node that was killed."""
        node = self.nodes[number]
        if not self.processes[number].alive:
            self.processes[number] = Process(node, next(self._numbers), self._world, self)

    def restart(self, number: int) -> None:
        """End a node's process, if it runs, and start it."""
        self.processes[number].kill()
        self.start(number)

    def draw(self, number: int) -> None:
        """Give a node a new origin, and start it with that."""
        node = self.nodes[number]
        self.processes[number].kill()
        draw(node)
        self._world.tell(node, Happened("gets a new origin", weighty=True))
        self._world.counts["origins"] += 1
        self.start(number)

    def halted(self, process: Process) -> None:
        """See the port. A node that was set back, and the copy of two, gets a new origin."""
        later = self._world.random.randint(1, LONGEST_HALT)
        self._world.timeline.later(later, self._go_on, process)

    def _go_on(self, process: Process) -> None:
        if not process.alive:
            return
        if process.node.doubtful:
            self.draw(process.node.number)
        else:
            self.restart(process.node.number)

    def send(self, process: Process, link: int, message: Message) -> None:
        """See the port."""
        wire = self._by_link.get(link)
        if wire is not None:
            self._world.counts["messages"] += 1
            wire.send(process.node.number, message)

    def close(self, process: Process, link: int) -> None:
        """See the port. The other end hears what was sent before, and then of the end."""
        wire = self._by_link.pop(link, None)
        if wire is not None:
            delay = wire.drained(process.node.number) + 1
            self._world.timeline.later(delay, self.cut, wire)

    def died(self, process: Process) -> None:
        """See the port."""
        for wire in self.wires():
            if any(end is process for end, _link in wire.ends.values()):
                self.cut(wire)

    def cut(self, wire: Wire) -> None:
        """A connection breaks: what is on it is lost; each end learns of it in its time."""
        if not wire.open:
            return
        wire.open = False
        self._wires[wire.edge].remove(wire)
        for process, link in wire.ends.values():
            self._by_link.pop(link, None)
            latest = self._world.random.choice((10, LATEST_NEWS_OF_A_CUT))
            delay = self._world.random.randint(1, latest)
            self._world.timeline.later(delay, process.give, LinkClosed(link))
        self._redial(wire.edge)

    def sever(self, edge: Edge, moments: int) -> None:
        """Two nodes cannot reach each other for a while."""
        self.severed[edge] = self._world.timeline.now + moments
        for wire in tuple(self._wires[edge]):
            self.cut(wire)

    def connect(self, edge: Edge) -> None:
        """A new connection between two nodes; either may be the one that dials."""
        world = self._world
        ends = {number: (self.processes[number], next(self._numbers)) for number in edge}
        encoded = world.setting.encoded
        delay = world.setting.delay
        wire = Wire(edge, ends, delay, encoded, world.timeline, world.random, _arrive)
        wire.repeats = self.repeats
        self._wires[edge].append(wire)
        dialler = world.random.choice(edge)
        for number, (process, link) in ends.items():
            self._by_link[link] = wire
            world.timeline.later(0, process.give, LinkOpened(link, number == dialler))

    def _redial(self, edge: Edge) -> None:
        if edge not in self._dialling:
            self._dialling.add(edge)
            delay = self._world.random.randint(1, REDIAL)
            self._world.timeline.later(delay, self._dial, edge)

    def _dial(self, edge: Edge) -> None:
        """Connect two nodes, unless they are; try again if it cannot be done."""
        self._dialling.discard(edge)
        if self._wires[edge]:
            return
        running = all(self.processes[number].alive for number in edge)
        if running and self.severed.get(edge, 0) <= self._world.timeline.now:
            self.connect(edge)
        else:
            self._redial(edge)


def _arrive(process: Process, link: int, message: Message) -> None:
    process.give(Received(link, message))
