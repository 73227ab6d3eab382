"""Fifty writers at once, and a reader of the feed that ends up with exactly the tables."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from records.catalogue import load_catalogue
from tests.live.node import NodeProcess, migrate
from tests.live.replica import Key, Replica, Row
from tests.live.storm import Storm, killing_now_and_then
from tests.service.store.tools import ask, raw_connection, read

RECORDS = "tests.live.herd"
CATALOGUE = load_catalogue(RECORDS)
WRITERS, TURNS = 50, 40
SEED = 20
PAGE = 200


@contextmanager
def serving(folder: Path, database: str) -> Iterator[NodeProcess]:
    """A node for the herd."""
    migrate(folder, database, RECORDS)
    # A call that waits long for another's row would only make the storm longer.
    settings = {"HERDBOOK_NODE_RECORDS": RECORDS, "HERDBOOK_DATABASE_LOCK_WAIT_SECONDS": "1"}
    with NodeProcess(folder, database, **settings) as node:
        yield node


@contextmanager
def following(replica: Replica, failures: list[BaseException]) -> Iterator[None]:
    """The replica reads in a thread beside the block, and to the end when the block is done."""
    stop = threading.Event()

    def follow() -> None:
        try:
            while not stop.is_set():
                replica.read(PAGE, wait_seconds=0.2)
            replica.read_to_the_end()
        except BaseException as error:
            failures.append(error)

    thread = threading.Thread(target=follow)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def tables_of(database: str) -> dict[str, dict[Key, Row]]:
    """What the tables hold, read past the node; numbers and texts look the same in JSON."""
    found: dict[str, dict[Key, Row]] = {}
    for name, record in CATALOGUE.records.items():
        columns = ", ".join(f"`{field.column}`" for field in record.fields.values())
        rows = [
            dict(zip(record.fields, row, strict=True))
            for row in read(database, f"SELECT {columns} FROM `{record.table}`")
        ]
        found[name] = {tuple(row[part] for part in record.key): row for row in rows}
    return found


def assert_every_position_once(database: str, last: int) -> None:
    """The changelog counts from 1 to the last position; no entry is in it twice, none is left."""
    question = "SELECT COUNT(*), COUNT(DISTINCT entry), MIN(position), MAX(position)"
    assert read(database, f"{question} FROM herdbook_changelog") == [(last, last, 1, last)]
    assert read(database, "SELECT COUNT(*) FROM herdbook_inbox") == [(0,)]


@pytest.mark.slow
def test_replaying_the_feed_gives_exactly_the_tables(tmp_path: Path, database: str) -> None:
    """Whatever fifty writers do, who follows the feed has what the tables have.

    A reader that comes later, and only sees the end, has it as well.
    """
    with serving(tmp_path, database) as node:
        storm = Storm(node, database, SEED)
        replica, late = Replica(node, CATALOGUE), Replica(node, CATALOGUE)
        with following(replica, storm.failures), killing_now_and_then(storm):
            storm.blow(WRITERS, TURNS)
        assert storm.failures == [], f"{storm.outcomes}\n{node.log()[-4000:]}"
        late.read_to_the_end()
        assert replica.tables == late.tables == tables_of(database)
        assert replica.position == late.position
        assert_every_position_once(database, replica.position)
    assert replica.complete_pages > 10, "the reader hardly ever saw a whole state"
    for outcome in ("api done", "sql done", "sql undone", "sql refused", "killed"):
        assert storm.outcomes[outcome] > 5, f"the storm was a calm: {storm.outcomes}"


def test_a_transaction_left_open_delays_nobody_elses_changes(tmp_path: Path, database: str) -> None:
    """A DBA inserts, updates and deletes, and goes for lunch: the feed goes on for all others.

    What the DBA did comes when it is committed.
    """
    with serving(tmp_path, database) as node, raw_connection(database, autocommit=False) as dba:
        replica = Replica(node, CATALOGUE)
        node.call("farm.create", {"records": [{"code": c, "name": c} for c in "abcd"]})
        # Without cows on both sides, the server itself would lock the whole end of their index.
        node.call(
            "cow.create",
            {"records": [{"number": -1 - n, "farm_code": c} for n, c in enumerate("abcd")]},
        )
        replica.read_to_the_end()
        ask(dba, "SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        ask(dba, "SELECT COUNT(*) FROM farm")
        ask(dba, "INSERT INTO farm (code, name) VALUES ('dba', 'new')")
        ask(dba, "UPDATE farm SET name = 'changed' WHERE code = 'a'")
        ask(dba, "DELETE FROM farm WHERE code = 'b'")
        before = replica.position
        for number in range(100):
            node.call("cow.create", {"number": number, "farm_code": "c"})
            read(database, "INSERT INTO cow (number, farm_code) VALUES (%s, 'd')", [1000 + number])
        replica.read_to_the_end()
        assert replica.position == before + 200
        assert len(replica.tables["cow"]) == 204
        assert set(replica.tables["farm"]) == {("a",), ("b",), ("c",), ("d",)}
        dba.commit()
        replica.read(wait_seconds=10)
        replica.read_to_the_end()
        assert replica.position == before + 204
        assert replica.tables == tables_of(database)
        assert set(replica.tables["farm"]) == {("a",), ("c",), ("d",), ("dba",)}
        assert len(replica.tables["cow"]) == 203
        assert_every_position_once(database, replica.position)
