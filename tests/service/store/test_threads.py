"""Lanes: results come back to the reactor; a call that is given up knows what became of it."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterator
from typing import Any, cast

import pytest
from twisted.internet.defer import CancelledError, Deferred

from service.errors import OutcomeUnknown, ShuttingDown, Unavailable
from service.store.plain import NotPlain
from service.store.settings import SessionSettings
from service.store.threads import Lane
from service.store.transaction import Transaction
from service.store.work import RetryPolicy, Worker
from tests.live.units import connection_id, kill
from tests.service.store.connections import settled
from tests.service.store.families import CATALOGUE, Land
from tests.service.store.tools import database_at, read

PATIENCE = 20.0
_INSERT = "INSERT INTO land (id, code, name, notes) VALUES ('', 'AA', '', '{}')"


class Pump:
    """A reactor of which only `callFromThread` is used; the test runs what was called."""

    def __init__(self) -> None:
        self._calls: queue.Queue[tuple[Any, ...]] = queue.Queue()

    def callFromThread(self, function: Any, *args: Any) -> None:  # noqa: N802 - Twisted's name
        """Twisted's, called by the lane's threads."""
        self._calls.put((function, *args))

    def run_one(self) -> None:
        """Run the next call, and wait for it."""
        function, *args = self._calls.get(timeout=PATIENCE)
        function(*args)

    def outcome(self, deferred: Deferred[Any]) -> Any:
        """What a Deferred ends with; raises its error."""
        ended: list[Any] = []
        deferred.addBoth(ended.append)
        while not ended:
            self.run_one()
        if hasattr(ended[0], "raiseException"):
            ended[0].raiseException()
        return ended[0]


@pytest.fixture
def pump() -> Pump:
    """What stands for the reactor."""
    return Pump()


def make_lane(
    pump: Pump, url: str, threads: int, on_commit: Callable[[], None] = lambda: None
) -> Lane:
    """A lane on the families' database."""
    database = database_at(url, SessionSettings())
    return Lane(
        cast(Any, pump),
        "test",
        threads,
        lambda: Worker(database, CATALOGUE, RetryPolicy(), lambda: 0.5),
        on_commit,
    )


@pytest.fixture
def lane(pump: Pump, families: str) -> Iterator[Lane]:
    """A lane of one thread, running."""
    lane = make_lane(pump, families, 1)
    lane.start()
    yield lane
    lane.stop()


class Gate:
    """Work that stops in the middle until the test lets it go on."""

    def __init__(self, name: str = "work") -> None:
        self.name = name
        self.reached = threading.Event()
        self.opened = threading.Event()

    def __call__(self, tx: Transaction) -> str:
        """Write a row, then wait."""
        tx.execute(_INSERT)
        self.reached.set()
        assert self.opened.wait(PATIENCE)
        return self.name


def lands(url: str) -> int:
    """How many rows there are."""
    found: int = read(url, "SELECT COUNT(*) FROM land")[0][0]
    return found


def test_the_result_of_a_unit_comes_back_committed(pump: Pump, lane: Lane, families: str) -> None:
    """What it returned is the Deferred's result, and what it wrote is there."""
    assert pump.outcome(lane.run(lambda tx: tx.execute(_INSERT))) == 1
    assert lands(families) == 1


def test_a_commit_is_told_once_who_asked_for_it_was_answered(pump: Pump, families: str) -> None:
    """In the reactor's thread; neither of what failed nor of what was only tried out."""
    told: list[str] = []
    lane = make_lane(pump, families, 1, lambda: told.append(threading.current_thread().name))
    lane.start()
    try:
        pump.outcome(lane.try_out(lambda tx: tx.execute(_INSERT)))
        with pytest.raises(ZeroDivisionError):
            pump.outcome(lane.run(lambda _tx: 1 // 0))
        outcome = lane.run(lambda tx: tx.execute(_INSERT))
        outcome.addCallback(lambda _result: told.append("answered"))
        pump.outcome(outcome)
    finally:
        lane.stop()
    assert told == ["answered", threading.current_thread().name]


def test_what_is_tried_out_is_undone(pump: Pump, lane: Lane, families: str) -> None:
    """The result comes back, the row does not stay."""
    assert pump.outcome(lane.try_out(lambda tx: tx.execute(_INSERT))) == 1
    assert lands(families) == 0


def test_errors_come_back_as_they_are(pump: Pump, lane: Lane) -> None:
    """Those of the work, and those of objects that must not leave."""

    def fail(_tx: Transaction) -> None:
        raise LookupError("of its own")

    with pytest.raises(LookupError, match="of its own"):
        pump.outcome(lane.run(fail))
    with pytest.raises(NotPlain):
        pump.outcome(lane.run(lambda tx: tx.store.add(Land(code="DE"))))
    assert pump.outcome(lane.run(lambda _tx: "next")) == "next"


def test_each_thread_keeps_its_connection(pump: Pump, families: str) -> None:
    """Two threads, two connections, used again and again."""
    lane = make_lane(pump, families, 2)
    lane.start()
    meeting = threading.Barrier(2)

    def meet(tx: Transaction) -> int:
        meeting.wait(PATIENCE)
        return connection_id(tx)

    try:
        rounds = []
        for _round in range(3):
            both = [lane.run(meet), lane.run(meet)]
            rounds.append({pump.outcome(one) for one in both})
    finally:
        lane.stop()
    assert len(rounds[0]) == 2
    assert rounds[0] == rounds[1] == rounds[2]


def test_a_call_given_up_before_its_turn_never_runs(pump: Pump, lane: Lane, families: str) -> None:
    """The thread is busy; the caller leaves; the work is not even begun."""
    first, ran = Gate(), []
    busy = lane.run(first)
    assert first.reached.wait(PATIENCE)
    waiting = lane.run(lambda _tx: ran.append("run"))
    waiting.cancel()
    with pytest.raises(CancelledError):
        pump.outcome(waiting)
    first.opened.set()
    assert pump.outcome(busy) == "work"
    assert pump.outcome(lane.run(lambda _tx: "next")) == "next"
    assert ran == []


def test_a_call_given_up_while_it_runs_is_undone(pump: Pump, lane: Lane, families: str) -> None:
    """The caller is told at once; the row that was written before does not stay."""
    gate = Gate()
    running = lane.run(gate)
    assert gate.reached.wait(PATIENCE)
    running.cancel()
    with pytest.raises(CancelledError):
        pump.outcome(running)
    gate.opened.set()
    assert pump.outcome(lane.run(lambda _tx: "next")) == "next"
    assert lands(families) == 0


def test_a_call_given_up_while_it_commits_is_unknown(
    pump: Pump, families: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It may happen or not, and the answer says so; here it happens."""
    committing, may_commit = threading.Event(), threading.Event()
    lane = make_lane(pump, families, 1)
    lane.start()
    try:
        pump.outcome(lane.run(connection_id))
        store: Any = lane._workers[0]._store
        commit = store.commit

        def slow_commit() -> None:
            committing.set()
            assert may_commit.wait(PATIENCE)
            commit()

        monkeypatch.setattr(store, "commit", slow_commit)
        running = lane.run(lambda tx: tx.execute(_INSERT))
        assert committing.wait(PATIENCE)
        running.cancel()
        with pytest.raises(OutcomeUnknown, match="given up while it committed"):
            pump.outcome(running)
        may_commit.set()
        assert pump.outcome(lane.run(lambda _tx: "next")) == "next"
    finally:
        may_commit.set()
        lane.stop()
    assert lands(families) == 1


def test_a_call_that_is_done_cannot_be_given_up(pump: Pump, lane: Lane, families: str) -> None:
    """Cancelling late changes nothing."""
    ended = lane.run(lambda tx: tx.execute(_INSERT))
    assert pump.outcome(ended) == 1
    ended.cancel()
    assert lands(families) == 1


def test_a_lane_outlives_a_killed_connection(pump: Pump, lane: Lane, families: str) -> None:
    """The thread gets a new connection and goes on."""
    kill(families, pump.outcome(lane.run(connection_id)))
    assert pump.outcome(lane.run(lambda _tx: "next")) == "next"


def test_a_database_that_cannot_be_reached_is_an_error_of_the_call(pump: Pump) -> None:
    """Lanes start without it; each call is told."""
    lane = make_lane(pump, "mysql://root@localhost/x?unix_socket=/nowhere/no.sock", 1)
    lane.start()
    try:
        for _turn in range(2):
            with pytest.raises(Unavailable, match="cannot be reached"):
                pump.outcome(lane.run(lambda _tx: None))
    finally:
        lane.stop()


def test_a_lane_that_stops_finishes_what_is_under_way(pump: Pump, families: str) -> None:
    """What was begun is committed; connections are closed; what comes later is turned away."""
    lane = make_lane(pump, families, 1)
    lane.start()
    pump.outcome(lane.run(connection_id))
    assert settled(families, 1)
    gate = Gate()
    running = lane.run(gate)
    assert gate.reached.wait(PATIENCE)
    stopping = threading.Thread(target=lane.stop)
    stopping.start()
    gate.opened.set()
    stopping.join(PATIENCE)
    assert pump.outcome(running) == "work"
    assert lands(families) == 1
    assert settled(families, 0)
    with pytest.raises(ShuttingDown):
        pump.outcome(lane.run(connection_id))
    lane.stop()


def test_a_lane_that_never_started_stops_at_once(pump: Pump, families: str) -> None:
    """A node that fails to start stops all the same, and the lane takes no more work."""
    lane = make_lane(pump, families, 1)
    lane.stop()
    with pytest.raises(ShuttingDown):
        pump.outcome(lane.run(connection_id))
