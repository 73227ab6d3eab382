"""Consumers: for whom the changelog is kept, and from where."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from twisted.internet.task import Clock

from service.errors import Busy, FeedRefused
from service.methods.feed_port import Consumer
from service.store.feed import consumers
from service.store.feed.stored import StoredFeed
from service.store.work import RetryPolicy
from tests.service.store.direct import done
from tests.service.store.feeds import CATALOGUE, HandSealing, capture, run, seal, stored_feed
from tests.service.store.tools import QUICK, ask, raw_connection, working


@pytest.fixture
def farms(database: str) -> str:
    """A captured database with seven changes, of which three are no longer kept."""
    capture(database)
    run(database, *(f"INSERT INTO farm (number, name) VALUES ({n}, 'x')" for n in range(7)))
    seal(database)
    run(
        database,
        "DELETE FROM herdbook_changelog WHERE position <= 3",
        "UPDATE herdbook_sealer SET horizon = 3",
    )
    return database


@pytest.fixture
def feed(farms: str) -> Iterator[StoredFeed]:
    """The feed of that database."""
    with stored_feed(farms, HandSealing(farms), Clock()) as opened:
        yield opened


def positions(feed: StoredFeed) -> dict[str, int]:
    """Every consumer's position."""
    found, _ends = done(feed.consumers())
    return {consumer.name: consumer.position for consumer in found}


def codes(refused: pytest.ExceptionInfo[FeedRefused]) -> list[tuple[str, str]]:
    """Pointer and code of each failure."""
    return [(failure.pointer, failure.code) for failure in refused.value.failures]


def test_a_consumer_begins_where_it_says(feed: StoredFeed) -> None:
    """At the horizon, above it, or at the head."""
    for name, start in (("b", 3), ("a", 5), ("c", None)):
        done(feed.register(name, start))
    assert positions(feed) == {"a": 5, "b": 3, "c": 7}
    found, ends = done(feed.consumers())
    assert [consumer.name for consumer in found] == ["a", "b", "c"]
    assert (ends.head, ends.horizon) == (7, 3)
    assert all(consumer.registered_at > 1_700_000_000_000_000 for consumer in found)


def test_a_consumer_that_registers_again_stays_where_it_is(feed: StoredFeed) -> None:
    """So a program may register whenever it starts, and loses nothing."""
    first = done(feed.register("a", 4))
    assert done(feed.register("a", None)) == first
    assert done(feed.register("a", 0)) == first
    assert positions(feed) == {"a": 4}


@pytest.mark.parametrize(
    ("start", "code"), [(2, "position.below_horizon"), (8, "position.beyond_head")]
)
def test_nobody_registers_for_what_is_not_there(feed: StoredFeed, start: int, code: str) -> None:
    """What is pruned cannot be kept, what was never given cannot be reached."""
    with pytest.raises(FeedRefused) as refused:
        done(feed.register("a", start))
    assert codes(refused) == [("/position", code)]
    assert positions(feed) == {}


def test_acknowledging_never_goes_back(feed: StoredFeed) -> None:
    """A call that comes late changes nothing."""
    done(feed.register("a", 4))
    reached: list[Consumer] = [done(feed.acknowledge("a", at)) for at in (6, 5, 0, 7, 6)]
    assert [consumer.position for consumer in reached] == [6, 6, 6, 7, 7]
    assert reached[-1].seen_at >= reached[0].seen_at >= reached[0].registered_at


def test_nobody_acknowledges_what_was_never_given(feed: StoredFeed) -> None:
    """All that is wrong is said at once, and nothing is written."""
    done(feed.register("a", 4))
    with pytest.raises(FeedRefused) as refused:
        done(feed.acknowledge("a", 8))
    assert codes(refused) == [("/position", "position.beyond_head")]
    with pytest.raises(FeedRefused) as refused:
        done(feed.acknowledge("nobody", 8))
    assert codes(refused) == [
        ("/position", "position.beyond_head"),
        ("/consumer", "consumer.unknown"),
    ]
    assert positions(feed) == {"a": 4}


def test_a_forgotten_consumer_is_gone(feed: StoredFeed) -> None:
    """The others stay; there is nothing to forget twice."""
    done(feed.register("a", 4))
    done(feed.register("b", 4))
    done(feed.forget("a"))
    assert positions(feed) == {"b": 4}
    with pytest.raises(FeedRefused) as refused:
        done(feed.forget("a"))
    assert codes(refused) == [("/consumer", "consumer.unknown")]


def test_registering_waits_for_a_pruning_under_way(farms: str) -> None:
    """The horizon cannot pass a consumer between its check and its being there."""
    once = RetryPolicy(attempts=1)
    with (
        raw_connection(farms, autocommit=False) as pruning,
        working(farms, CATALOGUE, QUICK, once) as worker,
    ):
        ask(pruning, "UPDATE herdbook_sealer SET horizon = 6")
        with pytest.raises(Busy):
            worker.run(lambda tx: consumers.register(tx, "a", 4))
        pruning.commit()
        with pytest.raises(FeedRefused) as refused:
            worker.run(lambda tx: consumers.register(tx, "a", 4))
    assert codes(refused) == [("/position", "position.below_horizon")]
