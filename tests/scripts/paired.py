"""Nodes in memory, each with a database beside it that does the same: they must never differ."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from typing import NamedTuple, cast

from records.states import Value
from service.herd.deltas import Delta
from service.herd.planning.plan import Plan
from service.herd.shapes import Place, Shapes
from service.herd.vectors import Vector
from service.simulation.node import Node, Refused
from tests.scripts import words
from tests.scripts.nodes import Pair, copy_into, every, sampled
from tests.scripts.stored import Dump, StoredNode


class Both(NamedTuple):
    """What two nodes that are the same tell: the one in memory, and the one on a server."""

    in_memory: Delta
    stored: Delta


class BothVectors(dict[int, int]):
    """Where a node in memory stands, and where the one on a server does."""

    def __init__(self, in_memory: Vector, stored: Vector) -> None:
        super().__init__(in_memory)
        self.stored = stored


class PairedNode(Node):
    """What is done to the node is done to its database too; after each step both have the same.

    One of whose twins the database was made is put back before it is used again.
    """

    def __init__(self, origin: int, shapes: Shapes, stored: StoredNode) -> None:
        self.stored = stored
        self._kept: Dump | None = None
        super().__init__(origin, shapes)
        self._names = {name: _Same() for name in shapes}

    def twin(self) -> PairedNode:
        """The same node; the database is its own now."""
        if self._kept is None:
            self._kept = self.stored.kept()
        else:
            self.stored.put_back(self._kept)
        other = PairedNode(self.origin, self.shapes, self.stored)
        copy_into(other, self)
        return other

    def where(self) -> Vector:
        """Where both stand."""
        self._come_back()
        return BothVectors(self.vector, self.stored.vector())

    def insert(self, place: Place, values: Mapping[str, Value], now: int) -> None:
        """See the node."""
        self._write(
            lambda: super(PairedNode, self).insert(place, values, now),
            lambda: self.stored.insert(place, values, now),
        )

    def update(self, place: Place, values: Mapping[str, Value], now: int) -> None:
        """See the node."""
        self._write(
            lambda: super(PairedNode, self).update(place, values, now),
            lambda: self.stored.update(place, values, now),
        )

    def delete(self, place: Place, now: int) -> None:
        """See the node."""
        self._write(
            lambda: super(PairedNode, self).delete(place, now),
            lambda: self.stored.delete(place, now),
        )

    def delta(self, above: Vector) -> Delta:
        """See the node. Both tell the same; both go along."""
        self._come_back()
        assert isinstance(above, BothVectors)
        both = Both(super().delta(above), self.stored.delta(above.stored))
        told = words.told(both.in_memory, self._names), self.stored.told(both.stored)
        assert told[1] == told[0], "the delta is another one on the server"
        return cast(Delta, both)

    def apply(self, delta: Delta, now: int, named: Set[Place] = frozenset()) -> Plan:
        """See the node."""
        self._come_back()
        both = cast(Both, delta)
        made = super().apply(both.in_memory, now, named)
        self.stored.apply(both.stored, now)
        self._compare()
        return made

    def _write(self, here: Callable[[], None], there: Callable[[], bool]) -> None:
        self._come_back()
        refused = None
        try:
            here()
        except Refused as error:
            refused = error
        assert there() == (refused is None), f"only one refuses: {refused}"
        self._compare()
        if refused is not None:
            raise refused

    def _come_back(self) -> None:
        if self._kept is not None:
            self.stored.put_back(self._kept)
            self._kept = None

    def _compare(self) -> None:
        here = words.Seen(
            words.origins(self.vector),
            {at: words.state(one, self._names[at[0]]) for at, one in self.tables.states.items()},
            frozenset(self.tables.waiting),
            words.journal(self.journal, self._names),
        )
        there = self.stored.seen()
        for name, expected in here._asdict().items():
            found = getattr(there, name)
            assert found == expected, f"{name} of {self.origin} on the server: {found}"


class _Same(dict[str, str]):
    """Columns in memory have their names."""

    def __missing__(self, key: str) -> str:
        return key


class OnServer:
    """Pairs, whose databases are told by origin. Some orders are tried."""

    def __init__(self, databases: Callable[[int], StoredNode], most: int) -> None:
        self._databases = databases
        self._most = most

    def node(self, origin: int, shapes: Shapes) -> Node:
        """See the port."""
        stored = self._databases(origin)
        stored.begin(shapes)
        return PairedNode(origin, shapes, stored)

    def twin(self, node: Node) -> Node:
        """See the port."""
        assert isinstance(node, PairedNode)
        return node.twin()

    def vector(self, node: Node) -> Vector:
        """See the port."""
        assert isinstance(node, PairedNode)
        return node.where()

    def orders(self, names: Sequence[str]) -> Iterator[tuple[Pair, ...]]:
        """See the port."""
        return every(names) if len(names) == 2 else sampled(names, self._most)
