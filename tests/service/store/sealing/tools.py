"""Sealers for tests, and what stands in the changelog after them."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from schema.direct import create_tables
from service.database_url import DatabaseUrl
from service.store.database import HerdbookDatabase
from service.store.sealing.passes import ENTRIES_A_PASS, Pass, Sealer
from service.store.sealing.session import SealingSession
from service.store.work import RetryPolicy, Worker
from tests.service.store.sealing.plots import CATALOGUE
from tests.service.store.tools import ask, raw_connection, read

SESSION = SealingSession(connect_seconds=2, statement_seconds=20, grace_seconds=1)
MOST_PASSES = 1_000


def captured(url: str) -> str:
    """The same URL, once its database has the tables of the plots, captured."""
    create_tables(DatabaseUrl.parse(url).as_sqlalchemy(), CATALOGUE)
    return url


def worker_at(url: str, attempts: int = 1) -> Worker:
    """A worker as the sealer has one."""
    database = HerdbookDatabase(DatabaseUrl.parse(url), SESSION)
    return Worker(database, CATALOGUE, RetryPolicy(attempts), chance=lambda: 0.5)


@contextmanager
def candidate(
    url: str,
    name: str = "one",
    entries: int = ENTRIES_A_PASS,
    attempts: int = 1,
    clock: Callable[[], float] = time.monotonic,
) -> Iterator[Sealer]:
    """A sealer that does not have the lease yet."""
    sealer = Sealer(worker_at(url, attempts), name, entries, clock)
    try:
        yield sealer
    finally:
        sealer.close()


@contextmanager
def sealing(
    url: str,
    name: str = "one",
    entries: int = ENTRIES_A_PASS,
    attempts: int = 1,
    clock: Callable[[], float] = time.monotonic,
) -> Iterator[Sealer]:
    """A sealer that has the lease, whoever had it before."""
    with candidate(url, name, entries, attempts, clock) as sealer:
        lease, _position = sealer.lease()
        assert sealer.take(lease)
        yield sealer


def seal_all(sealer: Sealer) -> Pass:
    """Pass after pass until nothing more is to be had; the last one."""
    for _turn in range(MOST_PASSES):
        made, _nothing = sealer.seal()
        if not made.more:
            return made
    raise AssertionError("the passes do not come to an end")


@dataclass(frozen=True)
class Line:
    """One line of the changelog."""

    position: int
    entry: int
    table: str
    key: bytes
    kind: str
    life: int


def changelog(url: str) -> list[Line]:
    """All of it by position. Positions without gap or repeat are checked on the way."""
    found = read(
        url,
        "SELECT `position`, `entry`, table_name, row_key, kind, life FROM herdbook_changelog "
        "ORDER BY `position`",
    )
    lines = [Line(*row) for row in found]
    assert [line.position for line in lines] == list(range(1, len(lines) + 1))
    assert read(url, "SELECT `position` FROM herdbook_sealer") == [(len(lines),)]
    return lines


def told(url: str) -> list[tuple[str, str, int]]:
    """Kind, key and life of each line; keys as text."""
    return [(line.kind, line.key.decode(), line.life) for line in changelog(url)]


def inbox(url: str) -> int:
    """How many entries wait."""
    count: int = read(url, "SELECT COUNT(*) FROM herdbook_inbox")[0][0]
    return count


def check_lives(url: str) -> None:
    """What must hold of lives once everything is sealed.

    Per key they only grow in the changelog, odd while alive; no dead row lies beside a live one;
    rows and dead rows have the life that the changelog says last.
    """
    lives: dict[tuple[str, bytes], list[Line]] = defaultdict(list)
    for line in changelog(url):
        lives[line.table, line.key].append(line)
    for lines in lives.values():
        numbers = [line.life for line in lines]
        assert numbers == sorted(numbers)
        for line in lines:
            assert line.life % 2 == (0 if line.kind == "delete" else 1)
        starts = [line.life for line in lines if line.kind != "update"]
        assert len(starts) == len(set(starts))
    beside = read(
        url,
        "SELECT COUNT(*) FROM plot JOIN herdbook_dead_plot AS dead ON dead.number = plot.number",
    )
    assert beside == [(0,)]
    stand = dict(read(url, "SELECT number, herdbook_life FROM plot"))
    stand |= dict(read(url, "SELECT number, herdbook_life FROM herdbook_dead_plot"))
    last = {int(key): lines[-1].life for (table, key), lines in lives.items() if table == "plot"}
    assert stand == last


def run(url: str, *statements: str) -> None:
    """Run statements, each committed by itself."""
    with raw_connection(url) as connection:
        for statement in statements:
            ask(connection, statement)


@contextmanager
def open_transaction(url: str, *statements: str) -> Iterator[Any]:
    """A session that has run statements in one transaction and does not commit.

    Its isolation is the servers' default, REPEATABLE READ. What is still open is undone.
    """
    with raw_connection(url, autocommit=False) as connection:
        for statement in statements:
            ask(connection, statement)
        yield connection
        connection.rollback()


class Clock:
    """A clock that goes forward when the test says so."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        """The time."""
        return self.now


Task = Callable[[], Any]
