"""What goes wrong: each fault by its name, done to a herd at some moment."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from service.simulation import disasters, story
from service.simulation.durable import DurableNode
from service.simulation.network import Network
from service.simulation.process import ACTIONS_TO_DEATH, Process
from service.simulation.schema import random_place
from service.simulation.timeline import SECOND
from service.simulation.world import World

HOUR = 3_600_000_000
"""Microseconds."""

LONGEST = 6 * SECOND
"""How long something is out of order at most: long enough for links to ask elsewhere."""

REPEATED = 0.1
FAILING = 0.3
SLOW = 2 * SECOND


def strike(world: World, network: Network) -> None:
    """Let one of the faults of this herd happen."""
    name = world.random.choice(world.setting.faults)
    world.counts["faults"] += 1
    world.counts[f"fault {name}"] += 1
    FAULTS[name](world, network)


def heal(world: World, network: Network) -> None:
    """All is well again: who was killed runs, who stood still goes on, everybody is reachable."""
    for edge in network.severed:
        network.severed[edge] = 0
    network.repeats = 0.0
    disasters.heal(network)
    for node in network.nodes:
        node.gone_until = node.full_until = 0
        network.start(node.number)
        _recover(network.processes[node.number])
        _migrate(world, network, node.number)
        node.poison = frozenset()
        network.processes[node.number].retry()
    for wire in network.wires():
        wire.repeats, wire.delay = 0.0, world.setting.delay


def _recover(process: Process) -> None:
    process.fuse, process.failing = None, 0.0
    process.resume()


def _tell(world: World, node: DurableNode, text: str) -> None:
    world.tell(node, story.Happened(text, weighty=True))


def _while(world: World) -> int:
    return world.random.randint(1, LONGEST)


def _cut(world: World, network: Network) -> None:
    """A connection breaks."""
    wires = network.wires()
    if wires:
        network.cut(world.random.choice(wires))


def _silence(world: World, network: Network) -> None:
    """One direction of a connection carries nothing for a while; then it goes on, or breaks."""
    wires = network.wires()
    if wires:
        wire, moments = world.random.choice(wires), _while(world)
        wire.hold(world.random.choice(wire.edge), moments)
        if world.random.random() < 0.5:
            world.timeline.later(moments, network.cut, wire)


def _partition(world: World, network: Network) -> None:
    """Some nodes cannot reach the others."""
    inside = [node.number for node in network.nodes if world.random.random() < 0.5]
    moments = _while(world)
    for edge in world.setting.edges:
        if (edge[0] in inside) is not (edge[1] in inside):
            network.sever(edge, moments)
    for number in inside:
        _tell(world, network.nodes[number], "is cut off from those of the other side")


def _twin(world: World, network: Network) -> None:
    """Both ends dial at once, or one does that does not know that the connection lives."""
    edge = world.random.choice(world.setting.edges)
    if all(network.processes[number].alive for number in edge):
        network.connect(edge)


def _repeat(world: World, network: Network) -> None:
    """From now on messages come twice now and then."""
    network.repeats = REPEATED
    for wire in network.wires():
        wire.repeats = REPEATED


def _slow(world: World, network: Network) -> None:
    """A connection becomes slow, and stays so until it breaks."""
    wires = network.wires()
    if wires:
        world.random.choice(wires).delay = SLOW


def _kill(world: World, network: Network) -> None:
    """A node is killed between two of its actions, and started again later."""
    process = world.random.choice(network.processes)
    if process.alive and process.fuse is None:
        process.fuse = world.random.randrange(ACTIONS_TO_DEATH)
        world.timeline.later(_while(world), _start, network, process)


def _start(network: Network, process: Process) -> None:
    """Start a node whose process was to be killed; it has no more time to die of itself."""
    if network.processes[process.node.number] is process and process.fuse is not None:
        process.kill()
        network.start(process.node.number)


def _pause(world: World, network: Network) -> None:
    """A process stands still; to the others it is as if it only were slow."""
    process = world.random.choice(network.processes)
    process.pause()
    world.timeline.later(_while(world), process.resume)
    _tell(world, process.node, "stands still for a while")


def _clock(world: World, network: Network) -> None:
    """A clock jumps by an hour, or by much less."""
    node = world.random.choice(network.nodes)
    most = world.random.choice((HOUR, HOUR, HOUR // 3600))
    jump = world.random.choice((-most, most))
    node.clock.offset += jump
    _tell(world, node, f"has its clock set by {jump / 1_000_000:+.0f} s")


def _database(world: World, network: Network) -> None:
    """A database does not answer for a while."""
    node = world.random.choice(network.nodes)
    node.gone_until = world.timeline.now + _while(world)
    _tell(world, node, "has no database for a while")


def _disk(world: World, network: Network) -> None:
    """A disk is full for a while."""
    node = world.random.choice(network.nodes)
    node.full_until = world.timeline.now + _while(world)
    _tell(world, node, "has a full disk for a while")


def _failure(world: World, network: Network) -> None:
    """From now on some transactions of a process fail."""
    world.random.choice(network.processes).failing = FAILING


def _poison(world: World, network: Network) -> None:
    """A database refuses what the herd brings for some rows, until somebody has mended that."""
    node = world.random.choice(network.nodes)
    keys = world.setting.keys
    rows = frozenset(random_place(keys, world.random) for _ in range(3))
    node.poison |= rows
    world.timeline.later(_while(world), _mend, world, network, node)
    names = ", ".join(f"{table} {key}" for table, (key,) in sorted(rows))
    _tell(world, node, f"refuses what comes for {names}")


def _mend(world: World, network: Network, node: DurableNode) -> None:
    node.poison = frozenset()
    if node.writable(world.timeline.now):
        network.processes[node.number].retry()


def _migration(world: World, network: Network) -> None:
    """A node that has older tables than others migrates."""
    _migrate(world, network, world.random.randrange(len(network.nodes)))


def _migrate(world: World, network: Network, number: int) -> None:
    node = network.nodes[number]
    if node.shapes is not world.setting.shapes and node.writable(world.timeline.now):
        node.adopt(world.setting.shapes)
        _tell(world, node, "migrates")
        network.processes[number].retry()


FAULTS: Mapping[str, Callable[[World, Network], None]] = {
    "cut": _cut,
    "silence": _silence,
    "partition": _partition,
    "twin": _twin,
    "repeat": _repeat,
    "slow": _slow,
    "kill": _kill,
    "pause": _pause,
    "clock": _clock,
    "database": _database,
    "disk": _disk,
    "failure": _failure,
    "poison": _poison,
    "migration": _migration,
    "forget": disasters.forget,
    "away": disasters.away,
    "restore": disasters.restore,
    "clone": disasters.clone,
}
