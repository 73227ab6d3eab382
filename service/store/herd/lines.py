"""The lines of the changelog, as deltas are made of them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from schema.capture.columns import numbers_in
from service.herd.deltas import LogEntry
from service.herd.shapes import Key
from service.herd.vectors import Vector
from service.store.sealing.entries import Place
from service.store.transaction import Transaction

LINES_A_STATEMENT = 2_000
"""A MB or so of memory."""

_COLUMNS = (
    "`position`, `table_name`, `row_key`, `kind`, `fields`, `life`, `origin`, `stamp`, `writer`, "
    "COALESCE(`at_origin`, `position`)"
)
_BY_ORIGIN = "FROM `herdbook_changelog` FORCE INDEX (`herdbook_came`) WHERE `origin` = ?"

# Two statements: what came from there, and what was written here under this origin.
_OF_ORIGIN = (
    f"SELECT {_COLUMNS} {_BY_ORIGIN} AND `at_origin` > ? ORDER BY `at_origin` LIMIT ?",
    f"SELECT {_COLUMNS} {_BY_ORIGIN} AND `at_origin` IS NULL AND `position` > ? "
    "ORDER BY `position` LIMIT ?",
)


class Line(NamedTuple):
    """One line: `position` is where it stands here, `at` where it stands at its origin."""

    position: int
    table: str
    key: bytes
    kind: str
    fields: bytes | None
    life: int
    origin: int
    stamp: int
    writer: str
    at: int

    @property
    def place(self) -> Place:
        """Which row it speaks of."""
        return self.table, self.key

    def as_entry(self, key: Key) -> LogEntry:
        """The entry as it travels; `key` is the key of its row, with types."""
        columns = () if self.fields is None else tuple(map(str, numbers_in(self.fields)))
        return LogEntry(
            self.origin,
            self.at,
            self.table,
            key,
            self.kind,
            columns,
            self.life,
            self.stamp,
            self.writer,
        )


class LateLine(NamedTuple):
    """A line that was sealed after a snapshot; `entry` is the number it had in the inbox.

    `ours`: it was written here.
    """

    line: Line
    entry: int
    ours: bool


def lines_above(tx: Transaction, above: Vector) -> Iterator[list[Line]]:
    """All lines that a node at a vector lacks, some at a time."""
    for (origin,) in tx.rows("SELECT DISTINCT `origin` FROM `herdbook_changelog`"):
        for statement in _OF_ORIGIN:
            at, full = above.get(origin, 0), True
            while full:
                found = tx.rows(statement, (origin, at, LINES_A_STATEMENT))
                lines = [Line(*row) for row in found]
                full = len(lines) == LINES_A_STATEMENT
                if lines:
                    at = lines[-1].at
                    yield lines


def lines_between(tx: Transaction, after: int, last: int) -> Iterator[LateLine]:
    """The lines at positions above one and up to another, in their order."""
    while after < last:
        found = tx.rows(
            f"SELECT {_COLUMNS}, `entry`, `at_origin` IS NULL FROM `herdbook_changelog` "
            "WHERE `position` > ? AND `position` <= ? ORDER BY `position` LIMIT ?",
            (after, last, LINES_A_STATEMENT),
        )
        for *line, entry, ours in found:
            yield LateLine(Line(*line), entry, bool(ours))
        after = found[-1][0] if len(found) == LINES_A_STATEMENT else last
