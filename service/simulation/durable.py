"""A node's database: what survives when its process is killed."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence, Set

from records.states import RowState
from service.herd.deltas import Delta, LogEntry
from service.herd.held import Held, state_to_send
from service.herd.planning.plan import Plan
from service.herd.shapes import Place, Shapes
from service.herd.vectors import Vector, includes, joined
from service.simulation.clock import Clock
from service.simulation.ledger import Ledger
from service.simulation.node import Node
from service.simulation.schema import COLUMNS

FIRST_ORIGIN = 100


MOST_NODES = 26
"""Nodes are called by letters; the further origins of a node are that much apart."""


def name_of(origin: int) -> str:
    """What a node is called in stories; one that has drawn a new origin has a dash more."""
    drawn, number = divmod(origin - FIRST_ORIGIN, MOST_NODES)
    return chr(ord("A") + number) + "'" * drawn


class DurableNode(Node):
    """A node whose commits get their positions only when they are sealed.

    `mixed` says that nodes of the herd have different tables, `forgets` that they prune their
    changelogs. `gone_until` and `full_until` are moments: until then nothing can be read or
    written, or nothing can be written. `siblings` are those that were met, and what each of them
    surely has; nobody waits for those that are `retired`. `expected` are the alarms that are right
    to be raised, and until the node has a new origin if it is `doubtful`. `partly` is what the
    snapshots have of which not all parts came.
    """

    def __init__(self, number: int, shapes: Shapes, clock: Clock, ledger: Ledger) -> None:
        super().__init__(FIRST_ORIGIN + number, shapes)
        self.number = number
        self.name = name_of(self.origin)
        self.clock = clock
        self.mixed = False
        self.forgets = False
        self.drawn = 0
        self.siblings: dict[int, Vector] = {}
        self.retired: set[int] = set()
        self.partly: Vector = {}
        self.expected: frozenset[str] = frozenset()
        self.doubtful = False
        self.gone_until = 0
        self.full_until = 0
        self.written: list[tuple[Place, RowState | None, RowState]] = []
        self._ledger = ledger

    def may_read(self, moment: int) -> bool:
        """Whether the database answers; what is to be read may have to be sealed before."""
        return moment >= self.gone_until and (not self.tables.unsealed or self.writable(moment))

    def writable(self, moment: int) -> bool:
        """Whether the database answers and has room."""
        return moment >= max(self.gone_until, self.full_until)

    def transaction(self) -> tuple[tuple[Place, RowState | None, RowState], ...]:
        """What was written since this was last asked."""
        written, self.written = tuple(self.written), []
        return written

    def seal(self) -> Sequence[LogEntry]:
        """Give positions to what is committed."""
        if not self.tables.unsealed:
            return ()
        entries, self.tables.unsealed = self.tables.unsealed, []
        first = self.vector[self.origin] + 1
        sealed = [entry._replace(position=at) for at, entry in enumerate(entries, first)]
        for entry in sealed:
            self.tables.keep(entry)
        self.vector = {**self.vector, self.origin: sealed[-1].position}
        return sealed

    def claim(self, entries: Sequence[LogEntry]) -> None:
        """Seal what was written under a former origin, and nothing else, as this node's own.

        The versions in its rows are of the former origin. So others do not find by its entries
        that such a value lost, and its writes need no journal.
        """
        own = [entry._replace(origin=self.origin, position=0) for entry in entries]
        for entry in entries:
            self._ledger.excuse(entry.place, entry.version)
        self.tables.unsealed = own

    @property
    def known(self) -> Mapping[int, int]:
        """The vector without origins of which nothing has been heard."""
        return {origin: position for origin, position in self.vector.items() if position}

    @property
    def whole(self) -> bool:
        """Whether the vector tells everything that is here."""
        tables = self.tables
        return not (tables.unsealed or self.in_part)

    @property
    def in_part(self) -> bool:
        """Whether parts of a delta or a snapshot came, and others did not."""
        return self.tables.in_part(self.vector) or not includes(self.vector, self.partly)

    def apply(self, delta: Delta, now: int, named: Set[Place] = frozenset()) -> Plan:
        """Apply a delta, as one transaction does."""
        if delta.floors is not None:
            self.partly = joined(self.partly, delta.covers)
        made = super().apply(delta, now, named)
        self._ledger.repaired(made.noted, self.states(made.rows))
        return made

    def retry(self, now: int, helds: Collection[Held] | None = None) -> Plan:
        """Try to write what is held, as one transaction does."""
        made = super().retry(now, helds)
        self._ledger.repaired(made.noted, self.states(made.rows))
        return made

    def everything(self) -> Mapping[Place, RowState]:
        """All rows with what is held of them; what nobody wrote has its default.

        Where dead rows are forgotten only the live ones: nodes forget at different times.
        """
        states = self._everything()
        if not self.forgets:
            return states
        return {place: state for place, state in states.items() if state.alive}

    def _everything(self) -> Mapping[Place, RowState]:
        tables = self.tables
        if not self.mixed:
            return dict(tables.states) if not tables.waiting else self._joined()
        return {place: _with_defaults(place, state) for place, state in self._joined().items()}

    def _joined(self) -> Mapping[Place, RowState]:
        return self.states(self.tables.states.keys() | self.tables.waiting.keys())

    def _commit(
        self, place: Place, state: RowState, kind: str, columns: tuple[str, ...] = ()
    ) -> None:
        before, held = self.tables.states.get(place), self.tables.waiting.get(place)
        self.written.append((place, before, state))
        # Who deletes a row deletes what it has in columns that are not here yet; but nobody has
        # seen a row that waits as a whole.
        seen = state_to_send(before, held) if held and not held.row.whole else before
        self._ledger.wrote(place, seen, state, kind, columns)
        super()._commit(place, state, kind, columns)

    def _log(self, entry: LogEntry) -> None:
        self.tables.unsealed.append(entry)


def _with_defaults(place: Place, state: RowState) -> RowState:
    columns = COLUMNS[place[0]]
    if len(state.values) == len(columns):
        return state
    return state._replace(values={**dict.fromkeys(columns), **state.values})
