"""A delta put together a batch at a time, so that memory does not depend on its length."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from records.stamps import Version
from records.states import Death, RowState
from service.herd.building import columns_to_send, delta_row
from service.herd.deltas import DELETE, Delta, DeltaRow, LogEntry
from service.herd.ordering import parents_first
from service.herd.parts import MOST_BYTES, MOST_ROWS, parts, shows
from service.herd.shapes import Shapes, shape_of
from service.herd.weights import weight_of_entry, weight_of_row
from service.store.herd.lines import LINES_A_STATEMENT, Line
from service.store.herd.spool import Spool, Spooled
from service.store.herd.states import States, Told
from service.store.sealing.keys import KEYS_A_STATEMENT

_FEW = 16
"""So many rows of a table are read first, to learn how large they are."""

_Numbered: TypeAlias = tuple[int, LogEntry]
"""An entry, and its place in the sender's order."""


@dataclass(frozen=True)
class Sizes:
    """How much is in memory at once: of what travels in a part, and of the lines of one row."""

    most_rows: int = MOST_ROWS
    most_bytes: int = MOST_BYTES
    most_lines: int = LINES_A_STATEMENT


@dataclass
class _Batch:
    """What is to become some parts."""

    rows: list[DeltaRow] = field(default_factory=list)
    entries: list[_Numbered] = field(default_factory=list)
    weight: int = 0

    def put(self, row: DeltaRow | None, entries: Sequence[_Numbered]) -> None:
        """Add a row, if it is known, with its entries."""
        if row is not None:
            self.rows.append(row)
            self.weight += weight_of_row(row)
        self.entries += entries
        self.weight += sum(weight_of_entry(entry) for _, entry in entries)


class Batches:
    """Reads the rows of a spool and puts them together as a delta, part by part.

    `head` is the delta without rows and entries.
    """

    def __init__(self, head: Delta, spool: Spool, states: States, sizes: Sizes) -> None:
        self._head = head
        self._spool = spool
        self._states = states
        self._shapes = states.described.shapes
        self._sizes = sizes
        self._at_once = _FEW

    def parts(self) -> Iterator[Delta]:
        """All parts, at least one; the last is `last`."""
        self._spool.arrange(lambda names: ranks_of(names, self._shapes))
        ahead: Delta | None = None
        for part in self._parts():
            if ahead is not None:
                yield ahead
            ahead = part
        yield (ahead or self._head)._replace(last=True)

    def _parts(self) -> Iterator[Delta]:
        batch = _Batch()
        for row, told in self._rows():
            if row.lines > self._sizes.most_lines:
                yield from self._often_written(row, told)
                continue
            entries = _entries(self._spool.lines(row), told)
            batch.put(self._delta_row(row, told, [entry for _, entry in entries]), entries)
            if len(batch.rows) >= self._sizes.most_rows or batch.weight >= self._sizes.most_bytes:
                yield from self._cut(batch)
                batch = _Batch()
        if batch.entries or batch.rows:
            yield from self._cut(batch)

    def _cut(self, batch: _Batch) -> Iterator[Delta]:
        batch.entries.sort(key=lambda numbered: numbered[0])
        entries = tuple(entry for _, entry in batch.entries)
        whole = self._head._replace(rows=tuple(batch.rows), entries=entries)
        return parts(whole, self._shapes, self._sizes.most_rows, self._sizes.most_bytes)

    def _rows(self) -> Iterator[tuple[Spooled, Told]]:
        """The rows as they stand: the living, parents first, then the others."""
        for alive, following in ((True, self._spool.live), (False, self._spool.dead)):
            last: Spooled | None = None
            while some := following(last, self._at_once):
                if last is None or some[0].table != last.table:
                    # Nothing is known yet of the size of its rows.
                    self._at_once = _FEW
                    some = some[:_FEW]
                some = some[: self._fitting(some)]
                yield from self._standing(some, alive)
                last = some[-1]

    def _fitting(self, some: Sequence[Spooled]) -> int:
        """How many of the first of some rows of one table may be read at once."""
        keys = [row.key for row in some]
        return self._states.fitting(some[0].table, keys, self._sizes.most_bytes)

    def _standing(self, some: Sequence[Spooled], alive: bool) -> Iterator[tuple[Spooled, Told]]:
        """How some rows of one table stand; those that turn out to be dead come later."""
        told = self._states.of(some[0].table, [row.key for row in some])
        self._learn(some[0].table, told.values())
        later = [row for row in some if alive and _is_dead(told[row.key].state)]
        self._spool.dies(later)
        dying = {row.first for row in later}
        return ((row, told[row.key]) for row in some if row.first not in dying)

    def _learn(self, table: str, told: Iterable[Told]) -> None:
        """Read as many rows next time as fit into a part, if they are as large as these."""
        weights = [
            weight_of_row(DeltaRow(table, one.key, one.state, whole=True))
            for one in told
            if one.state is not None
        ]
        if weights:
            fitting = self._sizes.most_bytes * len(weights) // sum(weights)
            self._at_once = max(1, min(fitting, 4 * self._at_once, KEYS_A_STATEMENT))

    def _delta_row(self, row: Spooled, told: Told, entries: Sequence[LogEntry]) -> DeltaRow | None:
        latest = max(entries, key=lambda entry: entry.life, default=None)
        return self._as_told(row, told, latest, columns_to_send(entries))

    def _as_told(
        self, row: Spooled, told: Told, latest: LogEntry | None, columns: frozenset[str] | None
    ) -> DeltaRow | None:
        """The row as it travels; in a snapshot as a whole."""
        state = vanished(latest) if told.gone and latest is not None else told.state
        if state is None:
            return None
        if self._head.floors is not None:
            columns = None
        return delta_row((row.table, told.key), state, columns, shape_of(self._shapes, row.table))

    def _often_written(self, row: Spooled, told: Told) -> Iterator[Delta]:
        """The parts of a row with more entries than should be in memory.

        With it go those whose values it still shows, which tell whether something was lost; the
        others follow. It is a part by itself.
        """
        first: list[_Numbered] = []
        latest: LogEntry | None = None
        columns: frozenset[str] | None = frozenset()
        for page in self._pages(row, told):
            entries = [entry for _, entry in page]
            latest = max((latest, *entries) if latest else entries, key=lambda entry: entry.life)
            named = columns_to_send(entries)
            columns = None if columns is None or named is None else columns | named
            first += [numbered for numbered in page if _shows(told, numbered[1])]
        batch = _Batch()
        batch.put(self._as_told(row, told, latest, columns), first)
        yield from self._cut(batch)
        for page in self._pages(row, told):
            batch = _Batch()
            batch.put(None, [numbered for numbered in page if not _shows(told, numbered[1])])
            yield from self._cut(batch)

    def _pages(self, row: Spooled, told: Told) -> Iterator[list[_Numbered]]:
        """The entries of a row, some at a time."""
        after = 0
        while lines := self._spool.lines(row, after, self._sizes.most_lines):
            yield _entries(lines, told)
            after = lines[-1].position


def ranks_of(tables: Sequence[str], shapes: Shapes) -> dict[str, int]:
    """Where tables stand in an order in which those that are referred to come first."""

    def parents(table: str) -> Iterator[str]:
        return (reference.parent for reference in shape_of(shapes, table).references)

    return {table: rank for rank, table in enumerate(parents_first(tables, parents))}


def vanished(latest: LogEntry) -> RowState | None:
    """The state of a row of which nothing is left but its entries; None: they do not tell it.

    It died, and no dead row was kept: its table was truncated, for instance.
    """
    if latest.kind != DELETE:
        return None
    born = Version(latest.stamp, latest.origin)
    return RowState(latest.life, born, {}, {}, Death(latest.stamp, latest.writer))


def _entries(lines: Iterable[Line], told: Told) -> list[_Numbered]:
    return [(line.position, line.as_entry(told.key)) for line in lines]


def _shows(told: Told, entry: LogEntry) -> bool:
    return told.state is not None and shows(told.state, entry)


def _is_dead(state: RowState | None) -> bool:
    return state is not None and not state.alive
