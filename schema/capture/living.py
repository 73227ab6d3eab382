"""Which keys are thought to live, by what was noted of them, and are not in their tables.

The changelog and the inbox are walked through in one snapshot, and of the keys a limited number is
kept at a time: what found no room is left to the next walk.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from sqlalchemy import Connection, Table, select

from schema.capture.columns import LIFE, STAMP, graveyard_of
from schema.capture.key_lookup import KeyLookup
from schema.capture.quoting import quoted
from schema.capture.row_key import key_expression
from schema.capture.shape import Capture
from schema.capture.triggers import TRIGGER_MODE
from schema.system import changelog, inbox

KEYS_A_WALK = 100_000
ENTRIES_A_READ = 1_000
KEYS_A_STATEMENT = 500

Place: TypeAlias = tuple[str, bytes]
"""A table and a key in it."""


@dataclass(frozen=True, slots=True)
class Trace:
    """What is known of a key since its last death: its life and its latest stamp.

    `dead` is the life of a dead row that lies in the graveyard, 0 where there is none.
    """

    life: int
    stamp: int
    dead: int = 0

    def later(self, other: Trace) -> Trace:
        """The same after something else was noted of the key."""
        return Trace(max(self.life, other.life), max(self.stamp, other.stamp), self.dead)


@dataclass(frozen=True)
class Reached:
    """How far the changelog and the inbox were walked through."""

    position: int = 0
    entry: int = 0


class TableKeys:
    """The keys of one table and its graveyard, asked for as the entries have them."""

    def __init__(self, connection: Connection, capture: Capture) -> None:
        self._connection = connection
        self._capture = capture
        self._lookup = KeyLookup(connection, capture.table, capture.key)

    def knows(self, key: bytes) -> bool:
        """Whether it can be a key of the table, as the table is now."""
        try:
            self._lookup.values_of(key)
        except (ValueError, ArithmeticError):
            return False
        return True

    def present(self, keys: Sequence[bytes], lock: str = "") -> dict[bytes, Trace]:
        """The rows that the server finds under these keys; some may be spelled otherwise."""
        more = f", this.{LIFE}, this.{STAMP}"
        found = self._rows(self._capture.table, keys, more, lock)
        return {key: Trace(life, stamp) for key, life, stamp in found}

    def dead_lives(self, keys: Sequence[bytes], lock: str = "") -> dict[bytes, int]:
        """The lives of dead rows with these keys."""
        return dict(self._rows(graveyard_of(self._capture.table), keys, f", this.{LIFE}", lock))

    def unbury(self, keys: Sequence[bytes]) -> None:
        """Take the dead rows with these keys out of the graveyard."""
        grave = quoted(graveyard_of(self._capture.table)).replace("%", "%%")
        for part in parts(keys):
            condition, values = self._among(part)
            self._connection.exec_driver_sql(f"DELETE FROM {grave} WHERE {condition}", values)

    def _rows(
        self, table: str, keys: Sequence[bytes], more: str, lock: str
    ) -> Iterator[tuple[Any, ...]]:
        """Rows with these keys: the key, and what else is selected."""
        selected = f"{key_expression(self._capture.key, 'this')}{more}"
        query = f"SELECT {selected} FROM {quoted(table)} AS this FORCE INDEX (PRIMARY)"
        for part in parts(keys):
            condition, values = self._among(part)
            found = self._connection.exec_driver_sql(
                f"{query.replace('%', '%%')} WHERE {condition} {lock}", values
            )
            yield from ((bytes(key), *rest) for key, *rest in found)

    def _among(self, keys: Sequence[bytes]) -> tuple[str, tuple[Any, ...]]:
        return self._lookup.among([self._lookup.values_of(key) for key in keys])


class Walk:
    """One walk through what was noted of some tables, on a connection of its own.

    `gone` are the keys that are thought to live and are not in their tables, by table; `rest` is
    where the next walk is to begin, None where this one had room for all.
    """

    def __init__(
        self, connection: Connection, captures: Mapping[str, Capture], begin: Reached
    ) -> None:
        self.gone: dict[str, dict[bytes, Trace]] = {name: {} for name in captures}
        self.rest: Reached | None = None
        self._connection = connection
        self._keys = {name: TableKeys(connection, one) for name, one in captures.items()}
        connection.exec_driver_sql("SET SESSION sql_mode = %s", (TRIGGER_MODE,))
        connection.rollback()
        # All of it is one transaction: entries that are sealed meanwhile are met once.
        connection.exec_driver_sql("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        position = self._through(changelog, begin.position, lambda at: Reached(at, begin.entry))
        self._through(inbox, begin.entry, lambda at: Reached(position, at))
        connection.rollback()

    def _through(self, log: Table, after: int, reached: Callable[[int], Reached]) -> int:
        """Walk through one of the two; the number of its last entry."""
        number, columns = next(iter(log.primary_key.columns)), log.c
        query = (
            select(number, *(columns[name] for name in _NEEDED))
            .where(columns.table_name.in_(self._keys))
            .order_by(number)
            .limit(ENTRIES_A_READ)
        )
        while entries := self._connection.execute(query.where(number > after)).all():
            opened = self._opened(entries)
            if self.rest is None and sum(map(len, self.gone.values())) >= KEYS_A_WALK:
                self.rest = reached(after)
            self._take_in(opened, sealed=log is changelog)
            after = entries[-1][0]
        return after

    def _opened(self, entries: Sequence[Any]) -> dict[Place, Trace]:
        """What these entries tell of keys that they do not leave dead."""
        opened: dict[Place, Trace] = {}
        for _number, table, row_key, kind, life, stamp in entries:
            place = table, bytes(row_key)
            if kind == "delete":
                opened.pop(place, None)
                self.gone[table].pop(place[1], None)
            else:
                trace = Trace(life, stamp)
                opened[place] = opened.get(place, trace).later(trace)
        return opened

    def _take_in(self, opened: Mapping[Place, Trace], *, sealed: bool) -> None:
        """Keep those of the keys that are not in their tables."""
        fresh: dict[str, dict[bytes, Trace]] = {}
        for (table, key), trace in opened.items():
            known = self.gone[table].get(key)
            if known is not None:
                self.gone[table][key] = known.later(trace)
            elif self.rest is None and self._keys[table].knows(key):
                fresh.setdefault(table, {})[key] = trace
        for table, traces in fresh.items():
            self.gone[table].update(self._absent(self._keys[table], traces, sealed))

    def _absent(
        self, keys: TableKeys, traces: Mapping[bytes, Trace], sealed: bool
    ) -> Iterator[tuple[bytes, Trace]]:
        """Those without a row. One that died later than a sealed entry tells is seen to be dead.

        What is not sealed may have the life of a first birth and be a later one.
        """
        present = keys.present(list(traces))
        absent = [key for key in traces if key not in present]
        dead = keys.dead_lives(absent)
        for key in absent:
            trace = traces[key]
            if not (sealed and dead.get(key, 0) > trace.life):
                yield key, Trace(trace.life, trace.stamp, dead.get(key, 0))


_NEEDED = ("table_name", "row_key", "kind", "life", "stamp")


def parts(keys: Sequence[bytes]) -> Iterator[Sequence[bytes]]:
    """The keys, a statement's worth at a time."""
    return (keys[at : at + KEYS_A_STATEMENT] for at in range(0, len(keys), KEYS_A_STATEMENT))
