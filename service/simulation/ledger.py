"""Every write, and what became of it: nothing that was written is gone without a trace.

At rest each write stands, or was replaced by somebody who had seen it, or is in a journal as lost,
or its value stood there by another write. Excused is what was lost with a database before anybody
else had it, and what a node had not told when it got a new origin.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from records.stamps import Version
from records.states import RowState, Value
from service.herd.deltas import DELETE, INSERT, UPDATE, LogEntry
from service.herd.journal import JournalEntry
from service.herd.shapes import Place, Shapes


class Write(NamedTuple):
    """One column of one row, written once."""

    place: Place
    life: int
    column: str
    version: Version


class Ledger:
    """The writes of all nodes, those of repairs too."""

    def __init__(self, shapes: Shapes, older: Shapes) -> None:
        self._shapes = shapes
        self._older = older
        self._values: dict[Write, Value] = {}
        self._replaced: set[Write] = set()
        self._excused: set[tuple[Place, Version]] = set()
        self._journals: list[JournalEntry] = []

    def excuse(self, place: Place, version: Version) -> None:
        """What was written so may be gone without a trace."""
        self._excused.add((place, version))

    def burnt(
        self, writes: Iterable[tuple[Place, Version]], journal: Iterable[JournalEntry]
    ) -> None:
        """A database was lost with writes that nobody else has, and with its journal."""
        self._excused.update(writes)
        self._journals += journal

    def wrote(
        self,
        place: Place,
        before: RowState | None,
        after: RowState,
        kind: str,
        columns: Iterable[str],
    ) -> None:
        """An application wrote or deleted a row of which it saw the state before."""
        named = columns if kind == UPDATE else after.values
        if before is not None and kind != INSERT:
            gone = columns if kind == UPDATE else before.values
            self._replaced.update(
                Write(place, before.life, column, before.version(column)) for column in gone
            )
        if kind != DELETE:
            self._note(place, after, named)

    def repaired(self, entries: Iterable[LogEntry], rows: Mapping[Place, RowState]) -> None:
        """A node repaired rows; what it replaced is in its journal."""
        for entry in entries:
            state = rows[entry.place]
            if entry.kind != DELETE:
                columns = entry.columns if entry.kind == UPDATE else state.values
                self._note(entry.place, state, columns)

    def _note(self, place: Place, state: RowState, columns: Iterable[str]) -> None:
        for column in columns:
            version = state.version(column)
            self._values[Write(place, state.life, column, version)] = state.values[column]

    def vanished(
        self, states: Mapping[Place, RowState], journal: Iterable[JournalEntry]
    ) -> Iterator[tuple[Write, Value]]:
        """The writes that are gone without a trace, when all nodes have these states."""
        lost = {
            Write(entry.place, entry.life, loss.column, loss.version)
            for entry in (*journal, *self._journals)
            for loss in entry.losses
        }
        open_: list[tuple[Write, Value]] = []
        for write, value in self._values.items():
            told = write in self._replaced or write in lost or self._is_default(write, value)
            if not told and not self._is_excused(write) and not _stands(write, value, states):
                open_.append((write, value))
        if open_:
            yield from self._without_twin(open_, lost, states)

    def _is_excused(self, write: Write) -> bool:
        return (write.place, write.version) in self._excused

    def _is_default(self, write: Write, value: Value) -> bool:
        """Whether a row has this value also where nobody wrote it."""
        shape = self._older.get(write.place[0])
        known = None if shape is None else shape.columns
        return value is None and (known is None or write.column not in known)

    def _without_twin(
        self,
        doubtful: Iterable[tuple[Write, Value]],
        lost: set[Write],
        states: Mapping[Place, RowState],
    ) -> Iterator[tuple[Write, Value]]:
        """Of these writes those whose value did not stand there by another write either.

        The other write is later, and so looked at itself. Only in a group it may be older, and
        then it must be known what became of it.
        """
        alike: dict[tuple[Place, str], list[tuple[Write, Value]]] = defaultdict(list)
        for write, value in self._values.items():
            alike[write.place, write.column].append((write, value))
        for write, value in doubtful:
            grouped = write.column in self._shapes[write.place[0]].groups
            if not any(
                other != write
                and same == value
                and (
                    (other.life, other.version) > (write.life, write.version)
                    or (grouped and (other in self._replaced or other in lost))
                )
                for other, same in alike[write.place, write.column]
            ):
                yield write, value


def _stands(write: Write, value: Value, states: Mapping[Place, RowState]) -> bool:
    """Whether the value is there, by this write or by another one."""
    state = states.get(write.place)
    return state is not None and state.alive and state.values.get(write.column) == value
