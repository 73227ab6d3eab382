"""What siblings forget, who is away for long, and databases that are lost, set back or copied."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from service.herd.link_greeting import CLONED, RESTORED
from service.herd.vectors import includes
from service.simulation import story
from service.simulation.backups import Backup, backup_of, burnt, empty, set_back
from service.simulation.durable import DurableNode
from service.simulation.horizon import prune
from service.simulation.network import LATEST_NEWS_OF_A_CUT, Network
from service.simulation.timeline import SECOND
from service.simulation.world import World

YEAR = 365 * 86_400 * SECOND

LONGEST_AWAY = 20 * SECOND
"""What others live through of the time that a node is away; besides there are years of silence."""

UNTIL_SILENCE = LATEST_NEWS_OF_A_CUT + SECOND
"""How long a node is gone before its database is lost: what it sent last has arrived by then."""

OLDEST_BACKUP = 10 * SECOND
MOST_FORGOTTEN = 60
ALL = 1_000_000

_Then: TypeAlias = Callable[[World, Network, DurableNode], None]


def heal(network: Network) -> None:
    """Nothing is lost any more; who waits for a new origin has to notice that by itself."""
    network.peace = True


def forget(world: World, network: Network) -> None:
    """Some nodes prune the oldest of what their siblings have."""
    for node in network.nodes:
        if world.random.random() < 0.7:
            _forget(world, network, node, world.random.randint(1, MOST_FORGOTTEN))
    _retire_the_gone(world, network)


def _forget(world: World, network: Network, node: DurableNode, most: int) -> None:
    process = network.processes[node.number]
    if not process.alive or not node.writable(world.timeline.now):
        return
    process.note()
    met = node.siblings.keys() | node.retired
    if any(other.origin not in met for other in _neighbours(world, network, node)):
        return
    gone = prune(node, most)
    if gone:
        world.counts["forgotten"] += gone
        _tell(world, node, f"forgets {gone} changes")


def _retire_the_gone(world: World, network: Network) -> None:
    """Somebody tells a node that nobody uses some origins any more."""
    node = world.random.choice(network.nodes)
    used = {other.origin for other in network.nodes}
    node.retired |= node.siblings.keys() - used


def away(world: World, network: Network) -> None:
    """A node is away for a year, for which others wait, unless they retire it."""
    retired = world.random.random() < 0.5
    process = network.processes[world.setting.retiree]
    if not retired:
        process = world.random.choice(network.processes)
    node = process.node
    if not process.alive or process.fuse is not None:
        return
    process.kill()
    _tell(world, node, "goes away for a year")
    if retired:
        for other in network.nodes:
            if other is not node:
                other.retired.add(node.origin)
                _tell(world, other, f"retires {node.name}")
    delay = world.random.randint(SECOND, LONGEST_AWAY)
    world.timeline.later(delay, _come_back, world, network, node)


def _come_back(world: World, network: Network, node: DurableNode) -> None:
    """A year is over, in which nothing more happened than that the others forgot what they may."""
    if network.peace:
        return
    world.timeline.slept += YEAR
    world.counts["years"] += 1
    for other in network.nodes:
        if other is not node:
            _forget(world, network, other, ALL)
    _tell(world, node, "comes back")
    network.start(node.number)


def restore(world: World, network: Network) -> None:
    """A database is lost, and set back to an older copy, or made anew where there is none."""
    node = world.random.choice(network.nodes)
    lacking = world.random.random() < 0.3
    backup = empty(node, world.setting.shapes) if lacking else backup_of(node)
    delay = world.random.randint(1, OLDEST_BACKUP)
    world.timeline.later(delay, _break_down, world, network, node, lambda: backup, _restored)


def _restored(world: World, network: Network, node: DurableNode) -> None:
    """The node notices that it was set back, or somebody gives it a new origin at once."""
    if _will_notice(world, network, node) and world.random.random() < 0.7:
        node.expected, node.doubtful = frozenset((RESTORED,)), True
    else:
        network.draw(node.number)


def _will_notice(world: World, network: Network, node: DurableNode) -> bool:
    """Whether each neighbour knows more of a node than it does itself.

    Else somebody has to give it a new origin: it would go on under the one that it has, and
    neighbours would take what it writes for what they have already.
    """
    has = node.vector[node.origin] + len(node.tables.unsealed)
    told = [other.vector.get(node.origin, 0) for other in _neighbours(world, network, node)]
    return not node.tables.waiting and min(told) > has


def clone(world: World, network: Network) -> None:
    """A node gets a copy of another one's database in the place of its own."""
    node, other = world.random.sample(network.nodes, 2)
    _break_down(world, network, node, lambda: backup_of(other), _copied)


def _copied(world: World, network: Network, node: DurableNode) -> None:
    """The node gets a new origin at once, or when both have said that they have one origin.

    The second only where it can meet nobody but the other: a third one would not notice; and where
    nothing is held that would be tried under the former origin.
    """
    near = [] if node.tables.waiting else _neighbours(world, network, node)
    if len(near) == 1 and near[0].origin == node.origin and world.random.random() < 0.7:
        node.expected = near[0].expected = frozenset((CLONED,))
        node.doubtful = True
    else:
        network.draw(node.number)


def _break_down(
    world: World, network: Network, node: DurableNode, find: Callable[[], Backup], then: _Then
) -> None:
    """A node is gone for good, and a little later another database stands in the place of its."""
    process = network.processes[node.number]
    if process.alive and process.fuse is None:
        process.kill()
        later = world.timeline.later
        later(UNTIL_SILENCE, _replace, world, network, node, find, then)


def _replace(
    world: World, network: Network, node: DurableNode, find: Callable[[], Backup], then: _Then
) -> None:
    if not network.peace and not network.processes[node.number].alive:
        backup = find()
        is_own = backup.origin == node.origin or then is _copied
        if is_own and _may_be_lost(network, node, backup):
            _lose(world, network, node, backup)
            then(world, network, node)
    network.start(node.number)


def _may_be_lost(network: Network, node: DurableNode, backup: Backup) -> bool:
    """Whether what is left of a herd without a node's database can become one again.

    It cannot where others have a part of what they never get the rest of, or where two have both
    forgotten what the other lacks.
    """
    if any(other.doubtful for other in network.nodes):
        return False
    return not any(
        other.in_part or _both_forgot(other, backup) for other in network.nodes if other is not node
    )


def _both_forgot(node: DurableNode, other: Backup) -> bool:
    return not includes(node.vector, other.tables.floors()) and not includes(
        other.vector, node.tables.floors()
    )


def _lose(world: World, network: Network, node: DurableNode, backup: Backup) -> None:
    """A node's database is gone, with its journal, and another one stands in its place."""
    lost = burnt(node, backup, network.nodes)
    world.rules.ledger.burnt(lost, node.journal)
    set_back(node, backup)
    world.counts["databases lost"] += 1
    _tell(world, node, f"has another database, with {dict(node.known)}")


def _neighbours(world: World, network: Network, node: DurableNode) -> list[DurableNode]:
    edges = [edge for edge in world.setting.edges if node.number in edge]
    return [network.nodes[sum(edge) - node.number] for edge in edges]


def _tell(world: World, node: DurableNode, text: str) -> None:
    world.tell(node, story.Happened(text, weighty=True))
