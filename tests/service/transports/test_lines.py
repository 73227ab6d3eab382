"""Persistent connections: each call answered under its id, and every phase with an end."""

from __future__ import annotations

import pytest
from twisted.internet.address import UNIXAddress

from service.rpc.limits import Limits
from service.transports.stream_limits import StreamLimits
from tests.service.transports.streams import BOUNDS, CAPACITY, Client, Stream, line


@pytest.fixture
def stream() -> Stream:
    """A listener with small bounds."""
    return Stream()


@pytest.fixture
def client(stream: Stream) -> Client:
    """A connection to it."""
    return Client(stream)


def test_a_line_gets_a_line(client: Client) -> None:
    """What is asked on one line is answered on one."""
    client.call("subtract", 42, 23, id_="a")
    assert client.received() == [{"jsonrpc": "2.0", "result": 19, "id": "a"}]


def test_windows_line_ends_are_taken(client: Client) -> None:
    """White space before the line feed belongs to the JSON text."""
    client.send(line("subtract", 2, 1).replace(b"\n", b"\r\n"))
    assert client.received()[0]["result"] == 1


def test_calls_are_answered_as_they_end(stream: Stream, client: Client) -> None:
    """A slow call does not hold up those after it; ids tell the answers apart."""
    client.send(line("hold", "slow", id_="slow") + line("hold", "quick", id_="quick"))
    client.call("sum", 1, 2, id_="at once")
    stream.held["quick"].callback("done")
    stream.held["slow"].callback("done")
    assert [answer["id"] for answer in client.received()] == ["at once", "quick", "slow"]


def test_notifications_get_no_answer_and_batches_get_one(client: Client) -> None:
    """A batch is answered on one line, in its order; what wants no answer gets none."""
    client.send(b'{"jsonrpc": "2.0", "method": "update"}\n')
    client.send(b'[{"jsonrpc": "2.0", "method": "foobar"}]\n')
    assert client.received() == []
    client.send(b"[" + line("sum", 1, id_=1)[:-1] + b"," + line("sum", 2, id_=2)[:-1] + b"]\n")
    [answers] = client.received()
    assert [answer["id"] for answer in answers] == [1, 2]


def test_garbage_is_answered_and_costs_nobody_the_connection(client: Client) -> None:
    """What is no JSON gets the error that JSON-RPC has for it, and the next line is read."""
    client.send(b"GET / HTTP/1.1\r\n\n\xff\n")
    client.call("sum", 1)
    *errors, good = client.received()
    assert [(error["error"]["code"], error["id"]) for error in errors] == [(-32700, None)] * 3
    assert good["result"] == 1


def test_a_line_that_is_too_long_is_told_and_the_connection_ends(stream: Stream) -> None:
    """The client gets the answers to what was before, then why, then the end."""
    stream = Stream(Limits(body_bytes=200))
    client = Client(stream)
    client.call("hold", "before", id_="before")
    client.send(b"[" * 150)
    client.send(b"[" * 150)
    client.send(line("sum", 1))
    [error] = client.received()
    assert (error["error"]["code"], error["id"]) == (-32010, None)
    assert "longer than 200 bytes" in error["error"]["message"]
    assert not client.is_closed()
    stream.held["before"].callback("done")
    assert [answer["id"] for answer in client.received()] == ["before"]
    # To close both ways while the client sends would reset the connection, and lose it the answer.
    assert client.transport.has_ended
    assert not client.transport.disconnecting
    client.send(b"more that nobody reads" * 1_000)
    assert not client.is_cut()
    stream.clock.advance(BOUNDS.linger_seconds)
    assert client.is_cut()


def test_a_line_that_drips_is_told_so(stream: Stream, client: Client) -> None:
    """However steadily bytes come, a line has its time; then the connection ends."""
    for _ in range(int(BOUNDS.receive_seconds)):
        assert client.received() == []
        client.send(b" ")
        stream.clock.advance(1)
    [error] = client.received()
    assert error["error"]["code"] == -32002
    assert "did not arrive within 60 seconds" in error["error"]["message"]
    assert client.is_closed()


def test_each_line_has_its_own_time(stream: Stream, client: Client) -> None:
    """A busy client, whose bytes never end with a line, is not taken for a slow one."""
    for _ in range(10):
        client.send(line("sum", 1) + b"{")
        stream.clock.advance(BOUNDS.receive_seconds - 1)
        client.send(b"}\n")
    assert not client.is_closed()
    client.send(b"{")
    stream.clock.advance(BOUNDS.receive_seconds)
    assert client.is_closed()


def test_an_idle_connection_ends_and_one_at_work_does_not(stream: Stream, client: Client) -> None:
    """Only where nothing is under way does time run."""
    client.call("hold", 1)
    stream.clock.advance(20)
    assert not client.is_closed()
    stream.held[1].callback(None)
    stream.clock.advance(BOUNDS.idle_seconds - 1)
    client.call("sum", 1)
    stream.clock.advance(BOUNDS.idle_seconds - 1)
    assert not client.is_closed()
    stream.clock.advance(1)
    assert client.is_closed()


def test_a_subscribed_connection_is_never_idle(stream: Stream, client: Client) -> None:
    """Where nothing changes for a day, the subscriber still waits."""
    client.call("feed.subscribe", 0, 10)
    stream.feed.answer()
    stream.clock.advance(86_400)
    assert not client.is_closed()


def test_no_more_is_read_than_may_run(stream: Stream, client: Client) -> None:
    """Calls beyond the limit wait in the client's own buffers, and none is lost."""
    client.send(b"".join(line("hold", number, id_=number) for number in range(7)))
    assert list(stream.held) == [0, 1, 2, 3]
    assert not client.is_reading()
    for number in range(7):
        stream.held[number].callback(number)
    assert [answer["result"] for answer in client.received()] == list(range(7))
    assert client.is_reading()


def test_who_does_not_read_is_not_read(stream: Stream, client: Client) -> None:
    """Answers that nobody takes do not pile up: no further call begins."""
    client.stop_reading()
    client.call("echo", "x" * 2 * CAPACITY)
    client.call("hold", "later")
    assert stream.held == {}
    assert not client.is_reading()
    client.read_on()
    assert "later" in stream.held
    assert client.is_reading()


def test_who_reads_nothing_for_long_is_cut_off(stream: Stream, client: Client) -> None:
    """Unread answers hold memory only for a while."""
    client.stop_reading()
    client.call("echo", "x" * 2 * CAPACITY)
    stream.clock.advance(BOUNDS.stall_seconds)
    assert not client.is_cut()
    stream.clock.pump([BOUNDS.stall_seconds] * 3)
    assert client.is_cut()


def test_who_reads_slowly_is_served(stream: Stream, client: Client) -> None:
    """A client that takes a little now and then keeps its connection."""
    client.stop_reading()
    client.call("echo", "x" * 20 * CAPACITY)
    for _ in range(9):
        stream.clock.advance(BOUNDS.stall_seconds - 1)
        client.transport.read()
    assert not client.is_cut()
    client.read_on()
    assert len(client.received()[0]["result"][0]) == 20 * CAPACITY


def test_too_many_connections_are_told_so(stream: Stream) -> None:
    """The one beyond the limit gets a reason; a place that gets free is given away again."""
    clients = [Client(stream) for _ in range(BOUNDS.connections)]
    refused = Client(stream)
    [error] = refused.received()
    assert (error["error"]["code"], error["error"]["data"]["retryable"]) == (-32001, True)
    assert refused.is_closed()
    assert stream.sample("herdbook_stream_connections") == 3
    clients[0].leave()
    assert stream.sample("herdbook_stream_connections") == 2
    again = Client(stream)
    again.call("sum", 1)
    assert again.received()[0]["result"] == 1


def test_an_overloaded_node_says_so_under_the_calls_id() -> None:
    """Where too many calls wait already, each is refused by itself and may be sent again."""
    stream = Stream(Limits(pending_calls=1))
    client = Client(stream)
    client.send(line("hold", 1, id_=1) + line("sum", 1, id_=2))
    client.send(b'{"jsonrpc": "2.0", "method": "sum"}\n')
    [error] = client.received()
    assert (error["id"], error["error"]["data"]["code"]) == (2, "server.busy")


def test_what_a_client_that_left_had_asked_for_is_ended(stream: Stream, client: Client) -> None:
    """Queries do not run on for nobody."""
    client.call("hold", 1)
    client.call("feed.subscribe", 0, 10)
    client.leave()
    assert stream.held[1].called
    assert stream.feed.cancelled == [0]
    assert stream.feed.listeners == []
    assert stream.sample("herdbook_feed_subscriptions") == 0
    assert stream.clock.getDelayedCalls() == []


def test_shutdown_answers_what_runs_and_takes_nothing_more(stream: Stream, client: Client) -> None:
    """A call under way gets its answer, then the connection ends."""
    idle = Client(stream)
    client.call("hold", 1)
    drained: list[None] = []
    stream.factory.drain(10).addCallback(drained.append)
    assert idle.is_closed()
    client.call("sum", 1, id_="late")
    assert not client.is_closed()
    stream.held[1].callback("done")
    assert [answer["result"] for answer in client.received()] == ["done"]
    assert client.is_closed()
    idle.leave()
    assert drained == []
    client.leave()
    assert drained == [None]


def test_shutdown_does_not_wait_for_ever(stream: Stream, client: Client) -> None:
    """A call that does not end is answered so; a client that does not read is cut off."""
    client.call("hold", 1)
    deaf = Client(stream)
    deaf.stop_reading()
    deaf.call("echo", "x" * 2 * CAPACITY)
    stream.factory.drain(10)
    stream.clock.advance(10)
    assert client.received()[0]["error"]["data"]["code"] == "server.shutting_down"
    assert not deaf.is_cut()
    stream.clock.advance(2)
    assert deaf.is_cut()


def test_the_caller_is_known_to_its_calls(stream: Stream, client: Client) -> None:
    """Over TCP it is the address, over a socket there is none."""
    client.call("who")
    assert client.received()[0]["result"] == "api:192.168.1.1"
    local = Client(stream, UNIXAddress(""))
    local.call("who")
    assert local.received()[0]["result"] == "api:unix"


def test_the_default_bounds_are_told_in_their_words() -> None:
    """A subscriber may read nothing for half a minute, and has sixteen subscriptions."""
    bounds = StreamLimits()
    assert (bounds.stall_seconds, bounds.subscriptions) == (30.0, 16)
