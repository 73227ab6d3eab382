"""The database server stops, freezes or restarts: bounded, clear answers, and then it works."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from service.errors import OutcomeUnknown, Unavailable
from service.server import PrivateServer
from service.store.work import RetryPolicy, Worker
from tests.live.units import STEPS, connection_id, rows_of, unit
from tests.service.store.families import CATALOGUE
from tests.service.store.tools import QUICK, create_tables, working

TWICE = RetryPolicy(attempts=2, first_pause=0.01)
LONGEST = 30.0
"""Seconds; far more than the limits of the session add up to, far less than for ever."""


@pytest.fixture
def families(database: str) -> str:
    """The URL of a database with tables."""
    create_tables(database, CATALOGUE)
    return database


@pytest.fixture
def worker(families: str) -> Iterator[Worker]:
    """A worker with short limits and a connection."""
    with working(families, CATALOGUE, QUICK, TWICE) as worker:
        worker.run(connection_id)
        yield worker


@pytest.fixture
def fragile(server: PrivateServer) -> Iterator[PrivateServer]:
    """The shared server, running again afterwards whatever the test did."""
    yield server
    server.thaw()
    server.start()


def test_a_restart_between_units_is_not_noticed(
    fragile: PrivateServer, families: str, worker: Worker
) -> None:
    """The connection of before is replaced."""
    fragile.restart()
    assert worker.run(unit("a")) == "a"
    assert rows_of(families, "a") == STEPS


def test_a_crash_within_a_unit_leaves_nothing_half(
    fragile: PrivateServer, families: str, worker: Worker
) -> None:
    """Killed between two statements and started again: the unit is run again, as a whole."""

    def crash(_tx: object) -> None:
        fragile.kill()
        fragile.start()

    assert worker.run(unit("a", 2, crash)) == "a"
    assert rows_of(families, "a") == STEPS


def test_a_server_that_is_down_is_unavailable_until_it_is_up(
    fragile: PrivateServer, families: str, worker: Worker
) -> None:
    """Old and new workers say so, retryable, and without a word of SQL; then both work."""
    fragile.stop()
    with working(families, CATALOGUE, QUICK, TWICE) as newcomer:
        for one in (worker, newcomer, worker, newcomer):
            with pytest.raises(Unavailable) as caught:
                one.run(unit("a"))
            assert caught.value.retryable
            assert "sock" not in caught.value.message
        fragile.start()
        assert worker.run(unit("a")) == "a"
        assert newcomer.run(unit("b")) == "b"
    assert (rows_of(families, "a"), rows_of(families, "b")) == (STEPS, STEPS)


def test_a_frozen_server_holds_nobody_for_ever(
    fragile: PrivateServer, families: str, worker: Worker
) -> None:
    """It neither answers nor hangs up: the limits end the wait, for old and new connections."""
    with working(families, CATALOGUE, QUICK, TWICE) as newcomer:
        fragile.freeze()
        began = time.monotonic()
        for one in (worker, newcomer):
            with pytest.raises(Unavailable):
                one.run(unit("a"))
        assert time.monotonic() - began < LONGEST
        fragile.thaw()
        assert worker.run(unit("b")) == "b"
        assert newcomer.run(unit("c")) == "c"
    assert (rows_of(families, "a"), rows_of(families, "b")) == (0, STEPS)


def test_a_server_that_freezes_before_the_commit_leaves_the_outcome_open(
    fragile: PrivateServer, families: str, worker: Worker
) -> None:
    """No answer to a COMMIT is not the same as a refusal; it is not sent a second time."""
    runs: list[str] = []

    def freeze(_tx: object) -> None:
        runs.append("run")
        fragile.freeze()

    with pytest.raises(OutcomeUnknown):
        worker.run(unit("a", STEPS, freeze))
    fragile.thaw()
    assert runs == ["run"]
    assert worker.run(unit("b")) == "b"
    assert rows_of(families, "a") in (0, STEPS)
