"""What has to hold on every node after every commit, and on all of them at rest."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import TypeAlias

from records.states import RowState
from service.herd.messages import Applied, Graft, Have, Hello, Message, Portion
from service.herd.shapes import Place
from service.herd.vectors import Vector, includes
from service.simulation.durable import DurableNode
from service.simulation.ledger import Ledger

WHOLE_CHECK = 8
"""Each so many commits of a node all its rows are looked at, not only those that were written."""


Trouble: TypeAlias = tuple[str, Collection[Place]]
"""A constraint that does not hold, and the rows that it concerns."""


class BrokenRule(Exception):
    """A rule does not hold; `places` are the rows in question, none if it concerns no row."""

    def __init__(self, rule: str, text: str, places: Iterable[Place] = ()) -> None:
        super().__init__(f"{rule}: {text}")
        self.rule = rule
        self.text = text
        self.places = tuple(places)


class Rules:
    """Looks at nodes after each of their commits, and remembers what others had before."""

    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger
        self._commits: Counter[str] = Counter()
        self._at: dict[frozenset[tuple[int, int]], tuple[str, Mapping[Place, RowState]]] = {}

    def committed(self, node: DurableNode, places: Collection[Place]) -> None:
        """A node has written some rows. Raises BrokenRule."""
        self._commits[node.name] += 1
        seldom = self._commits[node.name] % WHOLE_CHECK == 0
        for trouble, rows in _troubles(node, node.tables.states if seldom else places):
            raise BrokenRule("constraint", f"{node.name} has {trouble}", rows)

    def moved(self, node: DurableNode, before: Vector) -> None:
        """A node's vector has moved. Raises BrokenRule."""
        _require_no_gap(node, before)
        if node.whole:
            self._require_same(node)

    def said(self, node: DurableNode, message: Message) -> None:
        """A node says something, which must be true of what it has committed."""
        vector = _told(message)
        if not includes(node.vector, vector):
            kind = type(message).__name__
            text = f"{node.name} says {vector} in {kind}, and has committed {dict(node.vector)}"
            raise BrokenRule("truth", text)

    def rested(self, nodes: Sequence[DurableNode], alone: bool) -> None:
        """All nodes have the same vector; `alone`: only one ever wrote. Raises BrokenRule."""
        for node in nodes:
            _require_no_gap(node, {})
            self._require_same(node)
            for trouble, rows in _troubles(node, node.tables.states):
                raise BrokenRule("constraint", f"{node.name} has {trouble}", rows)
            if node.tables.waiting:
                text = f"{node.name} still holds {next(iter(node.tables.waiting.values()))}"
                raise BrokenRule("held", text, node.tables.waiting)
        journal = [entry for node in nodes for entry in node.journal]
        if alone and journal:
            text = f"only one node writes, and {journal[0]} is in a journal"
            raise BrokenRule("conflict", text, {entry.place for entry in journal})
        gone = list(self.ledger.vanished(nodes[0].tables.states, journal))
        if gone:
            write, value = gone[0]
            text = (
                f"{value!r} in {write.column}, life {write.life},"
                f" version {tuple(write.version)}, is gone without a trace"
            )
            raise BrokenRule("balance", text, [write.place])

    def _require_same(self, node: DurableNode) -> None:
        """Who has the same vector has, or had, the same rows."""
        key = frozenset(node.known.items())
        states = node.everything()
        known = self._at.get(key)
        if known is None:
            self._at[key] = node.name, states
            return
        other, theirs = known
        if states != theirs:
            rows = [p for p in states.keys() | theirs.keys() if states.get(p) != theirs.get(p)]
            text = f"{node.name} and {other} with the same vector have different rows"
            raise BrokenRule("sameness", text, sorted(rows, key=repr))


def _troubles(node: DurableNode, places: Iterable[Place]) -> Iterator[Trouble]:
    """The constraints that rows do not keep."""
    for place in places:
        state = node.tables.states.get(place)
        if state is not None and state.alive:
            yield from _orphaned(node, place, state)
            yield from _doubled(node, place, state)
        else:
            yield from _left_behind(node, place)


def _orphaned(node: DurableNode, place: Place, state: RowState) -> Iterator[Trouble]:
    for reference in node.shapes[place[0]].references:
        key = tuple(map(state.values.get, reference.columns))
        parent = reference.parent, key
        if None not in key and not _alive(node.tables.states.get(parent)):
            yield f"{place} without its {reference.name} {parent}", (place, parent)


def _doubled(node: DurableNode, place: Place, state: RowState) -> Iterator[Trouble]:
    for unique in node.shapes[place[0]].uniques:
        claim = tuple(map(state.values.get, unique.columns))
        holders = node.tables.holders(place[0], unique, [claim]) | {place}
        if None not in claim and len(holders) > 1:
            yield f"{unique.name} {claim} twice", sorted(holders, key=repr)


def _left_behind(node: DurableNode, place: Place) -> Iterator[Trouble]:
    """Children of a dead row."""
    for shape in node.shapes.values():
        for reference in shape.references:
            if reference.parent == place[0]:
                children = node.tables.children(shape.table, reference, [place[1]])
                for child in sorted(children, key=repr):
                    yield f"{child} without its {reference.name} {place}", (child, place)


def _alive(state: RowState | None) -> bool:
    return state is not None and state.alive


def _require_no_gap(node: DurableNode, before: Vector) -> None:
    for origin, position in node.vector.items():
        log, floor = node.tables.log[origin], node.tables.pruned.get(origin, 0)
        for at in range(max(before.get(origin, 0), floor) + 1, position + 1):
            if at not in log:
                text = f"{node.name} lacks position {at} of {origin}, and says it has {position}"
                raise BrokenRule("gap", text)


def _told(message: Message) -> Vector:
    """What a message says of the node that sends it."""
    match message:
        case Hello() | Have() | Applied() | Graft():
            return message.vector
        case Portion():
            return message.delta.covers
    return {}
