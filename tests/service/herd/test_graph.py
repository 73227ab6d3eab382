"""The graph of a herd: each clever calculation against a naive one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import product

from hypothesis import given
from hypothesis import strategies as st

from service.herd.graph import articulation_points, components, diameter, distances, joined

NODES = range(1, 9)
GRAPHS = st.lists(st.tuples(st.sampled_from(NODES), st.sampled_from(NODES)), max_size=16).map(
    lambda pairs: joined([{node: [] for node in NODES}, *({one: [two]} for one, two in pairs)])
)


def naive_distances(graph: Mapping[int, Iterable[int]]) -> dict[tuple[int, int], int]:
    """All shortest ways, by Floyd and Warshall."""
    far = len(graph) + 1
    steps = {(a, b): 0 if a == b else 1 if b in graph[a] else far for a in graph for b in graph}
    for via, a, b in product(graph, graph, graph):
        steps[a, b] = min(steps[a, b], steps[a, via] + steps[via, b])
    return {pair: count for pair, count in steps.items() if count < far}


def naive_parts(graph: Mapping[int, Iterable[int]]) -> set[frozenset[int]]:
    """Who can reach each other."""
    near = naive_distances(graph)
    return {frozenset(b for b in graph if (a, b) in near) for a in graph}


@given(GRAPHS)
def test_parts_are_those_that_reach_each_other(graph: Mapping[int, frozenset[int]]) -> None:
    """Every node is in one; the largest comes first."""
    found = components(graph)
    assert set(found) == naive_parts(graph)
    assert [len(part) for part in found] == sorted((len(part) for part in found), reverse=True)


@given(GRAPHS)
def test_ways_are_the_shortest(graph: Mapping[int, frozenset[int]]) -> None:
    """The diameter is the longest of them."""
    near = naive_distances(graph)
    told = {(a, b): count for a in graph for b, count in distances(graph, a).items()}
    assert told == near
    assert diameter(graph) == max(near.values())


@given(GRAPHS)
def test_a_node_holds_others_together_if_without_it_there_are_more_parts(
    graph: Mapping[int, frozenset[int]],
) -> None:
    """Each node is taken out in turn."""
    naive = set()
    for node in graph:
        without = {one: others - {node} for one, others in graph.items() if one != node}
        if len(naive_parts(without)) > len(naive_parts(graph)) - (not graph[node]):
            naive.add(node)
    assert articulation_points(graph) == naive


def test_a_link_that_one_side_tells_stands_at_both_ends() -> None:
    """Nobody is linked with itself; whoever was met without a link is there."""
    assert joined([{1: [2, 1], 3: []}, {2: [4]}]) == {
        1: {2}, 2: {1, 4}, 3: frozenset(), 4: {2},
    }  # fmt: skip


def test_of_no_nodes_there_is_nothing() -> None:
    """An empty graph is no mistake."""
    assert (components({}), diameter({}), articulation_points({})) == ([], 0, frozenset())
