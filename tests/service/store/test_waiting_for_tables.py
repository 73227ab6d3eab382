"""A table whose structure somebody waits to change: who waits behind that gives up in time."""

from __future__ import annotations

import pytest

from service.errors import Busy
from service.store.settings import SessionSettings
from service.store.work import RetryPolicy
from tests.live.units import Side, until
from tests.service.store.families import CATALOGUE
from tests.service.store.tools import ask, raw_connection, read, working

PATIENT_STATEMENTS = SessionSettings(statement_seconds=60, lock_wait_seconds=1, grace_seconds=1)
ONCE = RetryPolicy(attempts=1)
TABLE_LOCK = "Waiting for table metadata lock"


def test_a_writer_behind_a_migration_lets_go_of_its_rows(families: str) -> None:
    """Somebody who waits for these rows holds the migration up, and no server sees that circle."""
    with raw_connection(families, autocommit=False) as open_one:
        ask(open_one, "SELECT * FROM land")
        changing = Side(lambda: read(families, "ALTER TABLE land ADD COLUMN more INT NULL"))
        states = "SELECT state FROM information_schema.processlist"
        until(lambda: (TABLE_LOCK,) in read(families, states))
        with (
            working(families, CATALOGUE, PATIENT_STATEMENTS, ONCE) as worker,
            pytest.raises(Busy),
        ):
            worker.run(lambda tx: tx.execute("DELETE FROM land"))
        assert changing.running
        open_one.rollback()
    changing.join()
