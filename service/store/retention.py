"""How much of the changelog is kept, and of the graveyards with it.

Entries older than so many days go, and those beyond the newest so many, but none that a registered
consumer or a sibling still needs. When the entry of a deletion goes, the dead row it speaks of goes
with it. What goes is always the beginning; the horizon is the highest position that is gone.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import takewhile
from typing import NamedTuple

from MySQLdb import Error as DriverError

from schema.capture.columns import LIFE
from service.store.herd.floors import need_of, raise_floors
from service.store.sealing.asking import ask_apart
from service.store.sealing.entries import DELETE, Place
from service.store.sealing.keys import (
    KEYS_A_STATEMENT,
    KnownKeys,
    TableKeys,
    is_absent,
    structure_is_locked,
)
from service.store.sealing.lease import NotHolder
from service.store.transaction import Transaction
from service.store.work import Worker

ENTRIES_AT_ONCE = 2_000
"""Entries pruned in one transaction: short enough not to hold up sealing."""

_DAY = 86_400 * 1_000_000


class Old(NamedTuple):
    """An entry that may be pruned; `at` is its position at its origin."""

    position: int
    sealed_at: int
    table: str
    key: bytes
    kind: str
    life: int
    origin: int
    at: int


@dataclass(frozen=True)
class Retention:
    """How long and how many entries are kept."""

    days: int
    entries: int

    def oldest_kept(self, newest: int, now: int) -> int:
        """The moment before which entries are too old, all in microseconds since 1970, UTC.

        Age is counted from the node's own time or from when the newest entry was sealed, by the
        database's, whichever is earlier: where one of the clocks runs ahead, nothing is lost.
        """
        return min(newest, now) - self.days * _DAY

    def highest_gone(self, position: int, needed: int | None) -> tuple[int, int]:
        """Up to which position entries may go for their age, and up to which they go anyway.

        `position` is the last one, `needed` the lowest that a consumer has acknowledged.
        """
        may = position if needed is None else min(position, needed)
        return may, min(may, position - self.entries)


class Pruner:
    """Prunes, as the holder of the lease; on the sealer's connection, in its thread.

    `now` is the node's time in microseconds since 1970, UTC.
    """

    def __init__(
        self, worker: Worker, name: str, retention: Retention, now: Callable[[], int]
    ) -> None:
        self._worker = worker
        self._name = name
        self._retention = retention
        self._now = now
        self._known = KnownKeys()

    def prune(self) -> tuple[int, bool]:
        """Prune some entries; how many, and whether there may be more to prune.

        Raises NotHolder, and what a unit of work fails with.
        """
        return self._worker.run(self._work)

    def _work(self, tx: Transaction) -> tuple[int, bool]:
        found = tx.rows(
            "SELECT `holder`, `position`, `horizon` FROM `herdbook_sealer` WHERE `only` = 1 "
            "FOR UPDATE"
        )
        if not found or found[0][0] != self._name:
            raise NotHolder("another process seals")
        _holder, position, horizon = found[0]
        old = self._too_old(tx, position, horizon)
        gone = _clear_graveyards(tx, self._known, old)
        if not gone:
            return 0, False
        upto = gone[-1].position
        raise_floors(tx, ((one.origin, one.at) for one in gone))
        tx.execute("DELETE FROM `herdbook_changelog` WHERE `position` <= ?", (upto,))
        tx.execute("UPDATE `herdbook_sealer` SET `horizon` = ? WHERE `only` = 1", (upto,))
        return len(gone), len(gone) == ENTRIES_AT_ONCE

    def _too_old(self, tx: Transaction, position: int, horizon: int) -> list[Old]:
        """The lowest entries that are to go."""
        needed = tx.rows("SELECT MIN(`position`) FROM `herdbook_consumer`")[0][0]
        may, must = self._retention.highest_gone(position, needed)
        if may <= horizon:
            return []
        newest = tx.rows(
            "SELECT `sealed_at` FROM `herdbook_changelog` ORDER BY `position` DESC LIMIT 1"
        )
        oldest = self._retention.oldest_kept(newest[0][0] if newest else 0, self._now())
        found = tx.rows(
            "SELECT `position`, `sealed_at`, `table_name`, `row_key`, `kind`, `life`, `origin`, "
            "COALESCE(`at_origin`, `position`) "
            "FROM `herdbook_changelog` WHERE `position` <= ? ORDER BY `position` "
            f"LIMIT {ENTRIES_AT_ONCE:d}",
            (may,),
        )
        need = need_of(tx)

        def goes(old: Old) -> bool:
            is_old = old.position <= must or old.sealed_at < oldest
            return is_old and need.may_go(old.origin, old.at)

        return list(takewhile(goes, (Old(*row) for row in found)))


def _clear_graveyards(tx: Transaction, known: KnownKeys, old: Sequence[Old]) -> Sequence[Old]:
    """Take dead rows out of the graveyards together with the entries that go.

    Those go that come before the first whose dead row somebody holds.
    """
    by_table = _keys_by_table(_deaths(old))
    if not by_table:
        return old
    keys = known.of(tx, list(by_table))
    graves = [_Graves(tx, keys[table], found) for table, found in by_table.items() if table in keys]
    held = {place for one in graves for place in one.held}
    gone = list(takewhile(lambda one: one.kind != DELETE or (one.table, one.key) not in held, old))
    deaths = _deaths(gone)
    for one in graves:
        one.clear(deaths)
    return gone


def _deaths(old: Sequence[Old]) -> dict[Place, int]:
    """The life with which each row died last."""
    return {(one.table, one.key): one.life for one in old if one.kind == DELETE}


def _keys_by_table(places: Iterable[Place]) -> dict[str, list[bytes]]:
    tables: dict[str, list[bytes]] = defaultdict(list)
    for table, key in places:
        tables[table].append(key)
    return tables


class _Graves:
    """Some dead rows of one table, locked as far as nobody else holds them."""

    def __init__(self, tx: Transaction, keys: TableKeys, wanted: Sequence[bytes]) -> None:
        self._tx = tx
        self._keys = keys
        self._lives: dict[bytes, int] = {}
        self.held: set[Place] = set()
        try:
            # Keys that cannot be asked for have no dead rows that could be found.
            ask_apart(tx, keys, (keys.dead,), wanted, self._lock_each)
        except DriverError as error:
            if structure_is_locked(error):
                self.held.update((keys.table, key) for key in wanted)
            elif not is_absent(error):
                raise

    def _lock_each(self, wanted: Sequence[bytes]) -> None:
        for start in range(0, len(wanted), KEYS_A_STATEMENT):
            self._lock(wanted[start : start + KEYS_A_STATEMENT])

    def _lock(self, part: Sequence[bytes]) -> None:
        """Lock what is free of these, and read their lives as they are now."""
        dead, among = self._keys.dead, self._keys.among("dead", len(part))
        question = (
            f"SELECT {self._keys.expression('dead')}, dead.{LIFE} FROM {dead} AS dead "
            f"FORCE INDEX (PRIMARY) WHERE {among}"
        )
        parameters = self._keys.parameters(part)
        there = {key for key, _life in self._tx.rows(question, parameters)}
        free = dict(self._tx.rows(f"{question} FOR UPDATE SKIP LOCKED", parameters))
        self._lives.update(free)
        self.held.update((self._keys.table, key) for key in there - free.keys())

    def clear(self, deaths: Mapping[Place, int]) -> None:
        """Remove those that died with these lives; a row that died later stays."""
        table = self._keys.table
        gone = [key for key, life in self._lives.items() if life <= deaths.get((table, key), 0)]
        ask_apart(self._tx, self._keys, (self._keys.dead,), gone, self._remove)

    def _remove(self, gone: Sequence[bytes]) -> None:
        for start in range(0, len(gone), KEYS_A_STATEMENT):
            part = gone[start : start + KEYS_A_STATEMENT]
            self._tx.execute(
                f"DELETE dead FROM {self._keys.dead} AS dead FORCE INDEX (PRIMARY) "
                f"WHERE {self._keys.among('dead', len(part))}",
                self._keys.parameters(part),
            )
