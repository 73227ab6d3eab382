"""The herd as a graph: which nodes are linked, and what would tear it apart. Pure functions."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Set
from typing import TypeAlias

Graph: TypeAlias = Mapping[int, Set[int]]
"""Each node with those it is linked with; a link stands at both of its ends."""


def joined(graphs: Iterable[Mapping[int, Iterable[int]]]) -> dict[int, frozenset[int]]:
    """What several nodes know together; a link that one of them tells counts at both ends."""
    links: dict[int, set[int]] = {}
    for graph in graphs:
        for node, others in graph.items():
            links.setdefault(node, set())
            for other in others:
                if other != node:
                    links.setdefault(other, set()).add(node)
                    links[node].add(other)
    return {node: frozenset(others) for node, others in sorted(links.items())}


def components(graph: Graph) -> list[frozenset[int]]:
    """The parts between which there is no way, the largest first."""
    found: list[frozenset[int]] = []
    left = set(graph)
    while left:
        part = frozenset(distances(graph, min(left)))
        found.append(part)
        left -= part
    return sorted(found, key=lambda part: (-len(part), min(part)))


def distances(graph: Graph, start: int) -> dict[int, int]:
    """How many links it is to each node that can be reached."""
    steps = {start: 0}
    waiting = deque([start])
    while waiting:
        node = waiting.popleft()
        for other in graph[node]:
            if other not in steps:
                steps[other] = steps[node] + 1
                waiting.append(other)
    return steps


def diameter(graph: Graph) -> int:
    """The most links that a change has to cross, within any part."""
    return max((max(distances(graph, node).values()) for node in graph), default=0)


def articulation_points(graph: Graph) -> frozenset[int]:
    """The nodes without which others could not reach each other any more.

    Tarjan's: a node is one if a subtree of the search below it has no link that leads above it.
    """
    found: set[int] = set()
    order: dict[int, int] = {}
    for root in sorted(graph):
        if root not in order:
            found |= _points_from(graph, root, order)
    return frozenset(found)


def _points_from(graph: Graph, root: int, order: dict[int, int]) -> set[int]:
    """Those of one part; `order` gets its nodes as they are met."""
    found: set[int] = set()
    highest = {root: len(order)}
    order[root] = len(order)
    below_root = 0
    path: list[tuple[int, int, Iterator[int]]] = [(root, root, iter(sorted(graph[root])))]
    while path:
        node, parent, others = path[-1]
        other = next(others, None)
        if other is None:
            path.pop()
            if node == root:
                continue
            highest[parent] = min(highest[parent], highest[node])
            below_root += parent == root
            if parent != root and highest[node] >= order[parent]:
                found.add(parent)
        elif other not in order:
            highest[other] = order[other] = len(order)
            path.append((other, node, iter(sorted(graph[other]))))
        elif other != parent:
            highest[node] = min(highest[node], order[other])
    return found | ({root} if below_root > 1 else set())
