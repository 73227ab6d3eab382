"""Nodes that know different columns and groups end equal once they have migrated."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from records.states import RowState
from service.herd.deltas import Delta
from service.herd.shapes import Place, Shape, Shapes
from service.simulation.node import Node
from tests.constraints import broken
from tests.laws.herds import COLUMNS, ORIGINS, Herd, Put, Step, shapes, steps

Narrow = frozenset[str]
"""The columns that a node does not know."""

_hidden = st.sets(st.sampled_from(["name", "x", "y"])).map(frozenset)
_unknown = st.tuples(*[_hidden] * 3)
_without_tables = st.tuples(*[st.sampled_from([frozenset(), frozenset(), {"animal"}])] * 3)


def narrowed(of: Shapes, hidden: Narrow, missing: Iterable[str]) -> Shapes:
    """The tables of a node that has not migrated: some are not there, and some columns."""
    return {table: _narrowed(shape, hidden) for table, shape in of.items() if table not in missing}


def _narrowed(shape: Shape, hidden: Narrow) -> Shape:
    groups = {
        column: left
        for column, group in shape.groups.items()
        if column not in hidden and len(left := tuple(c for c in group if c not in hidden)) > 1
    }
    return replace(
        shape,
        columns=frozenset(COLUMNS[shape.table]) - hidden,
        uniques=tuple(one for one in shape.uniques if hidden.isdisjoint(one.columns)),
        groups=groups,
    )


def _known(step: Step, of: Shapes) -> bool:
    """Whether an application of a node with these tables can do a step."""
    if not isinstance(step, Put):
        return getattr(step, "place", ("farm",))[0] in of
    shape = of.get(step.place[0])
    return shape is not None and shape.columns is not None and step.column in shape.columns


class MixedHerd(Herd):
    """Nodes of which each has its own tables, until they migrate."""

    def __init__(self, whole: Shapes, each: Iterable[Shapes]) -> None:
        super().__init__(whole)
        self._whole = narrowed(whole, frozenset(), ())
        for node, of in zip(self.nodes.values(), each, strict=True):
            node.adopt(of)

    def do(self, step: Step) -> Iterator[tuple[Node, Delta, int]]:
        """See the parent; what a node has no columns for is not written there."""
        at = getattr(step, "at", None)
        if at is None or _known(step, self.nodes[at].shapes):
            yield from super().do(step)

    def migrate(self) -> None:
        """All get all tables and columns, and try what they held."""
        for node in self.nodes.values():
            node.adopt(self._whole)
            node.retry(self._clock(node.origin))
            assert not broken(node)
            assert not node.tables.waiting


def known(node: Node) -> dict[Place, RowState]:
    """All rows as a node knows them, with what it holds; what it does not know has its default."""
    rows = node.states(node.tables.states.keys() | node.tables.waiting.keys())
    return {
        place: state._replace(values={**dict.fromkeys(COLUMNS[place[0]]), **state.values})
        for place, state in rows.items()
    }


@given(shapes(), _unknown, _without_tables, steps())
def test_nodes_of_different_tables_end_equal_once_they_have_migrated(
    of: Shapes,
    hidden: tuple[Narrow, ...],
    missing: tuple[Iterable[str], ...],
    happened: list[Step],
) -> None:
    """Every constraint that a node knows holds all the time."""
    each = [narrowed(of, *unknown) for unknown in zip(hidden, missing, strict=True)]
    herd = MixedHerd(of, each)
    for step in happened:
        for node, delta, now in herd.do(step):
            node.apply(delta, now)
            assert not broken(node)
    for node, delta, now in herd.until_rest():
        node.apply(delta, now)
        assert not broken(node)
    herd.migrate()
    for node, delta, now in herd.until_rest():
        node.apply(delta, now)
        assert not broken(node)
    assert all(known(node) == known(herd.nodes[ORIGINS[0]]) for node in herd.nodes.values())


UNBOUND: Shapes = {table: Shape(table, ("id",)) for table in COLUMNS}
_grouped = st.sets(st.sampled_from(["x", "y", "name"])).map(
    lambda columns: dict.fromkeys(columns, tuple(sorted(columns)))
)


@given(st.tuples(*[_grouped] * 3), _unknown, steps())
def test_whoever_has_the_same_of_every_origin_knows_the_same(
    groups: tuple[dict[str, tuple[str, ...]], ...],
    hidden: tuple[Narrow, ...],
    happened: list[Step],
) -> None:
    """Whatever groups and columns each node declares: what it holds makes up for it."""
    each = [
        narrowed({t: replace(s, groups=of) for t, s in UNBOUND.items()}, unknown, ())
        for of, unknown in zip(groups, hidden, strict=True)
    ]
    herd = MixedHerd(UNBOUND, each)
    for step in happened:
        for node, delta, now in herd.do(step):
            node.apply(delta, now)
            for other in herd.alike(node):
                assert known(other) == known(node)
    for node, delta, now in herd.until_rest():
        node.apply(delta, now)
    assert all(known(node) == known(herd.nodes[ORIGINS[0]]) for node in herd.nodes.values())
