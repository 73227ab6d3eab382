"""Where pages are read, and who waits for what."""

from __future__ import annotations

from typing import Any

import pytest
from MySQLdb import OperationalError
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.task import Clock

from service.errors import SchemaDiffers, Unavailable
from service.methods.feed_port import Wanted
from service.store.feed.waiting import Waiting
from service.store.sealing.lease import NotHolder
from tests.service.store.direct import done
from tests.service.store.feeds import HandSealing, capture, run, seal, stored_feed

FARM = "INSERT INTO farm (number, name) VALUES (1, 'one')"


@pytest.fixture
def farms(database: str) -> str:
    """A captured database."""
    capture(database)
    return database


def outcome(deferred: Deferred[Any]) -> list[Any]:
    """What a Deferred has ended with so far."""
    ended: list[Any] = []
    deferred.addBoth(ended.append)
    return ended


def test_a_page_at_the_head_is_read_together_with_sealing(farms: str) -> None:
    """What was committed just before is in it, and it is complete."""
    sealing = HandSealing(farms)
    run(farms, FARM)
    with stored_feed(farms, sealing, Clock()) as feed:
        found = done(feed.page(0, 10, Wanted()))
        assert (len(found.changes), found.complete, sealing.reads) == (1, True, 1)


FAILURES = {
    "lost just now": NotHolder(),
    "server gone": Unavailable("gone"),
    "pass refused": OperationalError(1644, "refused"),
}


@pytest.mark.parametrize("why", ["elsewhere", "far behind", *FAILURES])
def test_other_pages_are_read_in_a_snapshot_of_their_own(farms: str, why: str) -> None:
    """Where another process seals, where the head is far away, and where sealing fails."""
    sealing = HandSealing(farms)
    run(farms, FARM, "UPDATE farm SET name = 'two'")
    sealing.reach(seal(farms))
    run(farms, "UPDATE farm SET name = 'three'")
    sealing.holder = why != "elsewhere"
    sealing.error = FAILURES.get(why)
    with stored_feed(farms, sealing, Clock()) as feed:
        found = done(feed.page(0, 2, Wanted())) if why == "far behind" else None
        found = found or done(feed.page(0, 3, Wanted()))
    assert (len(found.changes), found.complete) == (2, False)
    assert sealing.reads == (1 if why in FAILURES else 0)


def test_the_sealer_reads_for_one_reader_at_a_time(farms: str) -> None:
    """A second one is not queued behind the first; and none holds the place for ever."""
    sealing = HandSealing(farms)
    run(farms, FARM)
    with stored_feed(farms, sealing, Clock()) as feed:
        sealing.delay = Deferred()
        first = Deferred.fromCoroutine(feed.page(0, 10, Wanted()))
        assert not done(feed.page(0, 10, Wanted())).complete
        ended = outcome(first)
        first.cancel()
        assert ended[0].check(CancelledError)
        sealing.delay = None
        assert done(feed.page(0, 10, Wanted())).complete


def test_a_page_comes_together_with_what_is_sealed(farms: str) -> None:
    """Before anybody is told of the position; nothing is sealed for its sake."""
    sealing = HandSealing(farms)
    with stored_feed(farms, sealing, Clock()) as feed:
        ended = outcome(Deferred.fromCoroutine(feed.coming(0, 10, Wanted())))
        run(farms, FARM)
        assert (ended, sealing.reads) == ([], 0)
        sealing.subscribers.append(lambda _position: ended.append("told"))
        sealing.seal_and_read()
        page, position = ended
    assert (len(page.changes), page.complete, position) == (1, True, "told")


@pytest.mark.parametrize("error", FAILURES.values(), ids=FAILURES)
def test_where_no_page_can_come_nothing_is_raised(farms: str, error: Exception) -> None:
    """Whoever expects it waits for more than that."""
    sealing = HandSealing(farms)
    sealing.error = error
    with stored_feed(farms, sealing, Clock()) as feed:
        assert done(feed.coming(0, 10, Wanted())) is None


def test_a_page_whose_statements_fail_does_not_come(farms: str) -> None:
    """What was sealed with it stays sealed."""
    sealing = HandSealing(farms)
    run(farms, FARM, "DROP TABLE cow", "ALTER TABLE farm DROP COLUMN note")
    with stored_feed(farms, sealing, Clock()) as feed:
        ended = outcome(Deferred.fromCoroutine(feed.coming(0, 10, Wanted())))
        sealing.seal_and_read()
        assert (ended, sealing.position()) == ([None], 1)


def test_who_gives_up_a_page_leaves_nothing_with_the_sealer(farms: str) -> None:
    """A client that hangs up is told that, not that there is no page."""
    sealing = HandSealing(farms)
    with stored_feed(farms, sealing, Clock()) as feed:
        expected = Deferred.fromCoroutine(feed.coming(0, 10, Wanted()))
        ended = outcome(expected)
        expected.cancel()
        assert ended[0].check(CancelledError)
        assert sealing.next == []


def test_a_reader_whose_statements_fail_disturbs_nobody(farms: str) -> None:
    """The sealer's transaction goes on; the reader itself is told."""
    sealing = HandSealing(farms)
    run(farms, FARM, "DROP TABLE cow", "ALTER TABLE farm DROP COLUMN note")
    with stored_feed(farms, sealing, Clock()) as feed:
        with pytest.raises(SchemaDiffers):
            done(feed.page(0, 10, Wanted()))
        assert (sealing.reads, sealing.answered) == (1, 1)
        assert done(feed.page(0, 10, Wanted(rows=False))).complete


def test_who_waits_is_told_when_something_is_sealed() -> None:
    """Only those for whom it is new; nobody stays behind."""
    sealing, clock = HandSealing(""), Clock()
    waiting = Waiting(sealing, clock)
    low, high = outcome(waiting.beyond(0, 5)), outcome(waiting.beyond(7, 5))
    sealing.reach(7)
    assert (low, high) == ([True], [])
    sealing.reach(8)
    assert high == [True]
    assert outcome(waiting.beyond(7, 5)) == [True]
    assert (len(waiting), sealing.subscribers, clock.getDelayedCalls()) == (0, [], [])


def test_who_waits_is_told_when_time_is_up() -> None:
    """After the seconds it asked for, and not before."""
    sealing, clock = HandSealing(""), Clock()
    waiting = Waiting(sealing, clock)
    ended = outcome(waiting.beyond(0, 5))
    clock.advance(4.9)
    assert ended == []
    clock.advance(0.1)
    assert ended == [False]
    assert (len(waiting), sealing.subscribers) == (0, [])


def test_who_leaves_while_waiting_leaves_nothing_behind() -> None:
    """A thousand clients that hang up cost nothing."""
    sealing, clock = HandSealing(""), Clock()
    waiting = Waiting(sealing, clock)
    waiters = [waiting.beyond(0, 5) for _ in range(1_000)]
    for waiter in waiters:
        ended = outcome(waiter)
        waiter.cancel()
        assert ended[0].check(CancelledError)
    assert (len(waiting), sealing.subscribers, clock.getDelayedCalls()) == (0, [], [])
    sealing.reach(1)


def test_one_that_is_told_may_make_another_leave() -> None:
    """Both end once."""
    sealing = HandSealing("")
    waiting = Waiting(sealing, Clock())
    first, second = waiting.beyond(0, 5), waiting.beyond(0, 5)
    first.addCallback(lambda _came: second.cancel())
    ended = outcome(second)
    sealing.reach(1)
    assert len(ended) == 1
    assert len(waiting) == 0


def test_a_node_that_stops_lets_nobody_wait(farms: str) -> None:
    """Those who wait are answered, and those who come are answered at once."""
    sealing, clock = HandSealing(farms), Clock()
    with stored_feed(farms, sealing, clock) as feed:
        ended = outcome(Deferred.fromCoroutine(feed.following(0, 9, Wanted(), 5)))
        feed.close()
        assert ended == [None]
        assert done(feed.following(0, 9, Wanted(), 5)) is None
        assert (sealing.subscribers, sealing.next, clock.getDelayedCalls()) == ([], [], [])
