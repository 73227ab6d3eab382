"""The herd's store as links use it, from the reactor."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any, cast

import pytest
from twisted.internet.defer import CancelledError, Deferred, succeed

from service.errors import ServiceError, ShuttingDown, Unavailable
from service.herd.deltas import Delta
from service.herd.port import Origin, Sibling
from service.store.herd import siblings
from service.store.herd.applier import Applier
from service.store.herd.arrivals import Arrivals
from service.store.herd.delta_parts import Sizes
from service.store.herd.described import Descriptions
from service.store.herd.reading import Bounds
from service.store.herd.stored import StoredHerd
from service.store.settings import SessionSettings
from service.store.threads import Lane, StepLane
from service.store.work import RetryPolicy, Worker
from tests.service.store.connections import settled
from tests.service.store.herd.deltas import own, reader_at, sealed
from tests.service.store.herd.ranch import CATALOGUE
from tests.service.store.sealing.tools import run
from tests.service.store.test_threads import Pump
from tests.service.store.tools import database_at, in_transaction

FEW = Bounds(sizes=Sizes(most_rows=2, most_bytes=1_000, most_lines=10))
SEATS = 2


class Herd:
    """A store on a database, with its threads."""

    def __init__(self, url: str, idle_seconds: float = 60) -> None:
        self.pump = Pump()
        reactor = cast(Any, self.pump)
        self.reading = Lane(reactor, "r", 1, lambda: worker(url, SessionSettings(autocommit=True)))
        self.writing = Lane(reactor, "w", 1, lambda: worker(url, SessionSettings()))
        self.deltas = StepLane(reactor, "d", SEATS, idle_seconds)
        reader, arrivals = reader_at(url, bounds=FEW), Arrivals(Applier(Descriptions()))
        self.store = StoredHerd(
            self.reading, self.writing, self.deltas, reader, arrivals, lambda: succeed(None)
        )

    def start(self) -> None:
        """Start the threads."""
        self.reading.start()
        self.store.start()

    def stop(self) -> None:
        """End them."""
        self.store.stop()
        self.reading.stop()

    def outcome(self, awaited: Any) -> Any:
        """What something ends with."""
        is_deferred = isinstance(awaited, Deferred)
        return self.pump.outcome(awaited if is_deferred else Deferred.fromCoroutine(awaited))


def worker(url: str, settings: SessionSettings) -> Worker:
    """A worker of a lane."""
    return Worker(database_at(url, settings), CATALOGUE, RetryPolicy(), chance=lambda: 0.5)


@pytest.fixture
def herd(ranch: str) -> Iterator[Herd]:
    """A store on a database with some rows."""
    run(ranch, "INSERT INTO ranch (number) VALUES (1), (2), (3), (4), (5)")
    sealed(ranch)
    herd = Herd(ranch)
    herd.start()
    yield herd
    herd.stop()


def test_a_node_knows_who_it_is_and_what_it_has(herd: Herd, ranch: str) -> None:
    """Of itself, what is sealed; of others, what is noted."""
    run(ranch, "INSERT INTO herdbook_vector VALUES (77, 41)")
    assert herd.outcome(herd.store.origin()) == Origin(own(ranch), {own(ranch): 5, 77: 41})


def test_a_node_on_which_nothing_was_written_leaves_itself_out(ranch: str) -> None:
    """It has nothing of its own to have."""
    herd = Herd(ranch)
    herd.start()
    assert herd.outcome(herd.store.origin()) == Origin(own(ranch), {})
    herd.stop()


def test_a_delta_is_read_part_by_part(herd: Herd, ranch: str) -> None:
    """After the last one the connection is free."""
    assert settled(ranch, 0)
    reading = herd.outcome(herd.store.read({}))
    parts: list[Delta] = []
    while not parts or not parts[-1].last:
        parts.append(herd.outcome(reading.next()))
    assert sum(len(part.rows) for part in parts) == 5
    assert settled(ranch, 0)
    with pytest.raises(Unavailable):
        herd.outcome(reading.next())


def test_who_finds_no_seat_waits_for_its_turn(herd: Herd) -> None:
    """A seat is free when a reading was closed."""
    readings = [herd.outcome(herd.store.read({})) for _each in range(SEATS)]
    third = cast("Deferred[Any]", herd.store.read({}))
    assert not third.called
    readings[0].close()
    herd.outcome(third).close()
    readings[1].close()


def test_a_reading_that_is_given_up_while_it_waits_opens_nothing(herd: Herd, ranch: str) -> None:
    """And those behind it come in its place."""
    readings = [herd.outcome(herd.store.read({})) for _each in range(SEATS)]
    assert settled(ranch, SEATS)
    given_up = cast("Deferred[Any]", herd.store.read({}))
    given_up.cancel()
    with pytest.raises(CancelledError):
        herd.outcome(given_up)
    readings[0].close()
    last = herd.outcome(herd.store.read({}))
    assert settled(ranch, SEATS)
    last.close()
    readings[1].close()


def test_a_reading_that_is_closed_midway_gives_no_more(herd: Herd, ranch: str) -> None:
    """Whoever asks is told."""
    assert settled(ranch, 0)
    reading = herd.outcome(herd.store.read({}))
    herd.outcome(reading.next())
    reading.close()
    with pytest.raises(ServiceError):
        herd.outcome(reading.next())
    assert settled(ranch, 0)


def test_a_reading_of_which_nothing_is_asked_is_closed(ranch: str) -> None:
    """Whoever comes back to it is told."""
    run(ranch, "INSERT INTO ranch (number) VALUES (1), (2), (3), (4), (5)")
    sealed(ranch)
    herd = Herd(ranch, idle_seconds=0.1)
    herd.start()
    assert settled(ranch, 0)
    reading = herd.outcome(herd.store.read({}))
    assert settled(ranch, 0)
    with pytest.raises(Unavailable):
        herd.outcome(reading.next())
    herd.stop()


def test_stopping_closes_what_is_open_and_turns_away_who_waits(ranch: str) -> None:
    """No connection is left."""
    assert settled(ranch, 0)
    herd = Herd(ranch)
    herd.start()
    for _each in range(SEATS):
        herd.outcome(herd.store.read({}))
    waiting = herd.store.read({})
    stopping = threading.Thread(target=herd.stop)
    stopping.start()
    with pytest.raises(ShuttingDown):
        herd.outcome(waiting)
    stopping.join()
    with pytest.raises(ShuttingDown):
        herd.outcome(herd.store.read({}))
    assert settled(ranch, 0)


def test_a_reading_that_cannot_begin_says_why(herd: Herd, ranch: str) -> None:
    """And takes no seat."""
    run(ranch, "RENAME TABLE herdbook_vector TO herdbook_elsewhere")
    for _each in range(SEATS + 1):
        with pytest.raises(ServiceError):
            herd.outcome(herd.store.read({}))


def test_siblings_are_remembered_as_they_were_last_known(herd: Herd, ranch: str) -> None:
    """When they were first met stays."""
    first = (Sibling(9, "nine", {9: 4}), Sibling(8, "eight", {}))
    herd.outcome(herd.store.note(first))
    before = in_transaction(ranch, CATALOGUE, siblings.known)
    herd.outcome(herd.store.note((Sibling(9, "new", {9: 5, 8: 2**40}),)))
    after = in_transaction(ranch, CATALOGUE, siblings.known)
    assert [one.sibling for one in before] == sorted(first)
    assert [one.sibling for one in after] == [first[1], Sibling(9, "new", {9: 5, 8: 2**40})]
    assert after[1].met_at == before[1].met_at
    assert after[1].seen_at >= before[1].seen_at
    assert {one.state for one in after} == {"active"}
