"""What applications do to a node's tables: they need no process of the herd for it."""

from __future__ import annotations

from service.simulation import story
from service.simulation.durable import DurableNode
from service.simulation.network import Network
from service.simulation.node import Refused
from service.simulation.schema import random_change, random_place, random_row
from service.simulation.world import World

GIANT = 40
"""Rows of a giant transaction; parts of deltas are cut that much smaller."""

SELDOM = 0.004


def write(world: World, network: Network) -> None:
    """One transaction on some node; what constraints refuse leaves nothing behind."""
    random = world.random
    number = random.randrange(world.setting.writers)
    node = network.nodes[number]
    if not node.writable(world.timeline.now):
        world.counts["not written"] += 1
        return
    try:
        if random.random() < SELDOM:
            _write_much(world, node)
        else:
            _write_row(world, node)
    except Refused:
        world.counts["refused"] += 1
    rows = node.transaction()
    if not rows:
        return
    world.counts["changes"] += len(rows)
    world.tell(node, story.Wrote(rows))
    world.rules.committed(node, dict.fromkeys(place for place, _before, _after in rows))
    network.processes[number].wrote()


def _write_row(world: World, node: DurableNode) -> None:
    random, tables = world.random, node.tables
    now = node.clock.read(world.timeline.now)
    place = random_place(world.setting.keys, random)
    if place[0] not in tables.shapes:
        return
    state = tables.states.get(place)
    if state is None or not state.alive:
        node.insert(place, random_row(place, tables, random), now)
    elif random.random() < 0.6:
        node.update(place, random_change(place, tables, random), now)
    else:
        node.delete(place, now)


def _write_much(world: World, node: DurableNode) -> None:
    """Many new rows at once; those that are refused are left out."""
    world.counts["giant"] += 1
    random, tables = world.random, node.tables
    now = node.clock.read(world.timeline.now)
    for _ in range(GIANT):
        place = random_place(4 * GIANT, random)
        if place[0] in tables.shapes and place not in tables.states:
            try:
                node.insert(place, random_row(place, tables, random), now)
            except Refused:
                world.counts["refused"] += 1
