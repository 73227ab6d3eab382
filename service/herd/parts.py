"""A delta cut into parts, each small enough for one frame and one transaction.

Live rows come first, parents before their children; then the dead, children before their parents.
So no part needs a row of a later one, except where rows refer to each other in a circle. Log
entries travel with the part that holds their row.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple, TypeAlias

from records.states import RowState
from service.herd.deltas import UPDATE, Delta, DeltaRow, LogEntry
from service.herd.ordering import rows_in_order
from service.herd.shapes import Place, Shapes
from service.herd.weights import weight_of_entry, weight_of_row

MOST_ROWS = 5_000
"""As many as one transaction applies within a second or so: others wait no longer than that."""

MOST_BYTES = 4 * 2**20
"""By weight, which is more than what travels: a node holds a part in memory while it applies it."""

_Numbered: TypeAlias = tuple[int, LogEntry]
"""An entry, and its place in the sender's order."""


class _Piece(NamedTuple):
    """What stays together: a row with its entries, or one more entry of a row that has too many."""

    rows: tuple[DeltaRow, ...]
    entries: tuple[_Numbered, ...]
    weight: int


@dataclass
class _Part:
    """A part while it is being filled."""

    rows: list[DeltaRow] = field(default_factory=list)
    entries: list[_Numbered] = field(default_factory=list)
    weight: int = 0

    def add(self, piece: _Piece) -> None:
        """Put one more piece in."""
        self.rows += piece.rows
        self.entries += piece.entries
        self.weight += piece.weight

    def has_room(self, piece: _Piece, most_rows: int, most_bytes: int) -> bool:
        """Whether a piece still fits; the first one always does."""
        if not self.weight:
            return True
        rows = len(self.rows) + len(piece.rows)
        return rows <= most_rows and self.weight + piece.weight <= most_bytes


def parts(
    delta: Delta, shapes: Shapes, most_rows: int = MOST_ROWS, most_bytes: int = MOST_BYTES
) -> Iterator[Delta]:
    """The parts of a delta in their order, at least one; the last is `last` if the delta was.

    A row that is larger than `most_bytes` by itself is a part by itself.
    """
    part = _Part()
    for piece in _pieces(delta, shapes, most_bytes):
        if not part.has_room(piece, most_rows, most_bytes):
            yield _closed(part, delta, last=False)
            part = _Part()
        part.add(piece)
    yield _closed(part, delta, last=delta.last)


def _closed(part: _Part, delta: Delta, last: bool) -> Delta:
    """The part as a delta; its entries in the sender's order again."""
    entries = tuple(entry for _, entry in sorted(part.entries, key=lambda numbered: numbered[0]))
    return delta._replace(rows=tuple(part.rows), entries=entries, last=last)


def _pieces(delta: Delta, shapes: Shapes, most_bytes: int) -> Iterator[_Piece]:
    """All rows and entries in the order they travel."""
    entries: defaultdict[Place, list[_Numbered]] = defaultdict(list)
    for numbered in enumerate(delta.entries):
        entries[numbered[1].place].append(numbered)
    for row in rows_in_order(delta.rows, shapes):
        yield from _pieces_of_row(row, entries.pop(row.place, []), most_bytes)
    for alone in entries.values():
        yield from map(_piece_of_entry, alone)


def _pieces_of_row(row: DeltaRow, entries: list[_Numbered], most_bytes: int) -> Iterator[_Piece]:
    """A row with its entries.

    A row that was written very often has more of them than a part may hold. With it go those of
    what it still shows, which tell whether something was lost; the others follow.
    """
    weight = weight_of_row(row) + _weight(entries)
    if weight <= most_bytes:
        yield _Piece((row,), tuple(entries), weight)
        return
    first = [numbered for numbered in entries if shows(row.state, numbered[1])]
    yield _Piece((row,), tuple(first), weight_of_row(row) + _weight(first))
    for numbered in entries:
        if not shows(row.state, numbered[1]):
            yield _piece_of_entry(numbered)


def shows(state: RowState, entry: LogEntry) -> bool:
    """Whether a row shows what an entry tells of: a value that stands, or how its life began."""
    if entry.kind != UPDATE and entry.life == state.life:
        return True
    return entry.version == state.born or any(
        entry.version == slot.version for slot in state.slots.values()
    )


def _piece_of_entry(numbered: _Numbered) -> _Piece:
    return _Piece((), (numbered,), weight_of_entry(numbered[1]))


def _weight(entries: list[_Numbered]) -> int:
    return sum(weight_of_entry(entry) for _, entry in entries)
