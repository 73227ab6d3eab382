"""Keys that are gone, as many as there are: they are kept in a file and not in memory."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import TracebackType


@dataclass(frozen=True, slots=True)
class Trace:
    """What is known of a key since its last death: its life and its latest stamp.

    `sealed` says that this life is the true one: what is not sealed may have the life of a first
    birth and be a later one. `dead` is the life of the dead row that lies in the graveyard under
    this key, however it is spelled there; 0 where there is none.
    """

    life: int
    stamp: int
    sealed: bool
    dead: int = 0

    def later(self, other: Trace) -> Trace:
        """The same after something else was noted of the key."""
        return Trace(
            max(self.life, other.life),
            max(self.stamp, other.stamp),
            self.sealed and other.sealed,
            self.dead,
        )

    @property
    def dead_before(self) -> int:
        """The life of the dead row if it died before this life began, else 0.

        One that died later is of another spelling: of this one the deletion would have been met.
        """
        return 0 if self.sealed and self.dead > self.life else self.dead

    @property
    def death(self) -> int:
        """The life that this one ends with."""
        return max(self.life, self.dead_before + 1) + 1


class GoneKeys:
    """The traces of keys, by table and key. The file has no name, and goes when this is closed."""

    def __init__(self) -> None:
        # With an empty name SQLite keeps in memory what is little, and the rest in a file.
        self._store = sqlite3.connect("")
        self._store.execute("PRAGMA journal_mode = OFF")
        self._store.execute(
            "CREATE TABLE gone (name TEXT, key BLOB, life INTEGER, stamp INTEGER, sealed INTEGER, "
            "dead INTEGER, PRIMARY KEY (name, key)) WITHOUT ROWID"
        )

    def __enter__(self) -> GoneKeys:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        where: TracebackType | None,
    ) -> None:
        self._store.close()

    def keep(self, table: str, traces: Mapping[bytes, Trace]) -> None:
        """Keep these, in the place of what was known of the same keys."""
        self._store.executemany(
            "INSERT OR REPLACE INTO gone VALUES (?, ?, ?, ?, ?, ?)",
            (
                (table, key, trace.life, trace.stamp, trace.sealed, trace.dead)
                for key, trace in traces.items()
            ),
        )

    def forget(self, table: str, keys: Iterable[bytes]) -> None:
        """Forget these keys; most of them may be unknown."""
        self._store.executemany(
            "DELETE FROM gone WHERE name = ? AND key = ?", ((table, key) for key in keys)
        )

    def trace(self, table: str, key: bytes) -> Trace | None:
        """What is known of one key."""
        found = self._store.execute(f"{_TRACES} AND key = ?", (table, key)).fetchone()
        return None if found is None else _trace(*found)[1]

    def beginning(self, table: str, key: bytes, most: int) -> dict[bytes, Trace]:
        """The next keys of a table, beginning with this one, in their order."""
        found = self._store.execute(
            f"{_TRACES} AND key >= ? ORDER BY key LIMIT ?", (table, key, most)
        )
        return dict(_trace(*row) for row in found)


_TRACES = "SELECT key, life, stamp, sealed, dead FROM gone WHERE name = ?"


def _trace(key: bytes, life: int, stamp: int, sealed: int, dead: int) -> tuple[bytes, Trace]:
    return key, Trace(life, stamp, bool(sealed), dead)
