"""Subscriptions over a connection: told in order, at the pace of their reader, or ended aloud."""

from __future__ import annotations

from typing import Any

import pytest

from service.errors import SchemaDiffers, Unavailable
from service.rpc.limits import Limits
from tests.service.transports.streams import BOUNDS, CAPACITY, Client, Stream, line


@pytest.fixture
def stream() -> Stream:
    """A listener with small bounds."""
    return Stream()


@pytest.fixture
def client(stream: Stream) -> Client:
    """A connection to it."""
    return Client(stream)


def told(client: Client, method: str = "feed.change") -> list[Any]:
    """The parameters of the notifications that came."""
    return [one["params"] for one in client.received() if one.get("method") == method]


def changes(client: Client) -> list[str]:
    """The changes that came."""
    return [change for params in told(client) for change in params["changes"]]


def test_the_number_comes_before_the_first_change(stream: Stream, client: Client) -> None:
    """A client knows what a notification is about, also when both come in one breath."""
    stream.feed.seal(2)
    client.call("feed.subscribe", 0, 10)
    stream.feed.answer()
    answer, change = client.received()
    assert answer["result"] == 1
    assert change == {
        "jsonrpc": "2.0",
        "method": "feed.change",
        "params": {"subscription": 1, "changes": ["1", "2"], "next": 2, "complete": True},
    }


def test_in_a_batch_too_the_answer_comes_first(stream: Stream, client: Client) -> None:
    """Nothing is told while other calls of the message still run."""
    stream.feed.seal(1)
    subscribe, hold = line("feed.subscribe", 0, 10)[:-1], line("hold", 1, id_=2)[:-1]
    client.send(b"[" + subscribe + b"," + hold + b"]\n")
    assert stream.feed.asked == []
    stream.held[1].callback(None)
    stream.feed.answer()
    answers, change = client.received()
    assert answers[0]["result"] == 1
    assert change["method"] == "feed.change"


def test_what_is_sealed_is_told_without_asking(stream: Stream, client: Client) -> None:
    """Page after page, each from where the one before it ended."""
    client.call("feed.subscribe", 0, 10)
    stream.feed.answer()
    for head in (1, 2, 5):
        stream.feed.seal(head)
        stream.feed.answer()
    assert changes(client) == ["1", "2", "3", "4", "5"]
    assert stream.sample("herdbook_feed_changes_sent_total") == 5
    assert stream.sample("herdbook_feed_subscriptions") == 1


def test_a_page_read_with_sealing_is_told_at_once(stream: Stream, client: Client) -> None:
    """Nobody asks for it then; a reader that has it expects the next one."""
    client.call("feed.subscribe", 0, 10)
    stream.feed.answer()
    for head in (1, 2, 5):
        stream.feed.seal_and_read(head)
        assert stream.feed.asked == []
    assert changes(client) == ["1", "2", "3", "4", "5"]
    assert [after for after, _limit, _waiting in stream.feed.coming] == [5]


@pytest.mark.parametrize("outcome", [None, RuntimeError("out of hay")])
def test_a_page_that_does_not_come_is_asked_for(
    stream: Stream, client: Client, outcome: Exception | None
) -> None:
    """Where the sealer reads for somebody else, or fails: the reader is woken as ever."""
    client.call("feed.subscribe", 0, 10)
    stream.feed.answer()
    stream.feed.disappoint(outcome)
    assert told(client) == told(client, "feed.overflow") == []
    stream.feed.seal(1)
    stream.feed.answer()
    assert [after for after, _limit, _waiting in stream.feed.coming] == [1]
    stream.feed.seal(2)
    assert (stream.feed.given_up, stream.feed.coming) == ([1], [])
    stream.feed.answer()
    assert changes(client) == ["1", "2"]


@pytest.mark.parametrize("end", ["unsubscribe", "connection", "shutdown"])
def test_whoever_leaves_expects_nothing(stream: Stream, client: Client, end: str) -> None:
    """However a subscription ends, the sealer is not left with what it wanted."""
    client.call("feed.subscribe", 0, 10)
    stream.feed.answer()
    assert len(stream.feed.coming) == 1
    if end == "unsubscribe":
        client.call("feed.unsubscribe", 1)
    elif end == "connection":
        client.leave()
    else:
        stream.factory.drain(10)
    assert (stream.feed.given_up, stream.feed.coming) == ([0], [])


def test_a_backlog_comes_in_pages(stream: Stream, client: Client) -> None:
    """A reader far behind is told everything, a page at a time."""
    stream.feed.seal(7)
    client.call("feed.subscribe", 0, 3)
    for _ in range(4):
        stream.feed.answer()
    assert [(len(page["changes"]), page["next"], page["complete"]) for page in told(client)] == [
        (3, 3, False),
        (3, 6, False),
        (1, 7, True),
    ]


def test_who_reads_slowly_costs_one_page(stream: Stream, client: Client) -> None:
    """The next page is read from the database when the last one is with the client."""
    stream.feed.padding = "x" * CAPACITY
    stream.feed.seal(10)
    client.stop_reading()
    client.call("feed.subscribe", 0, 2)
    stream.feed.answer()
    assert stream.feed.asked == []
    assert client.sent_bytes < 3 * CAPACITY
    client.read_on()
    assert [(after, limit) for after, limit, _ in stream.feed.asked] == [(2, 2)]


def test_a_stalled_subscriber_is_told_its_end_behind_what_it_was_sent(
    stream: Stream, client: Client
) -> None:
    """It reads the page it missed, then where to take up again; its connection still works."""
    stream.feed.padding = "x" * CAPACITY
    stream.feed.seal(10)
    client.stop_reading()
    client.call("feed.subscribe", 0, 2)
    stream.feed.answer()
    stream.clock.advance(BOUNDS.stall_seconds)
    stream.feed.seal(20)
    assert stream.feed.asked == []
    assert stream.feed.listeners == []
    client.read_on()
    _answer, change, overflow = client.received()
    assert change["params"]["next"] == 2
    assert overflow["method"] == "feed.overflow"
    assert overflow["params"] == {"subscription": 1, "next": 2, "reason": "stalled"}
    assert stream.sample("herdbook_feed_overflows_total") == 1
    client.call("feed.subscribe", 2, 2)
    stream.feed.answer()
    assert [one["next"] for one in told(client)] == [4]


def test_a_stalled_subscriber_that_never_reads_is_cut_off(stream: Stream, client: Client) -> None:
    """After four times as long the connection goes too, and all it held."""
    stream.feed.padding = "x" * CAPACITY
    stream.feed.seal(10)
    client.stop_reading()
    client.call("feed.subscribe", 0, 2)
    stream.feed.answer()
    stream.clock.pump([BOUNDS.stall_seconds] * 4)
    assert client.is_cut()


def test_a_subscriber_that_reads_a_little_now_and_then_does_not_stall(
    stream: Stream, client: Client
) -> None:
    """A slow wire is not a reader that stands still."""
    stream.feed.padding = "x" * 6 * CAPACITY
    stream.feed.seal(2)
    client.stop_reading()
    client.call("feed.subscribe", 0, 2)
    stream.feed.answer()
    for _ in range(5):
        stream.clock.advance(BOUNDS.stall_seconds - 1)
        client.transport.read()
    client.read_on()
    assert stream.sample("herdbook_feed_overflows_total") == 0
    assert len(changes(client)) == 2


def test_two_subscriptions_of_one_connection_go_their_own_ways(
    stream: Stream, client: Client
) -> None:
    """Each has its number, its place, and its own end."""
    stream.feed.seal(3)
    client.send(line("feed.subscribe", 0, 10) + line("feed.subscribe", 2, 10))
    stream.feed.answer()
    assert [(one["subscription"], one["changes"]) for one in told(client)] == [
        (1, ["1", "2", "3"]),
        (2, ["3"]),
    ]
    client.call("feed.unsubscribe", 1)
    assert client.received()[0]["result"] is True
    stream.feed.seal(4)
    stream.feed.answer()
    assert [(one["subscription"], one["changes"]) for one in told(client)] == [(2, ["4"])]


def test_after_unsubscribing_nothing_more_comes(stream: Stream, client: Client) -> None:
    """Also the page that is being read is given up."""
    stream.feed.seal(3)
    client.call("feed.subscribe", 0, 10)
    client.call("feed.unsubscribe", 1)
    stream.feed.seal(4)
    stream.feed.answer()
    assert stream.feed.cancelled == [0]
    assert told(client) == []
    client.call("feed.unsubscribe", 1)
    client.call("feed.unsubscribe", 99)
    assert [one["result"] for one in client.received()] == [False, False]


def test_one_too_many_is_refused(stream: Stream, client: Client) -> None:
    """The limit is per connection, and a number is never given twice."""
    client.send(line("feed.subscribe", 0, 10) * 3)
    first, second, refused = client.received()
    assert (first["result"], second["result"]) == (1, 2)
    assert refused["error"]["data"]["code"] == "limit.subscriptions"
    client.call("feed.unsubscribe", 1)
    client.call("feed.subscribe", 0, 10)
    assert client.received()[-1]["result"] == 3


def test_pages_are_tried_again_while_the_database_is_away(stream: Stream, client: Client) -> None:
    """The subscriber notices nothing but the delay."""
    stream.feed.seal(1)
    client.call("feed.subscribe", 0, 10)
    for _ in range(4):
        stream.feed.fail(Unavailable("the database cannot be reached"))
        assert stream.feed.asked == []
        stream.clock.advance(8)
    stream.feed.answer()
    assert changes(client) == ["1"]


def test_a_page_that_takes_too_long_is_given_up_and_tried_again(
    stream: Stream, client: Client
) -> None:
    """A read that hangs does not hold the subscription for ever."""
    stream.feed.seal(1)
    client.call("feed.subscribe", 0, 10)
    stream.clock.advance(stream.limits.call_seconds)
    assert stream.feed.cancelled == [0]
    stream.clock.advance(1)
    stream.feed.answer()
    assert changes(client) == ["1"]


def test_what_will_not_pass_ends_the_subscription(stream: Stream, client: Client) -> None:
    """The reason is the code of the error."""
    client.call("feed.subscribe", 5, 10)
    stream.feed.fail(SchemaDiffers("no such column"))
    assert told(client, "feed.overflow") == [
        {"subscription": 1, "next": 5, "reason": "server.schema"}
    ]


def test_a_bug_ends_the_subscription_and_is_logged(
    stream: Stream, client: Client, caplog: pytest.LogCaptureFixture
) -> None:
    """The client learns that it is none of its doing, the log learns the rest."""
    client.call("feed.subscribe", 5, 10)
    stream.feed.fail(RuntimeError("out of hay"))
    assert told(client, "feed.overflow")[0]["reason"] == "server.internal"
    assert "out of hay" in caplog.text


def test_a_page_beyond_the_limit_of_results_comes_in_parts() -> None:
    """Large rows make small pages."""
    stream = Stream(Limits(result_bytes=10_000))
    client = Client(stream)
    stream.feed.padding = "x" * 3_000
    stream.feed.seal(10)
    client.call("feed.subscribe", 0, 10)
    for _ in range(20):
        stream.feed.answer()
    pages = told(client)
    assert [change.rstrip("x") for page in pages for change in page["changes"]] == [
        str(number) for number in range(1, 11)
    ]
    assert max(len(page["changes"]) for page in pages) <= 3


def test_a_row_beyond_the_limit_of_results_is_told() -> None:
    """Instead of stopping in silence the subscription says before which change it ended."""
    stream = Stream(Limits(result_bytes=2_000))
    client = Client(stream)
    stream.feed.padding = "x" * 3_000
    stream.feed.seal(10)
    client.call("feed.subscribe", 4, 10)
    for _ in range(20):
        stream.feed.answer()
    assert told(client, "feed.overflow") == [{"subscription": 1, "next": 4, "reason": "too_large"}]


def test_shutdown_ends_subscriptions_without_a_word(stream: Stream, client: Client) -> None:
    """The end of the connection says it; nothing is read for them any more."""
    stream.feed.seal(3)
    client.call("feed.subscribe", 0, 10)
    stream.factory.drain(10)
    assert stream.feed.cancelled == [0]
    assert client.is_closed()
    assert stream.sample("herdbook_feed_subscriptions") == 0
