"""The orders in which the nodes of a herd may hear of each other, and what becomes of it."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence

from service.simulation.node import Node
from tests.scripts.herd import Herd
from tests.scripts.nodes import Pair


def fresh(herd: Herd, order: Sequence[Pair]) -> None:
    """Each delta is built when its turn comes: later ones tell of what earlier ones brought.

    Each arrives twice, and the second time changes nothing.
    """
    for one, other in order:
        node = herd.nodes[other]
        delta = herd.delta(one, other)
        herd.arrive(delta, other)
        had = _all_of(node)
        herd.arrive(delta, other)
        assert had == _all_of(node), "it changed something twice"


def _all_of(node: Node) -> tuple[object, ...]:
    tables = node.tables
    return dict(tables.states), dict(tables.waiting), dict(node.vector), list(node.journal)


def late(herd: Herd, order: Sequence[Pair]) -> None:
    """All deltas are built before the first arrives; at the end each arrives once more."""
    deltas = herd.deltas()
    for pair in (*order, *reversed(order)):
        herd.arrive(deltas[pair], pair[1])


WAYS = (fresh, late)


def ends(herd: Herd) -> Iterator[tuple[str, Herd]]:
    """The herd at rest, after each order in each way; and how it came there."""
    for order, way in itertools.product(herd.home.orders(list(herd.nodes)), WAYS):
        other = herd.twin()
        way(other, order)
        for name, what, *rest in other.at_last:
            getattr(other, what)(name, *rest)
        other.rest()
        yield f"{way.__name__}: {' '.join('>'.join(pair) for pair in order)}", other
