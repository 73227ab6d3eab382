"""Whatever is written, by plain SQL or by the API: who follows the feed has the same tables."""

from __future__ import annotations

import random
from typing import Any

import pytest

from records.kinds.documents import JsonKind
from records.validation import Key, Row
from schema.direct import create_tables
from service.database_url import DatabaseUrl
from service.methods.feed_port import Wanted
from service.server import PrivateServer
from service.store import writer
from service.store.database import HerdbookDatabase
from service.store.feed.pages import Bounds, read_page
from service.store.sealing.passes import Sealer
from service.store.settings import SessionSettings
from service.store.transaction import Transaction
from service.store.work import RetryPolicy, Worker
from tests.capture.writes import CATALOGUE, writing
from tests.service.store.sealing.tools import SESSION, changelog
from tests.service.store.tools import ask, raw_connection, working

SEEDS = range(6)
WRITES = 150
PAGES = 1_000


class Reader:
    """Seals and follows the feed, a few entries at a time, into tables that begin empty."""

    def __init__(self, url: str) -> None:
        database = HerdbookDatabase(DatabaseUrl.parse(url), SESSION)
        self._worker = Worker(database, CATALOGUE, RetryPolicy(), chance=lambda: 0.5)
        self._sealer = Sealer(self._worker, "replay", entries_a_pass=50)
        assert self._sealer.take(self._sealer.lease()[0])
        self.tables: dict[str, dict[Key, Row]] = {name: {} for name in CATALOGUE.records}
        self._position = 0

    def close(self) -> None:
        """Give the connection back."""
        self._sealer.close()

    def follow(self, limit: int) -> bool:
        """Seal, and take a page in; whether nothing is left."""
        found, page = self._sealer.seal(
            lambda tx, _made: read_page(tx, self._position, limit, Wanted(), Bounds())
        )
        assert page is not None
        assert page.found
        for change in page.changes:
            assert change.entry.position == self._position + 1
            self._position += 1
            assert change.entry.record is not None
            assert change.entry.key is not None
            table = self.tables[change.entry.record]
            if change.entry.kind == "delete" or change.row is None:
                table.pop(change.entry.key, None)
            else:
                table[change.entry.key] = dict(change.row)
        return found.drained and page.complete and not page.changes

    def follow_to_the_end(self) -> None:
        """All that there is."""
        for _ in range(PAGES):
            if self.follow(1_000):
                return
        raise AssertionError("the feed does not come to an end")


def write_down(url: str, tables: dict[str, dict[Key, Row]]) -> None:
    """Fill an empty database with what a reader has."""

    def work(tx: Transaction) -> None:
        tx.execute("SET foreign_key_checks = 0")
        for name, rows in tables.items():
            writer.insert(tx, CATALOGUE.records[name], list(rows.values()))

    create_tables(DatabaseUrl.parse(url).as_sqlalchemy(), CATALOGUE)
    with working(url, CATALOGUE, SessionSettings()) as worker:
        worker.run(work)


def held(url: str, name: str) -> list[Any]:
    """What a table holds, to the byte; documents by their value."""
    record = CATALOGUE.records[name]
    exact = ", ".join(
        f"`{field.column}`"
        if isinstance(field.kind, JsonKind)
        else f"HEX(CAST(`{field.column}` AS BINARY)), `{field.column}` + 0e0"
        for field in record.fields.values()
    )
    documents = [
        number
        for number, field in enumerate(record.fields.values())
        if isinstance(field.kind, JsonKind)
    ]
    assert len(documents) <= 1
    with raw_connection(url) as connection:
        ask(connection, "SET time_zone = '+00:00'")
        rows = ask(connection, f"SELECT {exact} FROM `{record.table}`")
    return sorted((_with_values(record, row) for row in rows), key=repr)


def _with_values(record: Any, row: Any) -> Any:
    """A row with its documents parsed."""
    parts = iter(row)
    found: list[Any] = []
    for field in record.fields.values():
        if isinstance(field.kind, JsonKind):
            raw = next(parts)
            found.append(None if raw is None else field.kind.from_database(raw))
        else:
            found += [next(parts), next(parts)]
    return found


@pytest.mark.parametrize("seed", SEEDS)
def test_replaying_the_feed_gives_the_tables(
    database: str, server: PrivateServer, seed: int
) -> None:
    """Any sequence of writes; the reader follows in small steps meanwhile, and to the end.

    Every value of every type is the same to the byte, and lives and graveyards are in order.
    """
    create_tables(DatabaseUrl.parse(database).as_sqlalchemy(), CATALOGUE)
    chance = random.Random(seed)
    reader = Reader(database)
    try:
        with writing(database, seed) as writes:
            for _ in range(WRITES):
                writes.anything()
                if chance.random() < 0.1:
                    reader.follow(chance.choice((1, 5, 100)))
            assert writes.done > WRITES / 4
            assert writes.refused > 0
        reader.follow_to_the_end()
    finally:
        reader.close()
    server.create_database("replica")
    try:
        write_down(server.url("replica"), reader.tables)
        for name in CATALOGUE.records:
            assert held(server.url("replica"), name) == held(database, name), name
    finally:
        server.drop_database("replica")
    require_lives(database)


def require_lives(url: str) -> None:
    """Per key lives only grow: odd when it is born and while it lives, even when it dies."""
    lives: dict[tuple[str, bytes], list[Any]] = {}
    for line in changelog(url):
        lives.setdefault((line.table, line.key), []).append((line.kind, line.life))
    for key, lines in lives.items():
        numbers = [life for _kind, life in lines]
        assert numbers == sorted(numbers), (key, lines)
        assert all((life % 2 == 0) == (kind == "delete") for kind, life in lines), (key, lines)
        turns = [life for kind, life in lines if kind != "update"]
        assert len(turns) == len(set(turns)), (key, lines)
