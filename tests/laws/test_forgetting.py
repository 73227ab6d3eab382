"""Nodes forget what their siblings have; one that was away for too long takes a snapshot."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from hypothesis import given
from hypothesis import strategies as st

from records.states import RowState
from service.herd.deltas import DELETE, Delta
from service.herd.shapes import Place, Shapes
from service.herd.vectors import Vector
from service.simulation.node import Node
from tests.constraints import broken
from tests.laws.herds import ORIGINS, Arrive, Herd, Put, Remove, Step, Tell, shapes, steps
from tests.laws.test_deltas import UNBOUND

RETIRED = ORIGINS[-1]
"""Nobody waits for what this node acknowledges."""

_skews = st.tuples(*[st.sampled_from((0, 0, -400, 400))] * 3)


class Prune(NamedTuple):
    """A node forgets all that the others surely have, and nobody waits for the retired one."""

    at: int


def _often(happened: list[Step], prunes: list[int]) -> list[Step | Prune]:
    """The same with a pruning after every few steps."""
    mixed: list[Step | Prune] = []
    for number, step in enumerate(happened):
        mixed += [step, Prune(prunes[number % len(prunes)])]
    return mixed


def _prune(herd: Herd, at: int) -> None:
    waited_for = [node.vector for node in herd.nodes.values() if node.origin != RETIRED]
    node = herd.nodes[at]
    have: list[Vector] = [*waited_for, node.vector]
    node.tables.prune({o: min(vector.get(o, 0) for vector in have) for o in ORIGINS})


def _all(herd: Herd, happened: Iterable[Step | Prune]) -> Iterable[tuple[Node, Delta, int]]:
    for step in happened:
        if isinstance(step, Prune):
            _prune(herd, step.at)
        else:
            yield from herd.do(step)
    yield from herd.until_rest()


def _live(node: Node) -> dict[Place, RowState]:
    return dict(node.tables.live())


_prunes = st.lists(st.sampled_from(ORIGINS), min_size=1, max_size=5)


def _expect_agreement(happened: Iterable[Step | Prune], skews: tuple[int, ...]) -> None:
    """Who has the same of every origin has the same live rows."""
    herd = Herd(UNBOUND, skews)
    for node, delta, now in _all(herd, happened):
        made = node.apply(delta, now)
        assert {entry.kind for entry in made.noted} <= {DELETE}, "nothing is repaired"
        for other in herd.alike(node):
            assert _live(other) == _live(node)


@given(steps(), _prunes, _skews)
def test_tables_without_rules_agree_with_equal_vectors(
    happened: list[Step], prunes: list[int], skews: tuple[int, ...]
) -> None:
    """Whatever was forgotten where."""
    _expect_agreement(_often(happened, prunes), skews)


def test_a_key_that_is_made_by_a_retired_node_while_others_forget_its_death() -> None:
    """One that knows the death takes the key for a later story, and its own snapshot comes late."""
    one, other, farm = 1, 2, ("farm", (1,))
    told = Tell(one, other, at_once=True)
    happened: list[Step | Prune] = [
        Put(one, ("farm", (2,)), "name", 3),
        told,
        Prune(other),
        Put(one, farm, "name", 1),
        Remove(one, farm),
        told,
        Put(RETIRED, farm, "name", 2),
        Tell(other, RETIRED, at_once=False),
        Prune(one),
        Tell(one, RETIRED, at_once=True),
        Tell(RETIRED, other, at_once=True),
        Arrive(2),
    ]
    _expect_agreement(happened, (0, 0, 0))


@given(shapes(), steps(), _prunes, _skews)
def test_who_forgets_agrees_with_who_does_not(
    of: Shapes, happened: list[Step], prunes: list[int], skews: tuple[int, ...]
) -> None:
    """Keys are born again where their dead rows are forgotten; one node comes back after that."""
    herd = Herd(of, skews)
    for node, delta, now in _all(herd, _often(happened, prunes)):
        node.apply(delta, now)
        assert not broken(node)
    first, *others = herd.nodes.values()
    for other in others:
        assert _live(other) == _live(first)
