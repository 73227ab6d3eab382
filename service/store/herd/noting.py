"""What is noted of a plan that was carried out: log entries for the sealer, and the vector.

Entries are written last, when all rows are locked: their numbers must be higher than those of the
writes they build upon.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from records.states import RowState
from schema.capture.columns import WRITER_LENGTH, number_bytes
from service.herd.deltas import DELETE, LogEntry
from service.herd.planning.plan import Here
from service.herd.shapes import Place
from service.herd.vectors import Vector
from service.store.herd.batches import batches
from service.store.herd.places import Tables, row_key_of
from service.store.herd.tables import NOWHERE, StoredTables
from service.store.sealing.entries import APPLIED, DEATH_APPLIED
from service.store.transaction import Transaction

_OTHER = 600
"""The bytes of an entry beside its key, about."""

_COLUMNS = (
    "`table_name`, `row_key`, `kind`, `fields`, `life`, `origin`, `stamp`, `writer`, "
    "`at_origin`, `applied`"
)


def to_keep(entries: Iterable[LogEntry], here: Here) -> list[LogEntry]:
    """The entries of siblings that are not surely here."""
    return [
        entry
        for entry in entries
        if entry.origin != here.origin and entry.position > here.vector.get(entry.origin, 0)
    ]


def note(
    tx: Transaction,
    tables: StoredTables,
    states: Mapping[Place, RowState],
    kept: Sequence[LogEntry],
    noted: Sequence[LogEntry],
) -> None:
    """Put entries into the inbox: those of siblings, and those of our own repairs."""
    deaths = {entry.place for entry in (*kept, *noted) if entry.kind == DELETE}
    tables.rows(deaths)
    known = tables.described.tables
    rows = [
        _row(known, entry, at, _applied(tables, states, entry))
        for entry, at in (
            *((entry, entry.position) for entry in kept),
            *((entry, None) for entry in noted),
        )
    ]
    for part in batches(rows, lambda row: _OTHER + len(row[1]), room=tx.room):
        tx.execute(
            f"INSERT INTO `herdbook_inbox` ({_COLUMNS}) VALUES "
            f"{', '.join(['(?, ?, ?, ?, ?, ?, ?, ?, ?, ?)'] * len(part))}",
            [value for row in part for value in row],
        )


def _applied(tables: StoredTables, states: Mapping[Place, RowState], entry: LogEntry) -> int:
    """Whether the row here went through a death that an entry tells of."""
    standing = tables.standing(entry.place)
    before = 0 if standing == NOWHERE else standing.state.life
    after = states[entry.place].life if entry.place in states else before
    return DEATH_APPLIED if entry.kind == DELETE and before < entry.life <= after else APPLIED


def _row(
    known: Tables, entry: LogEntry, at_origin: int | None, applied: int
) -> tuple[str, bytes, str, bytes | None, int, int, int, str, int | None, int]:
    return (
        entry.table,
        row_key_of(known, entry.place),
        entry.kind,
        b"".join(number_bytes(int(column)) for column in entry.columns) or None,
        entry.life,
        entry.origin,
        entry.stamp,
        entry.writer[:WRITER_LENGTH],
        at_origin,
        applied,
    )


def raise_vector(tx: Transaction, here: Here, covers: Vector) -> None:
    """Everything of `covers` is here: the vector becomes the higher of both."""
    higher = [
        (origin, position)
        for origin, position in sorted(covers.items())
        if origin != here.origin and position > here.vector.get(origin, 0)
    ]
    if higher:
        tx.execute(
            "INSERT INTO `herdbook_vector` (`origin`, `position`) VALUES "
            f"{', '.join(['(?, ?)'] * len(higher))} ON DUPLICATE KEY UPDATE "
            "`position` = GREATEST(`position`, VALUES(`position`))",
            [value for pair in higher for value in pair],
        )
