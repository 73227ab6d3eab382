"""What the constraints of a node's tables say of its rows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from service.simulation.node import Node


def broken(node: Node) -> list[str]:
    """The constraints that do not hold at a node."""
    return [*_orphans(node), *_doubles(node)]


def _orphans(node: Node) -> Iterable[str]:
    for place, state in node.tables.live():
        for reference in node.shapes[place[0]].references:
            key = tuple(state.values[column] for column in reference.columns)
            parent = node.tables.states.get((reference.parent, key))
            if None not in key and (parent is None or not parent.alive):
                yield f"{place} without {reference.name}"


def _doubles(node: Node) -> Iterable[str]:
    claims = Counter(
        (place[0], unique.name, claim)
        for place, state in node.tables.live()
        for unique in node.shapes[place[0]].uniques
        if None not in (claim := tuple(state.values[column] for column in unique.columns))
    )
    return [f"{claim} twice" for claim, count in claims.items() if count > 1]
