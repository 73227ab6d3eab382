"""The lines of a delta, and the rows of a snapshot, by row.

They are kept in a file and not in memory, however many there are.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple

from service.store.herd.lines import Line
from service.store.sealing.entries import Place

_TABLES = """
CREATE TABLE line (
    name TEXT, key BLOB, position INTEGER, kind TEXT, fields BLOB, life INTEGER, origin INTEGER,
    stamp INTEGER, writer TEXT, at INTEGER, PRIMARY KEY (name, key, position)
) WITHOUT ROWID;
CREATE TABLE row (name TEXT, key BLOB, alive INTEGER, PRIMARY KEY (name, key)) WITHOUT ROWID;
CREATE TABLE place (
    first INTEGER PRIMARY KEY, name TEXT, key BLOB, lines INTEGER, alive INTEGER, rank INTEGER
);
"""
_FILL = (
    "INSERT INTO place SELECT MIN(position), name, key, COUNT(*), MAX(life) % 2, 0 FROM line "
    "GROUP BY name, key"
)
_FILL_UP = (
    "INSERT INTO place (name, key, lines, alive, rank) SELECT name, key, 0, alive, 0 FROM row "
    "WHERE NOT EXISTS (SELECT 1 FROM line WHERE line.name = row.name AND line.key = row.key)"
)
_LINES = (
    "SELECT position, name, key, kind, fields, life, origin, stamp, writer, at FROM line "
    "WHERE name = ? AND key = ? AND position > ? ORDER BY position LIMIT ?"
)
_LIVE = (
    "SELECT first, name, key, lines, rank FROM place WHERE alive = 1 AND (rank, first) > (?, ?) "
    "ORDER BY rank, first LIMIT ?"
)
_DEAD = (
    "SELECT first, name, key, lines, rank FROM place WHERE alive = 0 AND (rank, first) < (?, ?) "
    "ORDER BY rank DESC, first DESC LIMIT ?"
)
_ALL = 2**62

Ranks = Callable[[Sequence[str]], Mapping[str, int]]
"""Where tables stand in the order in which rows travel, parents first."""


class Spooled(NamedTuple):
    """A row: where the first of its lines stands, and how many there are.

    One without lines has a number above all positions in place of that.
    """

    first: int
    table: str
    key: bytes
    lines: int
    rank: int

    @property
    def place(self) -> Place:
        """Which row it is."""
        return self.table, self.key


class Spool:
    """Lines by row. The file has no name, and goes when this is closed."""

    def __init__(self) -> None:
        # With an empty name SQLite keeps in memory what is little, and the rest in a file.
        self._store = sqlite3.connect("", isolation_level=None)
        self._store.execute("PRAGMA journal_mode = OFF")
        self._store.executescript(_TABLES)
        self._store.execute("BEGIN")

    def close(self) -> None:
        """Drop all of it."""
        self._store.close()

    def add(self, lines: Iterable[Line]) -> None:
        """Keep some lines."""
        self._store.executemany(
            "INSERT OR REPLACE INTO line (position, name, key, kind, fields, life, origin, stamp, "
            "writer, at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            lines,
        )

    def add_rows(self, places: Iterable[Place], *, alive: bool) -> None:
        """Keep some rows, of which there may be lines or not."""
        self._store.executemany(
            "INSERT OR IGNORE INTO row VALUES (?, ?, ?)", ((*place, alive) for place in places)
        )

    def has(self, place: Place) -> bool:
        """Whether there is a line of a row."""
        return self._store.execute(_LINES, (*place, 0, 1)).fetchone() is not None

    def arrange(self, ranks: Ranks) -> None:
        """All lines are there: put the rows in order."""
        self._store.execute(_FILL)
        self._store.execute(_FILL_UP)
        names = [name for (name,) in self._store.execute("SELECT DISTINCT name FROM place")]
        self._store.executemany(
            "UPDATE place SET rank = ? WHERE name = ?",
            [(rank, name) for name, rank in ranks(names).items()],
        )
        self._store.execute("CREATE INDEX travelling ON place (alive, rank, first)")

    def live(self, after: Spooled | None, most: int) -> list[Spooled]:
        """The next rows that live by their lines, parents first: some of one table."""
        at = (-1, -1) if after is None else (after.rank, after.first)
        return self._next(_LIVE, (*at, most))

    def dead(self, after: Spooled | None, most: int) -> list[Spooled]:
        """The next of the others, children first."""
        at = (_ALL, _ALL) if after is None else (after.rank, after.first)
        return self._next(_DEAD, (*at, most))

    def dies(self, rows: Iterable[Spooled]) -> None:
        """These rows are dead, whatever their lines say: they travel with the dead ones."""
        self._store.executemany(
            "UPDATE place SET alive = 0 WHERE first = ?", [(row.first,) for row in rows]
        )

    def lines(self, row: Spooled, after: int = 0, most: int = _ALL) -> list[Line]:
        """The lines of a row at positions above one, in their order."""
        return [Line(*one) for one in self._store.execute(_LINES, (*row.place, after, most))]

    def _next(self, statement: str, parameters: tuple[int, ...]) -> list[Spooled]:
        found = [Spooled(*row) for row in self._store.execute(statement, parameters)]
        return [row for row in found if row.table == found[0].table]
