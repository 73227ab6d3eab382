"""A running node looks after its triggers: what one look finds, and what many looks make of it."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Any, cast

import pytest
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock

from schema import direct
from schema.capture import install as installing
from schema.connection import connected
from schema.lock import only_runner
from service.database_url import DatabaseUrl
from service.store.capture_look import unguarded_tables
from service.store.capture_watch import CaptureWatch
from service.store.settings import SessionSettings
from service.store.threads import Lane
from service.store.watch import SURE_SECONDS
from tests.service.store.feeds import CATALOGUE, capture, run
from tests.service.store.tools import read, working

EVERY = 30.0
LOG = "service.store.capture_watch"


def looked(database: str) -> tuple[str, ...] | None:
    """What one look finds, as the read lane makes it; None where it was passed over."""
    with working(database, CATALOGUE, SessionSettings(autocommit=True)) as worker:
        return worker.run(unguarded_tables)


def trigger(database: str, table: str, timing: str, event: str) -> str:
    """The name of a trigger."""
    ((name,),) = read(
        database,
        "SELECT trigger_name FROM information_schema.triggers WHERE trigger_schema = DATABASE() "
        "AND event_object_table = %s AND action_timing = %s AND event_manipulation = %s",
        (table, timing, event),
    )
    return str(name)


@pytest.fixture
def captured(database: str) -> str:
    """A database with captured farms and cows."""
    capture(database)
    return database


@pytest.fixture
def account(captured: str) -> Iterator[str]:
    """The same for an account that may read and write rows, and see no triggers."""
    name = DatabaseUrl.parse(captured).database
    run(
        captured,
        "CREATE USER watcher@localhost",
        f"GRANT SELECT, INSERT, UPDATE, DELETE ON {name}.* TO watcher@localhost",
    )
    yield captured.replace("root@", "watcher@")
    run(captured, "DROP USER watcher@localhost")


def test_a_look_finds_triggers_that_were_dropped_or_changed(captured: str) -> None:
    """By table; one that was made by hand under another name of ours counts for its event."""
    assert looked(captured) == ()
    run(captured, f"DROP TRIGGER {trigger(captured, 'farm', 'AFTER', 'UPDATE')}")
    assert looked(captured) == ("farm",)
    name = trigger(captured, "cow", "AFTER", "DELETE")
    run(
        captured,
        f"DROP TRIGGER {name}",
        f"CREATE TRIGGER {name} AFTER DELETE ON cow FOR EACH ROW SET @x = 1",
    )
    assert looked(captured) == ("cow", "farm")


def test_a_look_finds_tables_that_were_released_and_passes_over_those_that_are_gone(
    captured: str,
) -> None:
    """Nothing is written past the triggers of a table that is not there."""
    with connected(DatabaseUrl.parse(captured).as_sqlalchemy()) as connection:
        installing.release(connection, "cow")
    assert looked(captured) == ("cow",)
    run(captured, "DROP TABLE cow")
    assert looked(captured) == ()


def test_a_look_is_passed_over_while_the_database_is_migrated(captured: str) -> None:
    """A new table waits for its triggers then; the migration of another database is none here."""
    run(captured, f"DROP TRIGGER {trigger(captured, 'farm', 'AFTER', 'UPDATE')}")
    server = DatabaseUrl.parse(captured)
    with connected(server.as_sqlalchemy()) as connection:
        with only_runner(connection, 0):
            assert looked(captured) is None
        connection.exec_driver_sql("USE information_schema")
        with only_runner(connection, 0):
            assert looked(captured) == ("farm",)
    assert looked(captured) == ("farm",)


def test_an_account_that_may_not_see_triggers_knows_which_are_there(
    captured: str, account: str
) -> None:
    """What it may not see is not missing; what is gone is."""
    assert looked(account) == ()
    run(captured, f"DROP TRIGGER {trigger(captured, 'farm', 'BEFORE', 'INSERT')}")
    assert looked(account) == ("farm",)


@pytest.fixture
def owner(captured: str) -> Iterator[str]:
    """The same database for another account that may make triggers."""
    run(
        captured,
        "CREATE USER another@localhost",
        "GRANT ALL ON *.* TO another@localhost",
    )
    yield captured.replace("root@", "another@")
    run(captured, "DROP USER another@localhost")


def test_triggers_that_are_replaced_are_not_missing_at_any_moment(
    captured: str, owner: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another account becomes the definer of all; a look after each of the statements."""
    found: list[tuple[str, ...] | None] = []
    before = installing.run

    def run_and_look(connection: Any, statement: str) -> None:
        before(connection, statement)
        found.append(looked(captured))

    monkeypatch.setattr(installing, "run", run_and_look)
    direct.create_tables(DatabaseUrl.parse(owner).as_sqlalchemy(), CATALOGUE)
    assert len(found) == 20
    assert set(found) == {()}


class Looks:
    """Stands for the read lane: the test says what each look finds."""

    def __init__(self) -> None:
        self.under_way: list[Deferred[Any]] = []

    def run(self, work: object) -> Deferred[Any]:
        """A look begins."""
        assert work is unguarded_tables
        self.under_way.append(Deferred())
        return self.under_way[-1]


class Watched:
    """A watch with its clock."""

    def __init__(self) -> None:
        self.clock, self.looks = Clock(), Looks()
        self.watch = CaptureWatch(
            cast(Lane, self.looks), self.clock, EVERY, lambda advice: f"{advice} --dir here"
        )
        self.watch.start()

    def look(self, seconds: float, found: tuple[str, ...] | Exception | None) -> None:
        """The next look comes after so long, and not before, and finds this."""
        self.clock.advance(seconds - 0.25)
        assert not self.looks.under_way
        self.clock.advance(0.25)
        look = self.looks.under_way.pop()
        if isinstance(found, Exception):
            look.errback(found)
        else:
            look.callback(found)


def test_only_what_two_looks_find_is_told_once_and_so_is_its_end(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The second look comes soon; readiness names the tables and the command."""
    caplog.set_level(logging.INFO, LOG)
    watched = Watched()
    watched.look(EVERY, ())
    watched.look(EVERY, ("cow",))
    watched.look(SURE_SECONDS, ("farm",))
    assert (watched.watch.problem(), len(watched.watch)) == (None, 0)
    assert caplog.messages == []
    watched.look(SURE_SECONDS, ("farm",))
    problem = watched.watch.problem()
    assert problem is not None
    assert "farm" in problem
    assert "cow" not in problem
    assert "are missing or were changed" in problem
    assert "herdbook schema recapture` --dir here" in problem
    assert len(watched.watch) == 1
    watched.look(EVERY, ("farm",))
    assert caplog.messages == [problem]
    watched.look(EVERY, ())
    assert (watched.watch.problem(), len(watched.watch)) == (None, 0)
    assert caplog.messages == [problem, "all triggers that note changes are there again"]


def test_a_look_that_fails_changes_nothing(caplog: pytest.LogCaptureFixture) -> None:
    """What is known stays, the log is told once, and it is looked again."""
    caplog.set_level(logging.INFO, LOG)
    watched = Watched()
    watched.look(EVERY, ("farm",))
    watched.look(SURE_SECONDS, ("farm",))
    problem = watched.watch.problem()
    assert problem is not None
    for _turn in range(3):
        watched.look(EVERY, RuntimeError("away"))
    assert watched.watch.problem() == problem
    assert [line for line in caplog.messages if "away" in line] == [
        "whether all triggers are there is not known: away"
    ]
    watched.look(EVERY, ())
    assert watched.watch.problem() is None


def test_a_look_that_was_passed_over_leaves_what_is_known(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """What two looks have found stays; what only one has found counts from anew."""
    caplog.set_level(logging.INFO, LOG)
    watched = Watched()
    watched.look(EVERY, ("cow",))
    watched.look(SURE_SECONDS, None)
    watched.look(EVERY, ("cow",))
    assert watched.watch.problem() is None
    watched.look(SURE_SECONDS, ("cow",))
    problem = watched.watch.problem()
    assert problem is not None
    for _turn in range(3):
        watched.look(EVERY, None)
    assert watched.watch.problem() == problem
    assert caplog.messages == [problem]
    watched.look(EVERY, ())
    assert watched.watch.problem() is None


def test_a_watch_that_was_stopped_looks_no_more() -> None:
    """Neither where it waits for the next look, nor where one is under way."""
    waiting, looking = Watched(), Watched()
    waiting.watch.stop()
    looking.clock.advance(EVERY)
    looking.watch.stop()
    looking.looks.under_way.pop().callback(("farm",))
    for watched in (waiting, looking):
        assert watched.clock.getDelayedCalls() == []
