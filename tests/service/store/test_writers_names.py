"""Each change names who made it, whichever connection it was made on."""

from __future__ import annotations

import itertools
import queue
import string
import uuid
from collections.abc import Callable
from typing import Any, cast

import pytest
from twisted.internet.defer import Deferred

from schema.direct import create_tables
from service.database_url import DatabaseUrl
from service.methods.caller import LONGEST_PRINCIPAL, Caller, calling
from service.store.database import HerdbookConnection
from service.store.threads import Lane
from service.store.transaction import Transaction
from service.store.work import RetryPolicy, Worker
from tests.live.units import connection_id, kill, killing, unit
from tests.service.store.families import CATALOGUE
from tests.service.store.tools import ask, database_at, raw_connection, read, working

_codes = itertools.cycle(range(100))
_INSERT = "INSERT INTO land (id, code, name, notes) VALUES (UNHEX(?), ?, '', '{}')"


@pytest.fixture
def captured(database: str) -> str:
    """The URL of a database with the families' tables, captured."""
    create_tables(DatabaseUrl.parse(database).as_sqlalchemy(), CATALOGUE)
    return database


def writers(url: str) -> list[str]:
    """Who wrote, change by change."""
    return [who for (who,) in read(url, "SELECT writer FROM herdbook_inbox ORDER BY entry")]


def insert(tx: Transaction) -> int:
    """Write one row; on which connection."""
    tx.execute(_INSERT, (uuid.uuid4().hex, f"{next(_codes):02}"))
    return connection_id(tx)


def write_for(worker: Worker, principal: str | None, work: Callable[..., Any] = insert) -> Any:
    """Do some work for a caller."""
    if principal is None:
        return worker.run(work)
    with calling(Caller(principal)):
        return worker.run(work)


def test_a_connection_that_was_anothers_names_its_present_caller(captured: str) -> None:
    """A's connection writes for B, for A again, for nobody, and each is noted as it was."""
    with working(captured, CATALOGUE) as worker:
        used = [write_for(worker, who) for who in ("api:a", "api:b", "api:b", "api:a", None)]
        [(own,)] = worker.run(lambda tx: tx.rows("SELECT CONCAT('sql:', USER())"))
    assert len(set(used)) == 1
    assert writers(captured) == ["api:a", "api:b", "api:b", "api:a", own]


def test_after_a_reconnect_the_caller_is_named_again(captured: str) -> None:
    """The server's memory of the caller goes with its connection; ours too."""
    with working(captured, CATALOGUE) as worker:
        first = write_for(worker, "api:a")
        kill(captured, first)
        second = write_for(worker, "api:a")
        kill(captured, second)
        third = write_for(worker, "api:b")
    assert len({first, second, third}) == 3
    assert writers(captured) == ["api:a", "api:a", "api:b"]


@pytest.mark.parametrize("step", range(5))
def test_a_unit_that_is_run_again_is_still_its_callers(captured: str, step: int) -> None:
    """Wherever the connection breaks within a unit of work, its changes name one caller."""
    with working(captured, CATALOGUE) as worker:
        write_for(worker, "api:a")
        write_for(worker, "api:b", unit("u", step, killing(captured)))
    assert writers(captured) == ["api:a"] + ["api:b"] * 4


def test_a_unit_that_is_undone_leaves_no_wrong_name(captured: str) -> None:
    """A rollback does not take the name back, and it need not."""

    def refuse(tx: Transaction) -> None:
        insert(tx)
        raise LookupError

    with working(captured, CATALOGUE) as worker:
        write_for(worker, "api:a")
        with pytest.raises(LookupError):
            write_for(worker, "api:b", refuse)
        write_for(worker, "api:a")
        write_for(worker, None)
    assert writers(captured)[:2] == ["api:a", "api:a"]
    assert writers(captured)[2].startswith("sql:")


def test_a_caller_who_comes_again_costs_no_statement(
    captured: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only a change of callers is told to the server."""
    told: list[Any] = []
    execute = HerdbookConnection.execute

    def spy(self: Any, statement: Any, params: Any = None, noresult: bool = False) -> Any:
        if "principal" in str(statement):
            told.append(params)
        return execute(self, statement, params, noresult)

    monkeypatch.setattr(HerdbookConnection, "execute", spy)
    with working(captured, CATALOGUE) as worker:
        for who in ("api:a", "api:a", "api:a", "api:b", "api:b", None, None):
            write_for(worker, who)
    assert told == [("api:a",), ("api:b",), (None,)]


@pytest.mark.parametrize(
    "name",
    ["api:'; DROP TABLE land; --", 'api:"\\', "api:%s ? %(x)s", "api:\0\n", "api:größe 🐄", ""],
)
def test_a_name_is_never_read_as_sql(captured: str, name: str) -> None:
    """Whatever a caller is called, that and nothing else is noted."""
    with working(captured, CATALOGUE) as worker:
        write_for(worker, name)
    assert writers(captured) == [name]


def test_a_long_name_is_cut(captured: str) -> None:
    """The changelog keeps the first 120 characters."""
    with working(captured, CATALOGUE) as worker:
        write_for(worker, "ö" * 1_000)
    assert writers(captured) == ["ö" * LONGEST_PRINCIPAL]


def test_plain_sql_is_noted_with_its_account(captured: str) -> None:
    """Whoever writes past the API is known to the server alone."""
    with raw_connection(captured) as connection:
        statement = _INSERT.replace("?", "%s")
        ask(connection, statement, (uuid.uuid4().hex, "A"))
        [(account,)] = ask(connection, "SELECT USER()")
    assert writers(captured) == [f"sql:{account}"]


class Pump:
    """A reactor of which only `callFromThread` is used."""

    def __init__(self) -> None:
        self._calls: queue.Queue[tuple[Any, ...]] = queue.Queue()

    def callFromThread(self, function: Any, *args: Any) -> None:  # noqa: N802 - Twisted's name
        """Twisted's, called by the lane's threads."""
        self._calls.put((function, *args))

    def wait_for(self, outcomes: list[Deferred[Any]]) -> None:
        """Run what was called until all have an outcome."""
        for _ in outcomes:
            function, *args = self._calls.get(timeout=20)
            function(*args)
        assert all(outcome.called for outcome in outcomes)


def test_callers_at_once_are_not_mixed_up(captured: str) -> None:
    """The caller goes along into the threads: of many at once each is named for its own rows."""
    pump = Pump()
    lane = Lane(
        cast(Any, pump),
        "write",
        3,
        lambda: Worker(database_at(captured), CATALOGUE, RetryPolicy(), lambda: 0.5),
    )

    def write_as(name: str) -> Deferred[str]:
        with calling(Caller(name)):
            return lane.run(unit(name))

    names = list(string.ascii_letters)
    lane.start()
    try:
        pump.wait_for([write_as(name) for name in names])
    finally:
        lane.stop()
    noted = read(
        captured,
        "SELECT land.code, inbox.writer FROM land"
        " JOIN herdbook_inbox inbox ON inbox.row_key = land.id",
    )
    assert len(noted) == 4 * len(names)
    assert {(code[:-1], writer) for code, writer in noted} == {(name, name) for name in names}
