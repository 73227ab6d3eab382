"""Writers, a sealer and a reader at once: whoever takes the deltas has the same in the end.

At every step there is no orphan, and what a delta says it covers has come.
"""

from __future__ import annotations

import random
import threading
from collections.abc import Callable
from functools import partial

import MySQLdb

from records.states import RowState
from service.errors import Busy
from service.herd.deltas import Delta
from service.herd.shapes import Place
from service.simulation.node import Node
from service.store.herd.delta_parts import Sizes
from service.store.herd.described import describe
from service.store.herd.reading import Bounds, DeltaReader
from service.store.herd.rows import standings
from service.store.herd.unsealed import Patience
from service.store.herd.values import key_of
from service.store.transaction import Transaction
from tests.service.store.herd.deltas import (
    own,
    parts_of,
    reader_at,
    sealed,
    sealing_beside,
    shapes_of,
)
from tests.service.store.herd.ranch import CATALOGUE
from tests.service.store.tools import ask, in_transaction, raw_connection, read

WRITERS, TRANSACTIONS = 4, 120
KEYS = 8
_ASIDE = frozenset({1062, 1205, 1213, 1451, 1452, 1020})
"""What writers do to each other: such a transaction is undone."""


def write(url: str, seed: int) -> None:
    """Transactions of some statements each, on few rows, so that they get into each other's way."""
    chance = random.Random(seed)
    with raw_connection(url, autocommit=False) as connection:
        ask(connection, "SET SESSION innodb_lock_wait_timeout = 2")
        for _turn in range(TRANSACTIONS):
            try:
                for _step in range(chance.randint(1, 4)):
                    ask(connection, statement(chance))
                connection.commit()
            except MySQLdb.Error as error:
                connection.rollback()
                if error.args[0] not in _ASIDE:
                    raise


def statement(chance: random.Random) -> str:
    """One of the things that applications do."""
    ranch, stable, horse = (chance.randrange(KEYS) for _each in range(3))
    name = chance.randrange(1_000)
    return chance.choice(
        [
            f"INSERT IGNORE INTO ranch (number, name) VALUES ({ranch}, '{name}')",
            f"UPDATE ranch SET name = '{name}' WHERE number = {ranch}",
            f"DELETE FROM ranch WHERE number = {ranch}",
            f"INSERT IGNORE INTO stable (number, ranch_number, sign) "
            f"VALUES ({stable}, {ranch}, '{name}')",
            f"UPDATE IGNORE stable SET ranch_number = {ranch} WHERE number = {stable}",
            f"DELETE FROM stable WHERE number = {stable}",
            f"INSERT IGNORE INTO horse (number, stable_number, owner_number, chip) "
            f"VALUES ({horse}, {stable}, {ranch}, {name})",
            f"UPDATE horse SET name = '{name}' WHERE number = {horse}",
            f"DELETE FROM horse WHERE number = {horse}",
        ]
    )


def hold(url: str, over: threading.Event) -> None:
    """Transactions that hold rows for a while, as one does that is about to add children."""
    chance = random.Random(WRITERS)
    with raw_connection(url, autocommit=False) as connection:
        while not over.is_set():
            try:
                for table in ("ranch", "stable"):
                    held = f"SELECT * FROM {table} WHERE number = {chance.randrange(KEYS)}"
                    ask(connection, f"{held} LOCK IN SHARE MODE")
                over.wait(0.2)
            except MySQLdb.Error as error:
                if error.args[0] not in _ASIDE:
                    raise
            connection.rollback()


class Follower:
    """A node in memory that takes one delta after the other."""

    def __init__(self, url: str, reader: DeltaReader) -> None:
        self._url = url
        self._us = own(url)
        self._reader = reader
        self.node = Node(9, shapes_of(url))
        self.deltas = 0
        self.refused = 0

    def follow(self) -> None:
        """Take one delta in all its parts."""
        above = {origin: at for origin, at in self.node.vector.items() if at}
        waiting: Delta | None = None
        try:
            parts = list(parts_of(self._reader.read(above)))
        except Busy:
            self.refused += 1
            return
        for part in parts:
            if part.last and waiting is not None:
                part = part._replace(
                    rows=waiting.rows + part.rows, entries=waiting.entries + part.entries
                )
            plan = self.node.apply(part, now=1)
            assert plan.journal == ()
            more = (plan.waiting, plan.waiting_entries)
            rows, entries = (waiting.rows, waiting.entries) if waiting else ((), ())
            waiting = part._replace(rows=rows + more[0], entries=entries + more[1])
            self.check()
        self.deltas += 1
        self.require_covered()

    def check(self) -> None:
        """No live row refers to one that is not there."""
        states = self.node.tables.states
        for (table, _key), state in self.node.tables.live():
            for reference in self.node.shapes[table].references:
                key = tuple(state.values[column] for column in reference.columns)
                assert None in key or states[reference.parent, key].alive

    def require_covered(self) -> None:
        """All entries up to where the vector says are here."""
        upto = self.node.vector.get(self._us, 0)
        there = read(
            self._url,
            "SELECT `position` FROM herdbook_changelog WHERE `position` <= ?".replace(
                "?", str(upto)
            ),
        )
        assert {at for (at,) in there} <= set(self.node.tables.log[self._us])


def rows_there(url: str) -> dict[Place, RowState]:
    """All rows that the changelog speaks of, as they stand."""
    found: dict[Place, RowState] = {}

    def look(tx: Transaction) -> None:
        for name, table in describe(tx).tables.items():
            raws = tx.rows(
                "SELECT DISTINCT row_key FROM herdbook_changelog WHERE table_name = ?", (name,)
            )
            keys = [key_of(table.key, raw) for (raw,) in raws]
            found.update(
                {(name, key): one.state for key, one in standings(tx, table, keys).items()}
            )

    in_transaction(url, CATALOGUE, look)
    return found


def storm(url: str, take: Callable[[], None]) -> None:
    """Let writers write, and take deltas meanwhile."""
    failed: list[BaseException] = []
    over = threading.Event()

    def run(task: Callable[[], None]) -> None:
        try:
            task()
        except BaseException as error:
            failed.append(error)

    def begin(task: Callable[[], None]) -> threading.Thread:
        thread = threading.Thread(target=run, args=(task,))
        thread.start()
        return thread

    writers = [begin(partial(write, url, seed)) for seed in range(WRITERS)]
    holder = begin(partial(hold, url, over))
    try:
        while any(writer.is_alive() for writer in writers):
            take()
    finally:
        over.set()
        for thread in (*writers, holder):
            thread.join()
    assert failed == []


def test_a_node_that_takes_deltas_in_a_storm_has_the_same_in_the_end(ranch: str) -> None:
    """Parts are small; births over dead rows are many, and some of them wait."""
    small = Bounds(Sizes(most_rows=5, most_bytes=4_000, most_lines=10), Patience(seal=0.02))
    with sealing_beside(ranch) as wake:
        follower = Follower(ranch, reader_at(ranch, wake, bounds=small))
        storm(ranch, follower.follow)
    sealed(ranch)
    follower.follow()
    assert follower.deltas > 3
    assert follower.node.tables.waiting == {}
    assert follower.node.tables.states == rows_there(ranch)
    ((position,),) = read(ranch, "SELECT `position` FROM herdbook_sealer")
    assert position > TRANSACTIONS
    assert follower.node.vector[own(ranch)] == position
