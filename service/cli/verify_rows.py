"""In what two nodes' states of one row differ."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from service.cli.output import json_text
from service.cli.verify_node import Row, State

NOT_THERE = "not there"


class Part(NamedTuple):
    """One thing in which a row differs: what it is, and how it is on both nodes.

    `versions` are those of the column there, where it is one.
    """

    what: str
    ours: object
    theirs: object
    versions: tuple[str, str] = ("", "")


class Difference(NamedTuple):
    """A row that differs.

    `unsendable` says why it cannot be repaired by sending it: empty where it can.
    """

    table: str
    key: str
    shown: list[Any]
    parts: list[Part]
    unsendable: str = ""

    def as_json(self) -> dict[str, object]:
        """As `--json` tells it."""
        return {
            "table": self.table,
            "key": self.shown,
            "row_key": self.key,
            "parts": [part._asdict() for part in self.parts],
            "unsendable": self.unsendable or None,
        }


def parts_of(ours: Row, theirs: Row, columns: Mapping[str, str]) -> list[Part]:
    """Everything in which a row differs; nothing where it is the same. Columns come by id."""
    if ours.state is None or theirs.state is None:
        one, other = _standing(ours), _standing(theirs)
        return [] if one == other == NOT_THERE else [Part("row", one, other)]
    return [*_meta(ours.state, theirs.state), *_columns(ours.state, theirs.state, columns)]


def difference_of(table: str, ours: Row, theirs: Row, unlike: list[Part]) -> Difference:
    """The difference of a row."""
    why = ""
    if ours.problem is not None or theirs.problem is not None:
        why = "unreadable"
    elif any(state is not None and state.stamp == 0 for state in (ours.state, theirs.state)):
        why = "uncaptured"
    return Difference(table, ours.key, ours.shown, unlike, why)


def is_forgotten(ours: Row, theirs: Row) -> bool:
    """Whether one node keeps a dead row of which the other has nothing."""
    states = [ours.state, theirs.state]
    dead = [state for state in states if state is not None and state.life % 2 == 0]
    return len(dead) == 1 and None in states and not (ours.problem or theirs.problem)


def _standing(row: Row) -> str:
    if row.problem is not None:
        return f"unreadable: {row.problem}"
    if row.state is None:
        return NOT_THERE
    return "alive" if row.state.life % 2 else "dead"


def _meta(ours: State, theirs: State) -> Iterator[Part]:
    for what in ("life", "died", "writer", "born", "stamp", "origin"):
        one, other = getattr(ours, what), getattr(theirs, what)
        if one != other:
            yield Part(what, one, other)


def _columns(ours: State, theirs: State, columns: Mapping[str, str]) -> Iterator[Part]:
    """Values and their versions, of the columns that both nodes have."""
    for number, name in columns.items():
        versions = (_version(ours, number), _version(theirs, number))
        one, other = ours.values.get(number), theirs.values.get(number)
        # As texts: 1 is not true, and 1.0 is not 1.
        if json_text(one) != json_text(other):
            yield Part(name, one, other, versions)
        elif ours.slots.get(number) != theirs.slots.get(number):
            yield Part(f"version of {name}", *versions)


def _version(state: State, number: str) -> str:
    slot = state.slots.get(number)
    if slot is None:
        return "{}@{}".format(*state.born)
    beneath = "" if slot[2:] == (0, 0) else " over {}@{}".format(*slot[2:])
    return "{}@{}".format(*slot[:2]) + beneath
