"""The room: woken, on its own, through trouble, and to the end; with the lane before it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any, cast

import MySQLdb
import pytest
from twisted.internet.defer import CancelledError

from service.errors import ServiceError, ShuttingDown
from service.store.sealing.lane import SealingLane
from service.store.sealing.lease import NotHolder
from service.store.sealing.pace import Trouble
from service.store.sealing.passes import Sealer
from service.store.transaction import Transaction
from tests.live.units import kill, until
from tests.service.store.sealing.tools import changelog, inbox, run, sealing, worker_at
from tests.service.store.test_threads import Pump
from tests.service.store.tools import ask, raw_connection, read

PATIENCE = 20.0
COUNT = "SELECT COUNT(*) FROM herdbook_changelog"


class Tally:
    """Counts what a lane does."""

    def __init__(self) -> None:
        self.sealed = self.held = self.gone = self.position = 0
        self.holder = False

    def passed(self, sealed: int, held: int, seconds: float) -> None:
        """Note a pass."""
        self.sealed += sealed
        self.held = held

    def at(self, position: int) -> None:
        """Note the last position."""
        self.position = position

    def holds(self, holder: bool) -> None:
        """Note the lease."""
        self.holder = holder

    def pruned(self, entries: int) -> None:
        """Note what was pruned."""
        self.gone += entries


Make = Callable[..., tuple[SealingLane, Tally]]


@pytest.fixture
def pump() -> Pump:
    """What stands for the reactor."""
    return Pump()


@pytest.fixture
def make(plots: str, pump: Pump) -> Iterator[Make]:
    """Makes lanes that are stopped in the end."""
    made: list[SealingLane] = []

    def make_one(name: str, prune: Any = lambda: (0, False)) -> tuple[SealingLane, Tally]:
        tally = Tally()
        sealer = Sealer(worker_at(plots, attempts=3), name)
        lane = SealingLane(cast(Any, pump), sealer, prune, tally)
        made.append(lane)
        return lane, tally

    yield make_one
    for lane in made:
        lane.stop()


def test_what_plain_sql_writes_is_sealed_without_being_woken(plots: str, make: Make) -> None:
    """Nobody tells the lane; it looks for itself."""
    lane, tally = make("one")
    lane.start()
    until(lambda: lane.holder)
    for number in range(5):
        run(plots, f"INSERT INTO plot VALUES ({number}, '')")
        until(lambda: inbox(plots) == 0)
    until(lambda: (tally.sealed, tally.position, tally.holder) == (5, 5, True))
    assert lane.problem() is None


def test_subscribers_are_told_each_new_position(plots: str, make: Make, pump: Pump) -> None:
    """In the reactor's thread; not after they have left."""
    lane, _tally = make("one")
    told: list[int] = []
    unsubscribe = lane.subscribe(told.append)
    lane.start()
    until(lambda: lane.holder)
    run(plots, "INSERT INTO plot VALUES (1, '')")
    lane.wake()
    while told != [1]:
        pump.run_one()
    assert lane.position() == 1
    unsubscribe()
    run(plots, "INSERT INTO plot VALUES (2, '')")
    while lane.position() != 2:
        pump.run_one()
    assert told == [1]


def test_positions_that_another_process_gives_are_told_too(
    plots: str, make: Make, pump: Pump
) -> None:
    """A process that does not seal follows the one that does."""
    with sealing(plots, "other") as other:
        lane, _tally = make("one")
        told: list[int] = []
        lane.subscribe(told.append)
        lane.start()
        run(plots, "INSERT INTO plot VALUES (1, '')")
        other.seal()
        while told != [1]:
            pump.run_one()
        assert not lane.holder


def test_what_is_read_comes_back_sealed(plots: str, make: Make, pump: Pump) -> None:
    """With errors of its own as they are; objects must not leave the thread."""
    lane, _tally = make("one")
    lane.start()
    until(lambda: lane.holder)
    run(plots, "INSERT INTO plot VALUES (1, '')")
    count = "SELECT COUNT(*) FROM herdbook_changelog"
    assert pump.outcome(lane.read_sealed(lambda tx: tx.rows(count)[0][0])) == 1

    def fail(_tx: Transaction) -> None:
        raise LookupError("of its own")

    failing = lane.read_sealed(fail)
    good = lane.read_sealed(lambda tx: tx.rows(count)[0][0])
    with pytest.raises(LookupError):
        pump.outcome(failing)
    assert pump.outcome(good) == 1


def test_reading_may_be_given_up(plots: str, make: Make, pump: Pump) -> None:
    """Whoever waits for its turn never runs then."""
    lane, _tally = make("one")
    lane.start()
    until(lambda: lane.holder)
    reached, opened, ran = threading.Event(), threading.Event(), []

    def slow(_tx: Transaction) -> str:
        reached.set()
        assert opened.wait(PATIENCE)
        return "slow"

    first = lane.read_sealed(slow)
    assert reached.wait(PATIENCE)
    second = lane.read_sealed(lambda _tx: ran.append("ran"))
    second.cancel()
    opened.set()
    assert pump.outcome(first) == "slow"
    with pytest.raises(CancelledError):
        pump.outcome(second)
    assert pump.outcome(lane.read_sealed(lambda _tx: "next")) == "next"
    assert ran == []


def test_who_stands_reads_what_is_sealed_next(plots: str, make: Make, pump: Pump) -> None:
    """Not in a pass that seals nothing; and it is told before the position is."""
    lane, _tally = make("one")
    lane.start()
    until(lambda: lane.holder)
    told: list[Any] = []
    lane.subscribe(told.append)
    lane.read_next(lambda tx: tx.rows(COUNT)[0][0]).addCallback(lambda count: told.append([count]))
    assert pump.outcome(lane.read_sealed(lambda tx: tx.rows(COUNT)[0][0])) == 0
    lane.wake()
    assert told == []
    run(plots, "INSERT INTO plot VALUES (1, '')")
    lane.wake()
    while len(told) < 2:
        pump.run_one()
    assert told == [[1], 1]
    assert pump.outcome(lane.read_sealed(lambda tx: tx.rows(COUNT)[0][0])) == 1


def test_of_those_who_stand_one_reads_in_a_pass(plots: str, make: Make, pump: Pump) -> None:
    """The others keep their turns, and one that gives up loses its own at once."""
    lane, _tally = make("one")
    lane.start()
    until(lambda: lane.holder)
    read_at: dict[str, int] = {}

    def reads(name: str) -> Callable[[Transaction], None]:
        return lambda tx: read_at.update({name: tx.rows(COUNT)[0][0]})

    standing = {name: lane.read_next(reads(name)) for name in ("first", "gone", "last")}
    standing["gone"].cancel()
    with pytest.raises(CancelledError):
        pump.outcome(standing["gone"])
    for number, name in enumerate(("first", "last"), start=1):
        run(plots, f"INSERT INTO plot VALUES ({number}, '')")
        lane.wake()
        pump.outcome(standing[name])
        assert read_at[name] == number
    assert read_at == {"first": 1, "last": 2}


def test_who_stands_is_turned_away_with_the_lease(plots: str, make: Make, pump: Pump) -> None:
    """A process that does not seal keeps nobody waiting for it."""
    lane, _tally = make("one")
    lane.start()
    until(lambda: lane.holder)
    standing = lane.read_next(lambda _tx: "read")
    run(plots, "UPDATE herdbook_sealer SET holder = 'other'")
    lane.wake()
    with pytest.raises(NotHolder):
        pump.outcome(standing)
    with pytest.raises(NotHolder):
        pump.outcome(lane.read_next(lambda _tx: "read"))


def test_standing_in_a_pass_that_fails_is_told_and_holds_up_no_other(
    plots: str, make: Make, pump: Pump
) -> None:
    """What cannot be read with sealing is not tried for ever, and what waits is sealed."""
    lane, _tally = make("one")
    lane.start()
    until(lambda: lane.holder)
    tries = []

    def refused(tx: Transaction) -> None:
        tries.append(tx.rows(COUNT))
        tx.rows("SELECT 1 FROM herdbook_nothing")

    standing = lane.read_next(refused)
    run(plots, "INSERT INTO plot VALUES (1, '')")
    lane.wake()
    with pytest.raises(ServiceError):
        pump.outcome(standing)
    until(lambda: inbox(plots) == 0)
    assert len(tries) == 1


def test_who_stands_is_told_when_the_lane_stops(make: Make, pump: Pump) -> None:
    """Nobody waits for a node that is gone."""
    lane, _tally = make("one")
    lane.start()
    until(lambda: lane.holder)
    standing = lane.read_next(lambda _tx: "read")
    lane.stop()
    with pytest.raises(ShuttingDown):
        pump.outcome(standing)


def test_where_another_process_seals_nothing_is_read(plots: str, make: Make, pump: Pump) -> None:
    """The caller is told, and reads in another way."""
    with sealing(plots, "other"):
        lane, _tally = make("one")
        lane.start()
        with pytest.raises(NotHolder):
            pump.outcome(lane.read_sealed(lambda _tx: "read"))


def test_a_lane_that_loses_the_lease_waits_and_takes_it_again(plots: str, make: Make) -> None:
    """Another process took it and then gave it back."""
    lane, tally = make("one")
    lane.start()
    until(lambda: lane.holder)
    run(plots, "UPDATE herdbook_sealer SET holder = 'other'", "INSERT INTO plot VALUES (1, '')")
    lane.wake()
    until(lambda: not tally.holder)
    assert inbox(plots) == 1
    run(plots, "UPDATE herdbook_sealer SET holder = ''")
    until(lambda: tally.sealed == 1)
    assert lane.holder


def test_a_silent_holder_is_replaced(plots: str, make: Make) -> None:
    """A process that was killed left its name in the row; after the time of grace another seals."""
    run(plots, "UPDATE herdbook_sealer SET holder = 'dead'", "INSERT INTO plot VALUES (1, '')")
    lane, _tally = make("one")
    lane.start()
    until(lambda: inbox(plots) == 0)
    assert lane.holder


def test_an_idle_holder_shows_signs_of_life(plots: str, make: Make) -> None:
    """Its beat goes on without anything to seal."""
    lane, _tally = make("one")
    lane.start()
    until(lambda: lane.holder)
    beat = read(plots, "SELECT beat FROM herdbook_sealer")
    until(lambda: read(plots, "SELECT beat FROM herdbook_sealer") > beat)
    assert len(changelog(plots)) == 0


def test_a_room_outlives_killed_connections(plots: str, make: Make) -> None:
    """Ten times over, with a new connection each time."""
    lane, _tally = make("one")
    lane.start()
    until(lambda: lane.holder)
    for number in range(10):
        run(plots, f"INSERT INTO plot VALUES ({number}, '')")
        with raw_connection(plots) as operator:
            for (session,) in ask(
                operator,
                "SELECT id FROM information_schema.processlist WHERE db = DATABASE() "
                "AND id <> CONNECTION_ID() AND command = 'Sleep'",
            ):
                # One of those that only looked may have left meanwhile.
                with suppress(MySQLdb.OperationalError):
                    kill(plots, session)
        lane.wake()
        until(lambda: inbox(plots) == 0)
    until(lambda: lane.problem() is None)
    assert len(changelog(plots)) == 10
    assert lane.holder


def test_trouble_is_told_and_survived(
    plots: str, make: Make, pump: Pump, caplog: pytest.LogCaptureFixture
) -> None:
    """A table of its own is missing for a while: readiness and log say so, readers too."""
    lane, _tally = make("one")
    lane.start()
    until(lambda: lane.holder)
    run(plots, "RENAME TABLE herdbook_inbox TO herdbook_away")
    until(lambda: lane.problem() is not None)
    assert "sealing fails" in (lane.problem() or "")
    with pytest.raises(ServiceError):
        pump.outcome(lane.read_sealed(lambda _tx: None))
    run(plots, "RENAME TABLE herdbook_away TO herdbook_inbox")
    until(lambda: lane.problem() is None)
    run(plots, "INSERT INTO plot VALUES (1, '')")
    until(lambda: inbox(plots) == 0)
    assert "sealing fails: a table or column is missing" in caplog.text


def test_stopping_gives_the_lease_back(plots: str, make: Make, pump: Pump) -> None:
    """The next one need not wait; whoever wants to read is turned away."""
    lane, tally = make("one")
    lane.start()
    until(lambda: lane.holder)
    lane.stop()
    assert read(plots, "SELECT holder FROM herdbook_sealer") == [("",)]
    assert not lane.holder
    assert not tally.holder
    assert lane.problem() == "sealing is not running"
    with pytest.raises((NotHolder, ShuttingDown)):
        pump.outcome(lane.read_sealed(lambda _tx: None))


def test_a_lane_that_never_started_stops_at_once(make: Make) -> None:
    """A node that fails to start stops all the same."""
    lane, _tally = make("one")
    lane.stop()
    assert not lane.holder


def test_pruning_goes_on_until_there_is_no_more(
    plots: str, make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Soon after the lease was taken; sealing goes on in between, and when pruning fails."""
    monkeypatch.setattr("service.store.sealing.pace.FIRST_PRUNE_SECONDS", 0.0)
    steps = [RuntimeError("once"), (2, True), (1, False)]

    def prune() -> tuple[int, bool]:
        step = steps.pop(0)
        if isinstance(step, Exception):
            raise step
        return cast(tuple[int, bool], step)

    monkeypatch.setattr("service.store.sealing.pace.PRUNE_SECONDS", 0.2)
    lane, tally = make("one", lambda: prune() if steps else (0, False))
    lane.start()
    until(lambda: tally.gone == 3)
    run(plots, "INSERT INTO plot VALUES (1, '')")
    until(lambda: tally.sealed == 1)
    assert lane.problem() is None


def test_pauses_grow_and_the_log_is_told_once_in_a_while() -> None:
    """The same trouble again is told after half a minute, another one at once."""
    first, tell = Trouble().again("gone", 100.0)
    assert tell
    second, tell = first.again("gone", 101.0)
    assert not tell
    assert first.pause < second.pause
    assert second.again("other", 101.5)[1]
    assert second.again("gone", 131.0)[1]
    many = second
    for _turn in range(50):
        many, _tell = many.again("gone", 102.0)
    assert many.pause == 2.0
