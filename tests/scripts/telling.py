"""Stories told: the commands of a block done, and what they print."""

from __future__ import annotations

from collections.abc import Callable

from service.simulation.node import Refused
from tests.scripts.herd import SECOND, Herd
from tests.scripts.nodes import Home
from tests.scripts.orders import ends
from tests.scripts.story import Block
from tests.scripts.tables import Declared


class Teller:
    """Does what a story says.

    Before the nodes are named: `table`, `reference`, `unique`, `group`. Then

        nodes A B C             empty ones
        clock B +86400          seconds that a node's clock is off
        A: insert city 1 name=Hof
        A tells B               one delta
        all tell all            until nothing is left to tell
        show A                  its rows
        in every order          all tell all, in every order; the end, which must be the same

    and, of nodes that do not take everything,

        B lacks city mayor      its tables are older
        B migrates
        B refuses city 1        its database does
        B takes city 1
        held B                  what waits there
        at last B migrates      what happens when all have heard of each other, in every order
    """

    def __init__(self, home: Home | None = None) -> None:
        self._declared = Declared()
        self._herd = Herd(self._declared, home)

    def tell(self, block: Block) -> list[str]:
        """What the commands of a block print."""
        return [line for command in block.commands for line in self._do(command.split())]

    def _do(self, words: list[str]) -> list[str]:
        match words:
            case ["table" | "reference" | "unique" | "group" as what, *rest]:
                getattr(self._declared, what)(*rest)
            case ["nodes", *names]:
                for name in names:
                    self._herd.add(name)
            case ["clock", name, seconds]:
                self._herd.skews[name] = int(seconds) * SECOND
            case [name, "tells", other]:
                self._herd.tell(name, other)
            case ["all", "tell", "all"]:
                self._herd.rest()
            case ["show", name]:
                return self._herd.rows(name)
            case ["in", "every", "order"]:
                return in_every_order(self._herd)
            case [name, "insert" | "update" | "delete" as what, *rest] if name.endswith(":"):
                return _tried(getattr(self._herd, what), name.rstrip(":"), *rest)
            case _:
                return self._of_waiting(words)
        return []

    def _of_waiting(self, words: list[str]) -> list[str]:
        """What is about nodes that do not take everything."""
        match words:
            case ["held", name]:
                return self._herd.held(name)
            case ["at", "last", *rest]:
                self._herd.at_last.append(tuple(rest))
            case [name, "lacks" | "migrates" | "refuses" | "takes" as what, *rest]:
                getattr(self._herd, what)(name, *rest)
            case _:
                raise ValueError(f"no such command: {' '.join(words)}")
        return []


def _tried(write: Callable[..., None], *words: str) -> list[str]:
    try:
        write(*words)
    except Refused as refused:
        return [f"refused: {refused}"]
    return []


def in_every_order(herd: Herd) -> list[str]:
    """The rows that all nodes have at rest, in whatever order they met, and all journals' lines.

    Where only some orders put a line into a journal, it says so.
    """
    end: list[str] | None = None
    always: set[str] | None = None
    sometimes: set[str] = set()
    for order, met in ends(herd):
        first, *others = met.nodes
        for other in others:
            same = met.nodes[first].tables.states == met.nodes[other].tables.states
            assert not met.nodes[other].tables.waiting, f"{order}: {met.held(other)}"
            assert same, f"{order}: {first} has {met.rows(first)}, {other} has {met.rows(other)}"
        end = met.rows(first) if end is None else end
        assert met.rows(first) == end, f"{order}: {met.rows(first)}, and not {end}"
        journal = met.journal()
        always = journal if always is None else always & journal
        sometimes |= journal
    always = always or set()
    maybe = {line.replace("journal", "journal, in some orders", 1) for line in sometimes - always}
    return [*(end or []), *sorted(always), *sorted(maybe)]
