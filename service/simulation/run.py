"""One seed from its first step to its rest."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from itertools import pairwise
from random import Random
from traceback import extract_tb

from service.herd.journal import LATER_WRITE, OTHER_LIFE
from service.simulation.applications import write
from service.simulation.clock import Clock
from service.simulation.durable import DurableNode
from service.simulation.faults import HOUR, heal, strike
from service.simulation.ledger import Ledger
from service.simulation.network import Network
from service.simulation.rules import BrokenRule, Rules
from service.simulation.setting import Options, Setting, draw
from service.simulation.timeline import SECOND, TICK, Timeline
from service.simulation.world import World

FAULT_SHARE = 0.15
"""Of the steps of a herd in which anything goes wrong at all."""

MOST_TICKS_TO_REST = 600
"""Two minutes: more than the minute after which vectors are told unasked."""

TICKS_AT_REST = 3
CONFLICTS = frozenset((LATER_WRITE, OTHER_LIFE))


@dataclass
class Run:
    """What came of a seed. `broken` None: every rule held."""

    seed: int
    world: World
    nodes: list[DurableNode]
    broken: BrokenRule | None = None

    @property
    def hours(self) -> float:
        """Virtual ones, without the years in which nothing happened."""
        return self.world.timeline.now / SECOND / 3600


def run(seed: int, options: Options | None = None) -> Run:
    """Let a herd live and come to rest; the same seed and options give the same, always."""
    random = Random(seed)
    setting = draw(options or Options(), random)
    ledger = Ledger(setting.shapes, setting.older if setting.behind else setting.shapes)
    world = World(setting, Timeline(), random, Rules(ledger), [], Counter())
    nodes = [
        DurableNode(number, setting.shapes, _clock(setting, random), ledger)
        for number in range(setting.nodes)
    ]
    for number in setting.behind:
        nodes[number].adopt(setting.older)
    for node in nodes:
        node.mixed, node.forgets = bool(setting.behind), setting.forgets
    ended = Run(seed, world, nodes)
    try:
        _live(world, nodes)
    except BrokenRule as broken:
        ended.broken = broken
    except Exception as error:
        # Whatever a room raises is a finding of this seed, and not the end of all others.
        where = extract_tb(error.__traceback__)[-1]
        text = f"{type(error).__name__}: {error} ({where.name}, {where.filename}:{where.lineno})"
        ended.broken = BrokenRule("raised", text)
    _count_journals(world, nodes)
    return ended


def _clock(setting: Setting, random: Random) -> Clock:
    """Right, or wrong by less than a second, or by up to an hour, and not of an even pace."""
    if setting.punctual:
        return Clock()
    most = random.choice((0, 0, 400_000, HOUR))
    drift = random.choice((0, 0, 200))
    return Clock(random.randint(-most, most), random.randint(-drift, drift), setting.grain)


def _live(world: World, nodes: list[DurableNode]) -> None:
    network = Network(nodes, world)
    random, setting, timeline = world.random, world.setting, world.timeline
    for _ in range(setting.steps):
        timeline.run(random.randint(0, setting.pace))
        if setting.faults and random.random() < FAULT_SHARE:
            strike(world, network)
        else:
            write(world, network)
    heal(world, network)
    _come_to_rest(world, nodes)
    timeline.run(TICKS_AT_REST * TICK)
    _require_rest(nodes)
    world.rules.rested(nodes, setting.alone)


def _come_to_rest(world: World, nodes: list[DurableNode]) -> None:
    for _ in range(MOST_TICKS_TO_REST):
        if _resting(nodes):
            return
        world.timeline.run(TICK)
        world.counts["ticks to rest"] += 1
    _require_rest(nodes)


def _resting(nodes: list[DurableNode]) -> bool:
    if any(node.tables.unsealed or node.doubtful for node in nodes):
        return False
    return all(one.known == other.known for one, other in pairwise(nodes))


def _require_rest(nodes: list[DurableNode]) -> None:
    if not _resting(nodes):
        told = ", ".join(f"{node.name} {dict(node.vector)}" for node in nodes)
        raise BrokenRule("rest", f"the herd does not come to rest: {told}", _apart(nodes))


def _apart(nodes: list[DurableNode]) -> set[tuple[str, tuple[object, ...]]]:
    """The rows of which not all nodes have heard everything."""
    return {
        entry.place
        for one in nodes
        for other in nodes
        for entry in [*one.tables.unsealed, *one.tables.above(other.vector)]
    }


def _count_journals(world: World, nodes: list[DurableNode]) -> None:
    for node in nodes:
        for entry in node.journal:
            world.counts["conflicts" if entry.rule in CONFLICTS else "repairs"] += 1
