"""Histories in which rows were forgotten here and there; in the end all have the same."""

from __future__ import annotations

import itertools
from collections.abc import Mapping

from records.states import RowState
from service.herd.deltas import Delta
from service.herd.shapes import Place, Shape, Shapes
from service.herd.vectors import includes
from service.simulation.node import Node

FARMS: Shapes = {"farm": Shape("farm", ("id",), (), ())}
KEY, PRUNED, OTHER = ("farm", (1,)), ("farm", (9,)), ("farm", (7,))


def _tell(sender: Node, receiver: Node) -> None:
    receiver.apply(sender.delta(receiver.vector), 1_000)


def _make(node: Node, place: Place, now: int) -> None:
    node.insert(place, {"id": place[1][0]}, now)


def _make_and_delete(node: Node, place: Place, now: int) -> None:
    _make(node, place, now)
    node.delete(place, now + 1)


def _until_rest(*nodes: Node) -> Mapping[Place, RowState]:
    """All tell each other until nobody has anything to tell; the live rows of all."""
    for _round in range(6):
        for sender, receiver in itertools.permutations(nodes, 2):
            if not includes(receiver.vector, sender.vector):
                _tell(sender, receiver)
    first, *others = [dict(node.tables.live()) for node in nodes]
    assert all(other == first for other in others)
    return first


def _apply_late(snapshot: Delta, node: Node) -> None:
    """It was built before the node had all that its sender has pruned."""
    assert snapshot.floors
    assert includes(node.vector, snapshot.floors)
    assert not includes(node.vector, snapshot.covers)
    node.apply(snapshot, 1_000)


def test_a_snapshot_that_comes_after_a_newer_one_brings_nothing_back() -> None:
    """Two neighbours answer who comes back; the second has not heard yet of a death."""
    one, two, maker, back = (Node(origin, FARMS) for origin in range(1, 5))
    _make_and_delete(maker, PRUNED, 5)
    _make(maker, KEY, 7)
    for node in (one, two):
        _tell(maker, node)
        node.tables.prune({maker.origin: 2})
    maker.delete(KEY, 8)
    _tell(maker, one)
    one.tables.prune({maker.origin: 4})
    _make(two, OTHER, 9)
    newer, older = one.delta(back.vector), two.delta(back.vector)
    back.apply(newer, 1_000)
    _apply_late(older, back)
    assert _until_rest(one, two, maker, back).keys() == {OTHER}


def test_a_death_that_had_seen_the_birth_is_told_once() -> None:
    """Its entry is pruned where the snapshot comes from; whoever made the row anew keeps it."""
    sender, back, third, maker = (Node(origin, FARMS) for origin in range(1, 5))
    _make(maker, KEY, 5)
    for node in (sender, back, third):
        _tell(maker, node)
    _make_and_delete(maker, PRUNED, 6)
    _tell(maker, sender)
    _tell(maker, third)
    for node in (sender, maker):
        node.tables.prune({maker.origin: 3})
    back.delete(KEY, 20)
    _tell(back, third)
    _make(third, KEY, 30)
    _tell(sender, back)
    assert back.tables.states[KEY].life == 2
    assert _until_rest(sender, back, third, maker)[KEY].life == 3
    assert third.journal == []


def test_a_death_is_told_again_though_a_column_of_the_dead_row_waits() -> None:
    """It waits for a migration, and dies along."""
    new = {"farm": Shape("farm", ("id",), (), (), columns=frozenset({"id", "area"}))}
    old = {"farm": Shape("farm", ("id",), (), (), columns=frozenset({"id"}))}
    maker, behind, newcomer = Node(1, new), Node(2, old), Node(3, new)
    maker.insert(KEY, {"id": 1, "area": 7}, 5)
    _tell(maker, behind)
    maker.delete(KEY, 6)
    _tell(maker, behind)
    maker.tables.prune({1: 2})
    newcomer.insert(KEY, {"id": 1, "area": 8}, 2)
    _tell(newcomer, behind)
    _until_rest(maker, behind, newcomer)
    behind.adopt(new)
    behind.retry(1_000)
    assert _until_rest(maker, behind, newcomer) == {}
    assert [entry.rule for entry in behind.journal] == ["other life"]
