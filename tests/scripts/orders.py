"""The orders in which the nodes of a herd may hear of each other, and what becomes of it."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence

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
        had = dict(node.tables.states), dict(node.vector), list(node.journal)
        herd.arrive(delta, other)
        assert had == (node.tables.states, node.vector, node.journal), "it changed something twice"


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
        other.rest()
        yield f"{way.__name__}: {' '.join('>'.join(pair) for pair in order)}", other
