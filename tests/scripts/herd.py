"""The nodes of a story: what they are told to do, and what they show."""

from __future__ import annotations

import itertools
from dataclasses import replace

from records.states import RowState
from service.herd.deltas import Delta
from service.herd.journal import JournalEntry
from service.herd.shapes import Place
from service.herd.vectors import includes
from service.simulation.node import Node
from tests.constraints import broken
from tests.scripts.nodes import Home, InMemory
from tests.scripts.tables import Declared, assignments, shown

SECOND = 1_000_000
START = 1_000_000_000 * SECOND
ROUNDS = 20
"""A herd that is not at rest after so many rounds of everybody telling everybody never will be."""


class Herd:
    """Some nodes and the time. Each command, and each delta that arrives, takes a second."""

    def __init__(self, declared: Declared, home: Home | None = None) -> None:
        self.declared = declared
        self.home: Home = home or InMemory()
        self.nodes: dict[str, Node] = {}
        self.skews: dict[str, int] = {}
        self.at_last: list[tuple[str, ...]] = []
        self.now = START

    def twin(self) -> Herd:
        """The same herd once more, to live on by itself."""
        other = Herd(self.declared, self.home)
        other.nodes = {name: self.home.twin(node) for name, node in self.nodes.items()}
        other.skews, other.now = dict(self.skews), self.now
        other.at_last = self.at_last
        return other

    def add(self, name: str) -> None:
        """One more node, empty; later ones have higher origins."""
        self.nodes[name] = self.home.node(len(self.nodes) + 1, self.declared.shapes)
        self.skews[name] = 0

    def clock(self, name: str) -> int:
        """What a node takes for the time, a second later."""
        self.now += SECOND
        return self.now + self.skews[name]

    def insert(self, name: str, table: str, key: str, *words: str) -> None:
        """An application inserts a row at a node."""
        place = self.declared.place(table, key)
        values = self.declared.row(place, assignments(words))
        columns = self.nodes[name].shapes[table].columns
        if columns is not None:
            values = {column: values[column] for column in columns}
        self.nodes[name].insert(place, values, self.clock(name))

    def update(self, name: str, table: str, key: str, *words: str) -> None:
        """An application writes some columns at a node."""
        place = self.declared.place(table, key)
        self.nodes[name].update(place, assignments(words), self.clock(name))

    def delete(self, name: str, table: str, key: str) -> None:
        """An application deletes a row at a node."""
        self.nodes[name].delete(self.declared.place(table, key), self.clock(name))

    def deltas(self) -> dict[tuple[str, str], Delta]:
        """What each node has to tell each other one."""
        return {pair: self.delta(*pair) for pair in itertools.permutations(self.nodes, 2)}

    def delta(self, one: str, other: str) -> Delta:
        """What a node has to tell another one."""
        return self.nodes[one].delta(self.home.vector(self.nodes[other]))

    def tell(self, one: str, other: str) -> None:
        """A node learns what another one has."""
        self.arrive(self.delta(one, other), other)

    def arrive(self, delta: Delta, name: str) -> None:
        """A delta is applied; every constraint holds afterwards."""
        node = self.nodes[name]
        made = node.apply(delta, self.clock(name))
        while woken := node.woken(made):
            made = node.retry(self.clock(name), woken)
        assert not broken(node), f"{name} has {broken(node)}"

    def lacks(self, name: str, table: str, column: str = "") -> None:
        """A node has not migrated: there is no such column, or no such table."""
        shapes = dict(self.nodes[name].shapes)
        shape = shapes.pop(table)
        if column:
            columns = frozenset(self.declared.columns[table]) - {column}
            shapes[table] = replace(shape, columns=columns)
        self.nodes[name].adopt(shapes)

    def migrates(self, name: str) -> None:
        """The node has all tables now, and tries again what it holds."""
        self.nodes[name].adopt(self.declared.shapes)
        self.nodes[name].retry(self.clock(name))

    def refuses(self, name: str, table: str, key: str) -> None:
        """The node's database does not take what comes for a row."""
        node = self.nodes[name]
        node.poison |= {self.declared.place(table, key)}

    def takes(self, name: str, table: str, key: str) -> None:
        """It does now, and what is held is tried again."""
        node = self.nodes[name]
        node.poison -= {self.declared.place(table, key)}
        node.retry(self.clock(name))

    def held(self, name: str) -> list[str]:
        """What waits at a node, and for what."""
        waiting = self.nodes[name].tables.waiting
        return sorted(f"held: {place[0]} {place[1][0]}: {waiting[place].text}" for place in waiting)

    def rest(self) -> None:
        """All tell all others, until nobody has anything to tell."""
        for _round in range(ROUNDS):
            waiting = [pair for pair in itertools.permutations(self.nodes, 2) if self._news(*pair)]
            if not waiting:
                return
            for one, other in waiting:
                self.tell(one, other)
        raise AssertionError(f"no rest after {ROUNDS} rounds")

    def _news(self, one: str, other: str) -> bool:
        return not includes(self.nodes[other].vector, self.nodes[one].vector)

    def rows(self, name: str) -> list[str]:
        """The rows of a node, live and dead, in the order of their tables."""
        states = self.nodes[name].tables.states
        order = list(self.declared.columns)
        places = sorted(states, key=lambda place: (order.index(place[0]), str(place[1])))
        return [self._row(place, states[place]) for place in places]

    def _row(self, place: Place, state: RowState) -> str:
        table, (key,) = place
        if not state.alive:
            return f"{table} {key} is dead"
        columns = [c for c in self.declared.columns[table][1:] if c in state.values]
        return " ".join([table, str(key), *(f"{c}={shown(state.values[c])}" for c in columns)])

    def journal(self) -> set[str]:
        """What was put aside anywhere."""
        return {_line(entry) for node in self.nodes.values() for entry in node.journal}


def _line(entry: JournalEntry) -> str:
    table, (key,) = entry.place
    lost = " ".join(f"{loss.column}={shown(loss.value)}" for loss in entry.losses)
    return f"journal: {entry.rule}: {table} {key} {lost}".rstrip()
