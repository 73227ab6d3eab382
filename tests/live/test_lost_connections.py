"""A unit of work whose connection is killed or cut: done once, or clearly not, or said unknown."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from storm.exceptions import DisconnectionError

from service.database_url import DatabaseUrl
from service.errors import OutcomeUnknown, TimedOut, Unavailable
from service.server import PrivateServer
from service.store.ticket import Abandoned, Ticket
from service.store.transaction import Transaction
from service.store.work import RetryPolicy, Worker
from tests.live.units import (
    STEPS,
    Side,
    connection_id,
    kill,
    killing,
    rows_of,
    unit,
    until,
    until_a_lock_is_waited_for,
)
from tests.live.wire import Fate, Wire, wired
from tests.service.store.families import CATALOGUE
from tests.service.store.tools import QUICK, ask, create_tables, raw_connection, working

ONCE = RetryPolicy(attempts=1)
_ISOLATION = "SHOW VARIABLES WHERE Variable_name IN ('tx_isolation', 'transaction_isolation')"


@pytest.fixture
def families(database: str) -> str:
    """The URL of a database with tables."""
    create_tables(database, CATALOGUE)
    return database


@pytest.fixture
def worker(families: str) -> Iterator[Worker]:
    """A worker that has worked before, so that it has a connection to lose."""
    with working(families, CATALOGUE) as worker:
        worker.run(connection_id)
        yield worker


@pytest.fixture
def wire(server: PrivateServer, families: str) -> Iterator[Wire]:
    """A wire to the server that can be cut."""
    with wired(server.socket) as wire:
        yield wire


@pytest.fixture
def far_worker(families: str, wire: Wire) -> Iterator[Worker]:
    """A worker at the far end of the wire, with a connection."""
    url = f"mysql://root@127.0.0.1:{wire.port}/{DatabaseUrl.parse(families).database}"
    with working(url, CATALOGUE) as worker:
        worker.run(connection_id)
        yield worker


@pytest.mark.parametrize("step", range(STEPS + 1))
def test_a_connection_killed_before_any_statement_leaves_the_effect_once(
    families: str, worker: Worker, step: int
) -> None:
    """Before the first, the second, … statement and before COMMIT: run again, written once."""
    assert worker.run(unit("a", step, killing(families))) == "a"
    assert rows_of(families, "a") == STEPS
    assert worker.run(unit("b")) == "b"
    assert rows_of(families, "b") == STEPS


@pytest.mark.parametrize("step", range(STEPS + 1))
def test_over_a_network_it_is_the_same(families: str, far_worker: Worker, step: int) -> None:
    """On TCP a dead connection takes one statement more before it shows; not so before COMMIT."""
    assert far_worker.run(unit("a", step, killing(families))) == "a"
    assert rows_of(families, "a") == STEPS
    assert far_worker.run(unit("b")) == "b"


def test_a_connection_killed_while_idle_is_replaced(families: str, worker: Worker) -> None:
    """The next unit of work does not meet the corpse of the last one's connection."""
    kill(families, worker.run(connection_id))
    assert worker.run(unit("a")) == "a"
    assert rows_of(families, "a") == STEPS


def test_a_unit_that_only_commits_meets_a_dead_connection(families: str, worker: Worker) -> None:
    """Also where the first thing that would fail is the COMMIT."""
    kill(families, worker.run(connection_id))
    assert worker.run(lambda _tx: "nothing") == "nothing"


def test_a_connection_killed_in_a_running_statement_leaves_the_effect_once(
    families: str, worker: Worker
) -> None:
    """Killed while it waits for a lock: the unit runs again when the lock is free."""
    with raw_connection(families, autocommit=False) as holder:
        ask(holder, "INSERT INTO land (id, code, name, notes) VALUES ('', 'a2', '', '{}')")
        numbers: list[int] = []
        side = Side(lambda: worker.run(unit("a", 0, lambda tx: numbers.append(connection_id(tx)))))
        until_a_lock_is_waited_for(families)
        kill(families, numbers[0])
        holder.rollback()
        assert side.join() == "a"
    assert rows_of(families, "a") == STEPS


def test_a_query_killed_by_an_operator_is_run_again(families: str, worker: Worker) -> None:
    """KILL QUERY ends the statement, not the connection: the unit runs again as a whole."""
    with raw_connection(families, autocommit=False) as holder:
        ask(holder, "INSERT INTO land (id, code, name, notes) VALUES ('', 'a2', '', '{}')")
        numbers: list[int] = []
        side = Side(lambda: worker.run(unit("a", 0, lambda tx: numbers.append(connection_id(tx)))))
        until_a_lock_is_waited_for(families)
        kill(families, numbers[0], "QUERY")
        holder.rollback()
        assert side.join() == "a"
    assert rows_of(families, "a") == STEPS


def test_a_connection_that_is_killed_at_every_attempt_is_reported(families: str) -> None:
    """After the last attempt: Unavailable, nothing written; then it works again."""
    with working(families, CATALOGUE, policy=RetryPolicy(3, 0.001)) as worker:
        with pytest.raises(Unavailable, match="the connection to the database was lost"):
            worker.run(unit("a", 2, killing(families), times=99))
        assert rows_of(families, "a") == 0
        assert worker.run(unit("b")) == "b"


def test_work_that_hides_a_lost_connection_is_not_committed_half(
    families: str, worker: Worker
) -> None:
    """Work that catches the error and goes on is run again, not reported as done."""
    runs = []

    def careless(tx: Transaction) -> str:
        runs.append(1)
        unit("a")(tx)
        if len(runs) == 1:
            kill(families, connection_id(tx))
            with pytest.raises(DisconnectionError):
                tx.rows("SELECT 1")
        return "done"

    assert worker.run(careless) == "done"
    assert (len(runs), rows_of(families, "a")) == (2, STEPS)


@pytest.mark.parametrize(
    ("fate", "written"), [(Fate.ARRIVES_AND_ITS_ANSWER_IS_LOST, STEPS), (Fate.IS_LOST, 0)]
)
def test_a_commit_whose_answer_is_lost_is_never_repeated(
    families: str, wire: Wire, far_worker: Worker, fate: Fate, written: int
) -> None:
    """Nobody can tell whether it happened, so the answer says so, and it is not tried again."""
    runs: list[str] = []
    work = unit("a")

    def counted(tx: Transaction) -> str:
        runs.append("run")
        return work(tx)

    wire.next_commit = fate
    with pytest.raises(OutcomeUnknown, match="the connection was lost while committing"):
        far_worker.run(counted)
    until(lambda: rows_of(families, "a") == written)
    assert runs == ["run"]
    assert far_worker.run(unit("b")) == "b"
    assert (rows_of(families, "a"), rows_of(families, "b")) == (written, STEPS)


def test_a_call_given_up_while_its_commit_is_lost_stays_unknown(
    wire: Wire, far_worker: Worker
) -> None:
    """The ticket of such a unit can no longer be given back."""
    ticket = Ticket()
    wire.next_commit = Fate.IS_LOST
    with pytest.raises(OutcomeUnknown):
        far_worker.run(unit("a"), ticket)
    assert not ticket.abandon()


def test_a_wire_cut_between_statements_is_like_a_killed_connection(
    families: str, wire: Wire, far_worker: Worker
) -> None:
    """The unit runs again over a new connection."""
    assert far_worker.run(unit("a", 2, lambda _tx: wire.cut())) == "a"
    assert rows_of(families, "a") == STEPS


def test_a_read_over_a_cut_wire_is_repeated(families: str, wire: Wire, far_worker: Worker) -> None:
    """`try_out` is undone anyway, so it may always run again."""
    assert far_worker.try_out(unit("a", 2, lambda _tx: wire.cut())) == "a"
    assert rows_of(families, "a") == 0


def test_a_unit_given_up_before_it_runs_does_not_run(families: str, worker: Worker) -> None:
    """Nobody waits for it any more."""
    ticket = Ticket()
    ticket.abandon()
    with pytest.raises(Abandoned):
        worker.run(unit("a"), ticket)
    assert rows_of(families, "a") == 0


def test_a_unit_given_up_while_it_runs_is_undone(families: str, worker: Worker) -> None:
    """The last moment is the COMMIT; what was written before goes."""
    ticket = Ticket()

    def give_up(_tx: Transaction) -> None:
        assert ticket.abandon()

    with pytest.raises(Abandoned):
        worker.run(unit("a", STEPS, give_up), ticket)
    assert rows_of(families, "a") == 0
    assert worker.run(unit("b")) == "b"


def test_a_unit_given_up_between_attempts_is_not_run_again(families: str, worker: Worker) -> None:
    """A killed connection and a caller who left: the second run does not begin."""
    ticket, runs = Ticket(), []

    def work(tx: Transaction) -> None:
        runs.append("run")
        ticket.abandon()
        kill(families, connection_id(tx))
        tx.rows("SELECT 1")

    with pytest.raises(Abandoned):
        worker.run(work, ticket)
    assert runs == ["run"]


def test_a_unit_that_fails_is_undone_and_leaves_the_connection_usable(
    families: str, worker: Worker
) -> None:
    """Whatever it raises comes out as it is."""

    def fail(_tx: Transaction) -> None:
        raise LookupError("of its own")

    with pytest.raises(LookupError, match="of its own"):
        worker.run(unit("a", 3, fail))
    assert rows_of(families, "a") == 0
    number = worker.run(connection_id)
    assert worker.run(connection_id) == number


def test_the_pause_between_attempts_is_the_policys(families: str) -> None:
    """Pauses double, spread by chance, and are not slept where nothing failed."""
    policy = RetryPolicy(attempts=4, first_pause=0.5)
    assert [policy.pause(attempt, 0.5) for attempt in (1, 2, 3)] == [0.5, 1.0, 2.0]
    assert (policy.pause(1, 0.0), policy.pause(1, 1.0)) == (0.25, 0.75)
    slept: list[float] = []
    with working(families, CATALOGUE) as template:
        worker = Worker(template._database, CATALOGUE, policy, lambda: 0.5, slept.append)
        worker.run(unit("a"))
        assert slept == []
        worker.run(unit("b", 1, killing(families), times=2))
        worker.close()
    assert slept == [0.5, 1.0]


def test_a_statement_that_takes_too_long_is_stopped(families: str) -> None:
    """The server ends it at its limit, and the answer says so."""
    with working(families, CATALOGUE, QUICK, ONCE) as worker:
        with pytest.raises(TimedOut, match="the database stopped a statement"):
            worker.run(lambda tx: tx.rows(_endless_query()))
        assert worker.run(unit("a")) == "a"


def _endless_query() -> str:
    """A query that needs far longer than any limit, without sleeping."""
    many = "(SELECT 1 AS n UNION SELECT 2 UNION SELECT 3 UNION SELECT 4 UNION SELECT 5)"
    tables = ", ".join(f"{many} AS t{number}" for number in range(14))
    return f"SELECT SUM(t0.n * t13.n * RAND()) FROM {tables}"


def test_sessions_are_the_same_after_a_reconnection(families: str, worker: Worker) -> None:
    """A new connection has our isolation, modes and time zone as well."""
    question = (
        "SELECT @@time_zone, @@sql_mode LIKE '%STRICT_ALL_TABLES%', @@foreign_key_checks, "
        "@@innodb_lock_wait_timeout, @@character_set_client, @@autocommit"
    )
    before = worker.run(lambda tx: tx.rows(question))
    kill(families, worker.run(connection_id))
    assert worker.run(lambda tx: tx.rows(question)) == before
    assert before == [("+00:00", 1, 1, 5, "utf8mb4", 0)]
    # The variable has two names.
    levels = worker.run(lambda tx: tx.rows(_ISOLATION))
    assert {level for _name, level in levels} == {"READ-COMMITTED"}
