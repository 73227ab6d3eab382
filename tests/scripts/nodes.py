"""Where the nodes of a story live, and in how many orders they can hear of each other there."""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterator, Sequence
from typing import Protocol, TypeAlias

from service.herd.shapes import Shapes
from service.herd.vectors import Vector
from service.simulation.node import Node

Pair: TypeAlias = tuple[str, str]
"""Who tells whom."""

MOST = 720
"""All orders of three nodes. Of more nodes so many are taken, the same ones each time."""


class Home(Protocol):
    """Makes the nodes of one herd."""

    def node(self, origin: int, shapes: Shapes) -> Node:
        """A node without rows."""
        ...

    def twin(self, node: Node) -> Node:
        """The same node once more; the one before it may be of no use any more."""
        ...

    def vector(self, node: Node) -> Vector:
        """What a node has, for others to tell it the rest."""
        ...

    def orders(self, names: Sequence[str]) -> Iterator[tuple[Pair, ...]]:
        """Orders in which each node may tell each other one what it has."""
        ...


class InMemory:
    """Nodes that are values: so quick that every order of three is tried."""

    def node(self, origin: int, shapes: Shapes) -> Node:
        """See the port."""
        return Node(origin, shapes)

    def twin(self, node: Node) -> Node:
        """See the port."""
        other = Node(node.origin, node.shapes)
        copy_into(other, node)
        return other

    def vector(self, node: Node) -> Vector:
        """See the port."""
        return node.vector

    def orders(self, names: Sequence[str]) -> Iterator[tuple[Pair, ...]]:
        """See the port."""
        return every(names) if len(names) <= 3 else sampled(names, MOST)


def copy_into(other: Node, node: Node) -> None:
    """A node without rows gets what another one has."""
    for place, state in node.tables.states.items():
        other.tables.put(place, state)
    for entry in node.tables.above({}):
        other.tables.keep(entry)
    other.tables.waiting.update(node.tables.waiting)
    other.poison = node.poison
    other.vector = dict(node.vector)
    other.journal = list(node.journal)


def every(names: Sequence[str]) -> Iterator[tuple[Pair, ...]]:
    """All orders."""
    return itertools.permutations(itertools.permutations(names, 2))


def sampled(names: Sequence[str], count: int) -> Iterator[tuple[Pair, ...]]:
    """Some orders, the same ones each time."""
    pairs = tuple(itertools.permutations(names, 2))
    chance = random.Random(len(names))
    for _ in range(count):
        yield tuple(chance.sample(pairs, len(pairs)))
