"""What one seed makes of a herd: its nodes and links, its tables, and what goes wrong."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from itertools import combinations
from random import Random
from typing import TypeAlias

from service.herd.link_roles import Manner
from service.herd.shapes import Shapes
from service.simulation.clock import MILLION
from service.simulation.schema import older, random_shapes

Edge: TypeAlias = tuple[int, int]
"""Two nodes that may be linked, by number; the lower first."""

FAULTS = (
    "cut",
    "silence",
    "partition",
    "twin",
    "repeat",
    "slow",
    "kill",
    "pause",
    "clock",
    "database",
    "disk",
    "failure",
    "poison",
    "migration",
    "forget",
    "away",
    "restore",
    "clone",
)
"""Everything that can go wrong, by name."""

FORGETTING = frozenset(("forget", "away"))
"""Nodes prune their changelogs."""

HOLDING = frozenset(("poison", "migration"))
"""Rows have to be held."""

LOSING = frozenset(("restore", "clone"))
"""Nodes lose what they had and nobody else has."""

USUAL_STEPS = 80


@dataclass(frozen=True)
class Options:
    """What is not left to the seed. `nodes` None: two to four."""

    nodes: int | None = None
    steps: int = USUAL_STEPS
    faults: Collection[str] = FAULTS


@dataclass(frozen=True)
class Setting:
    """One herd. Times are in moments, rates are shares of one.

    `pace` is the longest time between two steps, `most_rows` the size of a part, `grain` the
    smallest step of a clock. Only the first `writers` nodes have applications. The nodes that are
    `behind` have the `older` tables until they migrate. The node `retiree` may be retired; no
    other one, since two parts of a herd that retire each other bring back what died. `plain` is how
    many writes are plain SQL that no method of a node makes.
    """

    nodes: int
    writers: int
    edges: tuple[Edge, ...]
    shapes: Shapes
    older: Shapes
    behind: tuple[int, ...]
    steps: int
    keys: int
    pace: int
    delay: int
    seal_delay: int
    most_rows: int
    grain: int
    manner: Manner
    encoded: bool
    faults: tuple[str, ...]
    retiree: int
    plain: float

    @property
    def forgets(self) -> bool:
        """Whether nodes prune their changelogs."""
        return not FORGETTING.isdisjoint(self.faults)

    @property
    def punctual(self) -> bool:
        """Whether all clocks are right.

        A slow clock can give a key that is made anew, where its death is forgotten, a lower stamp
        than the key had before. Who is not linked with the one that forgets may not have heard of
        the death and write to the former row; so may who was set back.
        """
        return self.forgets and not (LOSING.isdisjoint(self.faults) and self._meshed)

    @property
    def _meshed(self) -> bool:
        return len(self.edges) == self.nodes * (self.nodes - 1) // 2

    @property
    def alone(self) -> bool:
        """Whether only one node ever writes, and no value can lose.

        A node that loses what it had writes again what others know otherwise. What is held and
        tried between parts of a delta may be repaired.
        """
        return self.writers == 1 and (LOSING | HOLDING).isdisjoint(self.faults)


def draw(options: Options, random: Random) -> Setting:
    """The herd of a seed."""
    nodes = options.nodes or random.choice((2, 2, 2, 3, 3, 3, 3, 4))
    shapes, faults = random_shapes(random), _some(options.faults, random)
    return Setting(
        nodes=nodes,
        writers=1 if random.random() < 0.08 else nodes,
        edges=_edges(nodes, random, whole="clock" in faults and not FORGETTING.isdisjoint(faults)),
        shapes=shapes,
        older=older(shapes, random),
        behind=_behind(nodes, random) if "migration" in faults else (),
        steps=options.steps,
        keys=random.choice((3, 6, 6, 12)),
        pace=random.choice((50, 100, 300)),
        delay=random.choice((3, 30, 150)),
        seal_delay=random.choice((1, 100, 600)),
        most_rows=random.choice((2, 5, 20, 1000, 1000)),
        grain=random.choice((1, 1, MILLION)),
        manner=random.choice((Manner.TREE,) * 10 + (Manner.EVERY_LINK, Manner.ON_REQUEST)),
        encoded=random.random() < 0.15,
        faults=faults,
        retiree=random.randrange(nodes),
        plain=random.choice((0.0, 0.0, 0.1)),
    )


def _edges(nodes: int, random: Random, *, whole: bool) -> tuple[Edge, ...]:
    """A tree, and some more; the whole where nodes forget by clocks that jump."""
    edges = {(random.randrange(node), node) for node in range(1, nodes)}
    for node in range(1, nodes):
        if random.random() < 0.4:
            edges.add((random.randrange(node), node))
    return tuple(combinations(range(nodes), 2)) if whole else tuple(sorted(edges))


def _behind(nodes: int, random: Random) -> tuple[int, ...]:
    """The nodes that have not migrated when all begins."""
    return tuple(node for node in range(nodes) if random.random() < 0.6)


def _some(faults: Collection[str], random: Random) -> tuple[str, ...]:
    """Not all of them in each herd: what they hide of each other shows in another one.

    Where rows are held nothing is forgotten: what is held of a row outlives a forgotten death.
    """
    share = random.choice((0.0, 0.3, 0.6, 1.0))
    some = {name for name in FAULTS if name in faults and random.random() < share}
    if some & FORGETTING and some & HOLDING:
        some -= random.choice((FORGETTING, HOLDING))
    if some & FORGETTING and some & LOSING:
        # See `Setting.punctual`.
        some.discard("clock")
    return tuple(name for name in FAULTS if name in some)
