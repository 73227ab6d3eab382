"""Small herds that write and hear of each other at random; deltas may be late or repeated."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import NamedTuple, TypeAlias

from hypothesis import strategies as st

from records.groups import Groups
from records.states import Value
from service.herd.deltas import Delta
from service.herd.shapes import Place, Reference, Shape, Shapes, Unique
from service.herd.vectors import includes
from service.simulation.node import Node, Refused

ORIGINS = (1, 2, 3)
POLICIES = ("restrict", "cascade", "set_null")
COLUMNS = {"farm": ("id", "name", "x", "y"), "animal": ("id", "farm", "dam", "name", "x", "y")}
ROUNDS = 30


def _together(*columns: str) -> Groups:
    return dict.fromkeys(columns, columns)


# Also with columns in one group that repairs write one by one.
_groups = st.sampled_from([_together("x", "y"), _together("name", "x")])
_animal_groups = _groups | st.sampled_from(
    [_together("farm", "x"), _together("farm", "dam", "name")]
)

_names = st.sampled_from(
    [
        Unique("name", ("name",), "name", nullable=True),
        Unique("name", ("name",), "name", length=20),
        Unique("name", ("name",)),
    ]
)
# A reference may be unique too, alone or with another column.
_animal_uniques = st.lists(
    _names
    | st.sampled_from(
        [
            Unique("alone", ("farm",), "farm", nullable=True),
            Unique("of its farm", ("farm", "name"), "name", nullable=True),
            Unique("of its dam", ("dam", "name")),
        ]
    ),
    max_size=2,
    unique_by=lambda unique: unique.name,
)


def _references(farm: str, dam: str) -> tuple[Reference, ...]:
    return (
        Reference("farm", ("farm",), "farm", farm),
        Reference("dam", ("dam",), "animal", dam),
    )


def shapes() -> st.SearchStrategy[Shapes]:
    """Farms and animals: a reference to another table and one to the same, with any rules."""
    policy = st.sampled_from(POLICIES)
    farms = st.builds(
        Shape, st.just("farm"), st.just(("id",)), st.just(()), st.tuples(_names), _groups
    )
    animals = st.builds(
        Shape,
        st.just("animal"),
        st.just(("id",)),
        st.builds(_references, policy, policy),
        _animal_uniques.map(tuple),
        _animal_groups,
    )
    return st.tuples(farms, animals).map(lambda both: {shape.table: shape for shape in both})


class Put(NamedTuple):
    """A row is inserted; if it is there, the column is written."""

    at: int
    place: Place
    column: str
    value: Value


class Remove(NamedTuple):
    """A row is deleted."""

    at: int
    place: Place


class Tell(NamedTuple):
    """A delta is built for a node, and applied there: at once, or when a later one says so."""

    at: int
    other: int
    at_once: bool


class Arrive(NamedTuple):
    """One of the deltas that were built arrives, perhaps not for the first time."""

    which: int


Step: TypeAlias = Put | Remove | Tell | Arrive


def steps() -> st.SearchStrategy[list[Step]]:
    """What happens to a herd."""
    nodes, keys = st.sampled_from(ORIGINS), st.integers(1, 3)
    places = st.tuples(st.sampled_from(["farm", "animal"]), st.tuples(keys))
    columns = st.sampled_from(["farm", "dam", "name", "x", "y"])
    puts = st.builds(Put, nodes, places, columns, st.none() | keys)
    tells = st.builds(Tell, nodes, nodes, st.booleans())
    often: list[st.SearchStrategy[Step]] = [
        *[puts] * 6,
        *[tells] * 3,
        *[st.builds(Remove, nodes, places)] * 2,
        st.builds(Arrive, st.integers(0, 9)),
    ]
    step = st.sampled_from(often).flatmap(lambda chosen: chosen)
    return st.lists(step, min_size=10, max_size=40)


class Herd:
    """Three nodes, the deltas under way, and the time; clocks are off by `skews`."""

    def __init__(self, shapes: Shapes, skews: tuple[int, ...] = (0, 0, 0)) -> None:
        self.nodes = {origin: Node(origin, shapes) for origin in ORIGINS}
        self._skews = dict(zip(ORIGINS, skews, strict=True))
        self._under_way: list[tuple[int, Delta]] = []
        self._now = 100

    def _clock(self, origin: int) -> int:
        self._now += 1
        return self._now + self._skews[origin]

    def do(self, step: Step) -> Iterator[tuple[Node, Delta, int]]:
        """Do a step; the deltas that are to be applied, where and when, come back."""
        match step:
            case Put() | Remove():
                self._write(step)
            case Tell(at, other, at_once) if at != other:
                delta = self.nodes[at].delta(self.nodes[other].vector)
                self._under_way.append((other, delta))
                if at_once:
                    yield self.nodes[other], delta, self._clock(other)
            case Arrive(which) if self._under_way:
                other, delta = self._under_way[which % len(self._under_way)]
                yield self.nodes[other], delta, self._clock(other)

    def alike(self, node: Node) -> list[Node]:
        """The nodes that have the same of every origin."""
        same = (one for one in self.nodes.values() if includes(one.vector, node.vector))
        return [one for one in same if includes(node.vector, one.vector)]

    def _write(self, step: Put | Remove) -> None:
        node, now = self.nodes[step.at], self._clock(step.at)
        state = node.tables.states.get(step.place)
        there = state is not None and state.alive
        try:
            if isinstance(step, Remove):
                if there:
                    node.delete(step.place, now)
            elif not there:
                columns = node.shapes[step.place[0]].columns
                values = _row(step).items()
                known = {c: v for c, v in values if columns is None or c in columns}
                node.insert(step.place, known, now)
            elif step.column in COLUMNS[step.place[0]]:
                node.update(step.place, {step.column: _value(step)}, now)
        except Refused:
            pass

    def until_rest(self) -> Iterator[tuple[Node, Delta, int]]:
        """All tell all, until nobody has anything to tell."""
        pairs = list(itertools.permutations(self.nodes.values(), 2))
        for _round in range(ROUNDS):
            if all(includes(other.vector, one.vector) for one, other in pairs):
                return
            for one, other in pairs:
                if not includes(other.vector, one.vector):
                    yield other, one.delta(other.vector), self._clock(other.origin)
        raise AssertionError(f"no rest after {ROUNDS} rounds")


def _row(step: Put) -> dict[str, Value]:
    table, (key,) = step.place
    return {**dict.fromkeys(COLUMNS[table]), "id": key, **_known(table, step)}


def _known(table: str, step: Put) -> dict[str, Value]:
    return {step.column: _value(step)} if step.column in COLUMNS[table] else {}


def _value(step: Put) -> Value:
    return f"name {step.value}" if step.column == "name" and step.value else step.value
