"""The lines of the changelog, as deltas are made of them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from schema.capture.columns import numbers_in
from service.herd.deltas import LogEntry
from service.herd.shapes import Key
from service.herd.vectors import Vector
from service.store.herd.snapshots import Moment
from service.store.sealing.entries import Place
from service.store.transaction import Transaction

LINES_A_STATEMENT = 2_000
"""A MB or so of memory."""

_COLUMNS = (
    "`position`, `table_name`, `row_key`, `kind`, `fields`, `life`, `origin`, `stamp`, `writer`, "
    "COALESCE(`at_origin`, `position`)"
)
_CAME = (
    f"SELECT {_COLUMNS} FROM `herdbook_changelog` FORCE INDEX (`herdbook_came`) "
    "WHERE `origin` = ? AND `at_origin` > ? ORDER BY `at_origin` LIMIT ?"
)
_WRITES = (
    "SELECT 1 FROM `herdbook_changelog` FORCE INDEX (`herdbook_came`) WHERE `origin` = ? "
    "AND `at_origin` IS NULL LIMIT 1"
)
# By position: in the index, neither server goes on from a position among the NULLs, and each page
# would read all of them.
_WRITTEN = (
    f"SELECT {_COLUMNS} FROM `herdbook_changelog` FORCE INDEX (PRIMARY) WHERE `position` > ? "
    "AND `position` <= ? AND `at_origin` IS NULL AND `origin` = ?"
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


def lines_above(tx: Transaction, moment: Moment, above: Vector) -> Iterator[list[Line]]:
    """All lines of a moment's snapshot that a node at a vector lacks, some at a time."""
    for (origin,) in tx.rows("SELECT DISTINCT `origin` FROM `herdbook_changelog`"):
        after = above.get(origin, 0)
        yield from _came(tx, origin, after)
        last = moment.vector.get(origin, moment.position)
        if after < last and tx.rows(_WRITES, (origin,)):
            yield from _written(tx, origin, after, last)


def _came(tx: Transaction, origin: int, after: int) -> Iterator[list[Line]]:
    """What came from another node, by its positions there."""
    full = True
    while full:
        lines = [Line(*row) for row in tx.rows(_CAME, (origin, after, LINES_A_STATEMENT))]
        full = len(lines) == LINES_A_STATEMENT
        after = lines[-1].at if lines else after
        yield lines


def _written(tx: Transaction, origin: int, after: int, last: int) -> Iterator[list[Line]]:
    """What was written here under an origin; it is the node's own, or was once."""
    for start in range(after, last, LINES_A_STATEMENT):
        end = min(start + LINES_A_STATEMENT, last)
        yield [Line(*row) for row in tx.rows(_WRITTEN, (start, end, origin))]


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
