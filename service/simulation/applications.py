"""What applications do to a node's tables: they need no process of the herd for it."""

from __future__ import annotations

from collections.abc import Iterable

from service.herd.shapes import Place
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
    """One transaction on some node; what constraints refuse leaves nothing behind.

    None on a node that waits for a new origin: it could give a version that it gave already.
    """
    random = world.random
    number = random.randrange(world.setting.writers)
    node = network.nodes[number]
    if node.doubtful or not node.writable(world.timeline.now):
        world.counts["not written"] += 1
        return
    try:
        chance = random.random()
        if chance < SELDOM:
            _write_much(world, node)
        elif chance < SELDOM + world.setting.plain:
            _write_plainly(world, node)
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
    now = node.clock.read(world.timeline.date)
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


def _write_plainly(world: World, node: DurableNode) -> None:
    """Plain SQL: a REPLACE, a new value for a key, or one value for many rows."""
    random, tables = world.random, node.tables
    now = node.clock.read(world.timeline.date)
    live = sorted((place for place, _state in tables.live()), key=repr)
    if not live:
        return
    world.counts["plain"] += 1
    place = random.choice(live)
    key = place[1] if random.random() < 0.5 else random_place(world.setting.keys, random)[1]
    if random.random() < 0.4:
        _write_column(node, place[0], live, random.randrange(1000), now)
        return
    moved, there = (place[0], key), tables.states.get((place[0], key))
    if there is not None and there.alive and moved != place:
        raise Refused("the key is taken")
    old = tables.states[place].values
    values = old if moved != place else random_row(place, tables, random)
    node.delete(place, now)
    node.insert(moved, {**values, "id": key[0]}, now)


def _write_column(
    node: DurableNode, table: str, places: Iterable[Place], value: int, now: int
) -> None:
    """UPDATE of all rows of a table."""
    for place in places:
        if place[0] == table and "x" in node.tables.states[place].values:
            node.update(place, {"x": value}, now)


def _write_much(world: World, node: DurableNode) -> None:
    """Many new rows at once; those that are refused are left out."""
    world.counts["giant"] += 1
    random, tables = world.random, node.tables
    now = node.clock.read(world.timeline.date)
    for _ in range(GIANT):
        place = random_place(4 * GIANT, random)
        if place[0] in tables.shapes and place not in tables.states:
            try:
                node.insert(place, random_row(place, tables, random), now)
            except Refused:
                world.counts["refused"] += 1
