"""Workers that stand in each other's way: deadlocks and lock waits are retried, then reported."""

from __future__ import annotations

import threading
from functools import partial
from typing import Any

import pytest

from service.errors import Busy
from service.store.transaction import Transaction
from service.store.work import RetryPolicy
from tests.live.units import STEPS, Side, rows_of, unit
from tests.service.store.families import CATALOGUE
from tests.service.store.tools import (
    QUICK,
    ask,
    create_tables,
    in_transaction,
    raw_connection,
    read,
    working,
)

_ADD = "UPDATE seat SET place = place + 1 WHERE number = ?"


def add_one(tx: Transaction) -> None:
    """Add to the first counter."""
    tx.execute(_ADD, (1,))


@pytest.fixture
def seats(database: str) -> str:
    """The URL of a database with two counters at 0."""
    create_tables(database, CATALOGUE)

    def fill(tx: Transaction) -> None:
        for number in (1, 2):
            tx.execute("INSERT INTO seat (number, line, place) VALUES (?, ?, 0)", (number, number))

    in_transaction(database, CATALOGUE, fill)
    return database


def test_a_real_deadlock_is_retried_and_both_units_are_done_once(seats: str) -> None:
    """Two units take the same two rows in opposite order: one is sent back, both succeed."""
    both_have_one, runs = threading.Barrier(2), []

    def take(first: int, second: int) -> str:
        own_runs: list[int] = []

        def work(tx: Transaction) -> str:
            own_runs.append(first)
            runs.append(first)
            tx.execute(_ADD, (first,))
            if len(own_runs) == 1:
                both_have_one.wait(20)
            tx.execute(_ADD, (second,))
            return "done"

        with working(seats, CATALOGUE) as worker:
            return worker.run(work)

    sides = [Side(lambda: take(1, 2)), Side(lambda: take(2, 1))]
    assert [side.join() for side in sides] == ["done", "done"]
    assert read(seats, "SELECT place FROM seat ORDER BY number") == [(2,), (2,)]
    assert len(runs) == 3


def test_a_lock_that_is_released_in_time_costs_only_waiting(seats: str) -> None:
    """After the first wait is over its limit the unit runs again, and gets the row."""
    with raw_connection(seats, autocommit=False) as holder:
        ask(holder, "UPDATE seat SET place = 100 WHERE number = 1")
        released: list[Any] = []

        def work(tx: Transaction) -> int:
            if released:
                holder.commit()
            released.append(None)
            return tx.execute(_ADD, (1,))

        with working(seats, CATALOGUE, QUICK) as worker:
            assert worker.run(work) == 1
    assert len(released) == 2
    assert read(seats, "SELECT place FROM seat WHERE number = 1") == [(101,)]


def test_a_lock_that_stays_is_reported_as_busy(seats: str) -> None:
    """After all attempts: Busy, which may be sent again, and nothing was written."""
    with raw_connection(seats, autocommit=False) as holder:
        ask(holder, "UPDATE seat SET place = 100 WHERE number = 1")
        with working(seats, CATALOGUE, QUICK, RetryPolicy(2, 0.001)) as worker:
            with pytest.raises(Busy, match="the rows stayed locked by other work") as caught:
                worker.run(unit("a", 2, add_one, times=9))
            assert caught.value.retryable
            assert rows_of(seats, "a") == 0
            holder.rollback()
            assert worker.run(unit("b", 2, add_one)) == "b"
    assert rows_of(seats, "b") == STEPS


def test_many_writers_of_one_row_are_all_counted(seats: str) -> None:
    """Eight workers add to two rows in changing order: every addition counts, once."""

    def add(rows: tuple[int, ...], tx: Transaction) -> None:
        for row in rows:
            tx.execute(_ADD, (row,))

    def add_many(seed: int) -> None:
        with working(seats, CATALOGUE) as worker:
            for turn in range(20):
                worker.run(partial(add, (1, 2) if (seed + turn) % 2 else (2, 1)))

    sides = [Side(partial(add_many, seed)) for seed in range(8)]
    for side in sides:
        side.join()
    assert read(seats, "SELECT place FROM seat ORDER BY number") == [(160,), (160,)]
