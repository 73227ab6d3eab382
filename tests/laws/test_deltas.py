"""Deltas: what travels is enough, in whatever order it comes; constraints hold all the time."""

from __future__ import annotations

from collections.abc import Iterable

from hypothesis import given
from hypothesis import strategies as st

from records.merging import merge
from service.herd.deltas import DELETE, Delta
from service.herd.shapes import Shape, Shapes
from service.simulation.node import Node
from tests.constraints import broken
from tests.laws.herds import Herd, Step, shapes, steps

UNBOUND: Shapes = {
    table: Shape(table, ("id",), groups={"x": ("x", "y"), "y": ("x", "y")})
    for table in ("farm", "animal")
}
"""Tables without references and unique keys: nothing has to be repaired."""

_skews = st.tuples(*[st.sampled_from((0, 0, -400, 400))] * 3)


def _all(herd: Herd, happened: Iterable[Step]) -> Iterable[tuple[Node, Delta, int]]:
    """The deltas of all steps, and then those that bring the herd to rest."""
    for step in happened:
        yield from herd.do(step)
    yield from herd.until_rest()


@given(steps(), _skews)
def test_part_of_a_row_is_enough_for_who_lacks_it(
    happened: list[Step], skews: tuple[int, ...]
) -> None:
    """What a delta has of a row merges to what the sender's whole row would merge to."""
    herd = Herd(UNBOUND, skews)
    for step in happened:
        for node, delta, now in herd.do(step):
            # Also when it was built long ago: then the sender's row is a later one.
            sender = herd.nodes[delta.sender].tables.states
            if herd.nodes[delta.sender].vector == delta.covers:
                for row in delta.rows:
                    ours = node.tables.states.get(row.place)
                    if not row.whole and ours is not None:
                        whole = merge(ours, sender[row.place])
                        assert merge(ours, row.state) == whole
            node.apply(delta, now)


@given(steps(), _skews)
def test_equal_vectors_are_equal_rows(happened: list[Step], skews: tuple[int, ...]) -> None:
    """Without repairs as with them: who has the same of every origin has the same rows."""
    herd = Herd(UNBOUND, skews)
    for node, delta, now in _all(herd, happened):
        made = node.apply(delta, now)
        assert {entry.kind for entry in made.noted} <= {DELETE}, "nothing is repaired"
        for other in herd.alike(node):
            assert other.tables.states == node.tables.states


@given(shapes(), steps(), _skews)
def test_constraints_hold_at_every_step_and_rows_are_equal_at_rest(
    of: Shapes, happened: list[Step], skews: tuple[int, ...]
) -> None:
    """With references of any rule and unique keys of any kind; also while deltas are late."""
    herd = Herd(of, skews)
    for node, delta, now in _all(herd, happened):
        node.apply(delta, now)
        assert not broken(node)
        for other in herd.alike(node):
            assert other.tables.states == node.tables.states
    first, *others = herd.nodes.values()
    assert all(other.tables.states == first.tables.states for other in others)


@given(shapes(), steps())
def test_a_delta_changes_nothing_the_second_time(of: Shapes, happened: list[Step]) -> None:
    """Neither rows nor log nor journal nor vector."""
    herd = Herd(of)
    for node, delta, now in _all(herd, happened):
        node.apply(delta, now)
        had = dict(node.tables.states), dict(node.vector), list(node.journal)
        log = list(node.tables.above({}))
        node.apply(delta, now + 1)
        assert (node.tables.states, node.vector, node.journal) == had
        assert list(node.tables.above({})) == log
