"""A running node looks after its schema: what one look finds, and how that is told."""

from __future__ import annotations

from typing import cast

import pytest
from twisted.internet.task import Clock

from schema.connection import connected
from schema.lock import only_runner
from schema.running import Lack, Needs
from schema.version import OLDEST_CODE, SCHEMA_NUMBER
from service.database_url import DatabaseUrl
from service.store.schema_watch import SchemaWatch, schema_lacks
from service.store.settings import SessionSettings
from service.store.threads import Lane
from tests.service.store.feeds import CATALOGUE, capture, run
from tests.service.store.tools import working

NO_REVISIONS = Needs(frozenset(), frozenset())


def looked(database: str, needs: Needs = NO_REVISIONS) -> list[str] | None:
    """What one look finds, as the read lane makes it; None where it was passed over."""
    with working(database, CATALOGUE, SessionSettings(autocommit=True)) as worker:
        found = worker.run(lambda tx: schema_lacks(needs, tx))
    return None if found is None else [lack.what for lack in found]


@pytest.fixture
def captured(database: str) -> str:
    """A database with farms and cows, which notes that all revisions were run."""
    capture(database)
    run(
        database,
        f"INSERT INTO herdbook_schema VALUES (1, {SCHEMA_NUMBER}, {OLDEST_CODE})",
        "CREATE TABLE herdbook_revision (version_num VARCHAR(32) NOT NULL)",
        "INSERT INTO herdbook_revision VALUES ('hb0002')",
    )
    return database


def test_a_look_finds_what_is_gone(captured: str) -> None:
    """A column, a table, the numbers; and nothing while all is there."""
    assert looked(captured) == []
    run(captured, "ALTER TABLE farm DROP COLUMN note")
    assert looked(captured) == ["column farm.note is missing"]
    run(captured, "DROP TABLE cow", "DROP TABLE herdbook_schema")
    assert looked(captured) == [
        "Herdbook's own tables are those of older code",
        "column farm.note is missing",
        "table cow is missing",
    ]


def test_a_look_finds_revisions_that_were_taken_back(captured: str) -> None:
    """Those that the node was started with, as the database notes them."""
    needs = Needs(frozenset({"hb0002"}), frozenset({"hb0001", "hb0002"}))
    assert looked(captured, needs) == []
    run(captured, "UPDATE herdbook_revision SET version_num = 'hb0001'")
    assert looked(captured, needs) == ["revision hb0002 was taken back"]
    run(captured, "DROP TABLE herdbook_revision")
    assert looked(captured, needs) == ["revision hb0002 was taken back"]


def test_nothing_is_looked_at_while_somebody_migrates(captured: str) -> None:
    """What is gone at the moment may be there again at its end."""
    run(captured, "DROP TABLE cow")
    server = DatabaseUrl.parse(captured).as_sqlalchemy()
    with connected(server) as connection, only_runner(connection, 0):
        assert looked(captured) is None
    assert looked(captured) == ["table cow is missing"]


def test_the_answer_of_a_probe_stays_short() -> None:
    """A whole schema may be gone: ten are named, the others counted, and each advice given once."""
    watch = SchemaWatch(NO_REVISIONS, cast(Lane, None), Clock(), 30.0, str)
    told = watch.in_words(
        {Lack(f"table t{number:02} is missing", "mend it") for number in range(12)}
    )
    assert "t09 is missing and 2 more; mend it" in told
    assert "t10" not in told
    assert told.count("mend it") == 1
