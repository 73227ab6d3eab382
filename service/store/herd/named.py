"""Which rows the parts of a snapshot have named so far: kept in a file, however many they are."""

from __future__ import annotations

import sqlite3
import weakref
from collections.abc import Collection, Iterable

_AT_ONCE = 500


class Named:
    """Digests of places. The file has no name, and goes with this object.

    It belongs to one thread at a time.
    """

    def __init__(self, number: int) -> None:
        self.number = number
        # With an empty name SQLite keeps in memory what is little, and the rest in a file.
        self._store = sqlite3.connect("", isolation_level=None, check_same_thread=False)
        # Whoever forgets a link does not know whether a part of it is being applied.
        weakref.finalize(self, self._store.close)
        self._store.execute("PRAGMA journal_mode = OFF")
        self._store.execute("CREATE TABLE named (digest BLOB PRIMARY KEY) WITHOUT ROWID")
        self._store.execute("BEGIN")

    def add(self, digests: Iterable[bytes]) -> None:
        """These rows are named; they may have been before."""
        self._store.executemany(
            "INSERT OR IGNORE INTO named VALUES (?)", ((digest,) for digest in digests)
        )

    def among(self, digests: Collection[bytes]) -> set[bytes]:
        """Those of some rows that were named."""
        found: set[bytes] = set()
        wanted = list(digests)
        for start in range(0, len(wanted), _AT_ONCE):
            part = wanted[start : start + _AT_ONCE]
            marks = ", ".join(["?"] * len(part))
            rows = self._store.execute(f"SELECT digest FROM named WHERE digest IN ({marks})", part)
            found.update(digest for (digest,) in rows)
        return found
