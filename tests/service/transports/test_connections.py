"""What a connection may cost, second by second and byte by byte, without a network."""

from __future__ import annotations

import contextlib
import logging
import tracemalloc

import pytest
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.task import Clock

from service.transports.web import Answer, Asked
from tests.service.transports.live import post
from tests.service.transports.memory import LIMITS, Line, has_fired, new_line

MEBIBYTE = 1024 * 1024


class Waiting:
    """A page whose answers wait for the test."""

    def __init__(self) -> None:
        self.asked: list[Deferred[Answer]] = []

    async def __call__(self, asked: Asked) -> Answer:
        """Wait for the answer."""
        self.asked.append(Deferred())
        return await self.asked[-1]


def advance(clock: Clock, seconds: int) -> None:
    """Let time pass, second by second."""
    clock.pump([1.0] * seconds)


def test_an_idle_connection_is_closed_after_its_time() -> None:
    """Connections that nobody uses do not stay for ever, and are closed without a word."""
    line, clock, _ = new_line()
    advance(clock, 74)
    assert not line.is_closing()
    advance(clock, 1)
    assert line.is_closing()
    assert line.received == b""


def test_a_kept_connection_gets_its_idle_time_again_after_each_answer() -> None:
    """Clients that come back in time keep their connection."""
    line, clock, _ = new_line()
    for _ in range(3):
        advance(clock, 74)
        line.send(post(b"hay"))
    assert line.received.count(b"200 OK") == 3
    advance(clock, 74)
    assert not line.is_closing()
    advance(clock, 1)
    assert line.is_closing()


@pytest.mark.parametrize("piece", [b"x", b"X: y\r\n"], ids=["body", "headers"])
def test_a_dripping_sender_is_cut_off(piece: bytes) -> None:
    """A byte now and then does not keep a request open: it is told 408."""
    line, clock, _ = new_line()
    whole = post(b"x" * 900)
    line.send(whole[: whole.index(b"\r\n\r\n") + (4 if piece == b"x" else 2)])
    for _ in range(59):
        advance(clock, 1)
        line.send(piece)
    assert not line.is_closing()
    advance(clock, 1)
    assert line.is_closing()
    assert line.received.startswith(b"HTTP/1.1 408 ")
    assert b"60 seconds" in line.received


def test_a_drip_before_the_first_line_ends_is_cut_off_too() -> None:
    """The time runs from the first byte and not from the first line."""
    line, clock, _ = new_line()
    for _ in range(60):
        line.send(b"P")
        advance(clock, 1)
    assert line.is_closing()


def test_a_call_may_take_longer_than_a_request_to_arrive() -> None:
    """No timer of the connection ends a call, not even when the client sends the next one."""
    page = Waiting()
    line, clock, _ = new_line(page)
    line.send(post(b"hay"))
    line.send(post(b"oats")[:20])
    advance(clock, 500)
    assert not line.is_closing()
    page.asked[0].callback(Answer(200, b"done"))
    assert line.received.endswith(b"done")


def test_a_pipelined_call_may_take_as_long() -> None:
    """The same holds for a request that was waiting while the one before it was answered."""
    page = Waiting()
    line, clock, _ = new_line(page)
    line.send(post(b"hay") + post(b"oats"))
    page.asked[0].callback(Answer(200, b"first"))
    line.send(post(b"straw")[:20])
    advance(clock, 500)
    assert not line.is_closing()
    page.asked[1].callback(Answer(200, b"second"))
    assert line.received.endswith(b"second")


def test_half_a_pipelined_request_has_a_time_limit_as_well() -> None:
    """What was sent ahead and never finished does not hold the connection."""
    page = Waiting()
    line, clock, _ = new_line(page)
    line.send(post(b"hay"))
    line.send(post(b"oats")[:20])
    page.asked[0].callback(Answer(200, b"done"))
    advance(clock, 75)
    assert line.is_closing()


def test_a_client_that_does_not_read_is_cut_off() -> None:
    """An answer that nobody fetches is not kept for ever."""
    line, clock, _ = new_line()
    line.send(post(b"hay"))
    advance(clock, 75)
    assert line.is_closing()
    assert not line.is_cut()
    advance(clock, 15)
    assert line.is_cut()


def test_a_client_that_does_not_read_its_last_answer_is_cut_off() -> None:
    """The same holds for a connection that closes after the answer."""
    line, clock, _ = new_line()
    line.send(post(b"hay", extra="Connection: close\r\n"))
    advance(clock, 74)
    assert line.is_closing()
    assert not line.is_cut()
    advance(clock, 1)
    assert line.is_cut()


def test_a_refused_body_is_read_on_for_a_while_only() -> None:
    """The client can see the answer, and cannot keep the connection by sending on."""
    line, clock, _ = new_line()
    line.send(post(b"x" * 5_000)[:200])
    assert line.received.startswith(b"HTTP/1.1 413 ")
    for _ in range(4):
        advance(clock, 1)
        line.send(b"x" * 10)
        assert not line.is_closing()
    advance(clock, 1)
    assert line.is_closing()
    assert line.received.count(b"HTTP/1.1") == 1


def test_a_refused_body_that_comes_to_its_end_closes_the_connection() -> None:
    """The refusal is the last answer of its connection."""
    line, _, _ = new_line()
    line.send(post(b"x" * 5_000))
    assert line.is_closing()
    assert line.received.count(b"HTTP/1.1") == 1


def test_a_refused_body_is_not_asked_for() -> None:
    """A client that asked whether to send its body is told no, and not yes afterwards."""
    line, _, _ = new_line()
    line.send(post(b"x" * 5_000, extra="Expect: 100-continue\r\n")[:200])
    assert line.received.startswith(b"HTTP/1.1 413 ")
    assert b"100 Continue" not in line.received


def test_a_refused_body_is_not_kept() -> None:
    """Fifty megabytes without an announced length take no memory."""
    line, _, _ = new_line()
    head = post(b"").replace(b"Content-Length: 0", b"Transfer-Encoding: chunked")
    piece = b" " * MEBIBYTE
    line.send(head)
    tracemalloc.start()
    for _ in range(50):
        line.send(b"%x\r\n%b\r\n" % (len(piece), piece))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert line.received.startswith(b"HTTP/1.1 413 ")
    assert peak < 10 * MEBIBYTE


def test_a_client_that_leaves_cancels_its_answer(caplog: pytest.LogCaptureFixture) -> None:
    """The page is told, nothing is written to nobody, and the log is spared."""
    outcomes: list[str] = []

    async def page(asked: Asked) -> Answer:
        try:
            await Deferred[None]()
        except CancelledError:
            outcomes.append("cancelled")
            raise
        return Answer(200)

    line, clock, factory = new_line(page)
    line.send(post(b"hay"))
    line.leave()
    assert outcomes == ["cancelled"]
    assert line.received == b""
    assert caplog.text == ""
    assert clock.getDelayedCalls() == []
    assert factory.close().called


def test_an_answer_that_comes_in_spite_of_that_is_dropped() -> None:
    """A page may finish what it was doing."""

    async def page(asked: Asked) -> Answer:
        with contextlib.suppress(CancelledError):
            await Deferred[None]()
        return Answer(200, b"too late")

    line, _, _ = new_line(page)
    line.send(post(b"hay"))
    line.leave()
    assert line.received == b""


def test_a_broken_page_is_a_500_with_a_trace(caplog: pytest.LogCaptureFixture) -> None:
    """Our own mistake costs one request; the client gets a trace and the log the exception."""

    async def page(asked: Asked) -> Answer:
        raise RuntimeError("out of hay")

    line, _, _ = new_line(page)
    line.send(post(b"x"))
    assert line.received.startswith(b"HTTP/1.1 500 ")
    assert b"out of hay" not in line.received
    assert "out of hay" in caplog.text
    assert not line.is_closing()


def test_a_request_is_handed_over_as_a_value() -> None:
    """Pages get method, path, query, headers and body, each by itself."""
    seen: list[Asked] = []

    async def page(asked: Asked) -> Answer:
        seen.append(asked)
        return Answer(200)

    line, _, _ = new_line(page)
    line.send(post(b"hay", path="/a/b?c=d?e", extra="X-One: 1\r\nX-TWO: a\r\nx-two: b\r\n"))
    [asked] = seen
    assert (asked.method, asked.path, asked.query, asked.body) == ("POST", "/a/b", "c=d?e", b"hay")
    assert (asked.headers["x-one"], asked.headers["x-two"]) == ("1", "a, b")


def test_each_request_is_logged_on_one_line(caplog: pytest.LogCaptureFixture) -> None:
    """An operator can follow what was asked, when the log is set to show it."""
    line, _, _ = new_line()
    with caplog.at_level(logging.DEBUG, "herdbook.http"):
        line.send(post(b"hay", path="/rpc"))
    assert [record.getMessage() for record in caplog.records] == ["b'POST' b'/rpc' 200"]


def test_closing_waits_for_answers_and_cuts_off_the_rest() -> None:
    """Closing ends idle connections at once, others after their answer, stuck ones by force."""
    page = Waiting()
    idle, clock, factory = new_line(page)
    busy = Line(factory)
    busy.send(post(b"hay"))
    closed = factory.close()
    assert (idle.is_closing(), busy.is_closing()) == (True, False)
    idle.leave()
    page.asked[0].callback(Answer(200, b"done"))
    assert busy.is_closing()
    assert b"Connection: close" in busy.received
    assert not has_fired(closed)
    advance(clock, 2)
    assert busy.is_cut()
    assert has_fired(closed)


def test_a_request_that_was_arriving_when_closing_began_is_the_last() -> None:
    """It is answered, and the connection does not wait for another one."""
    line, _, factory = new_line()
    data = post(b"hay")
    line.send(data[:30])
    factory.finish_requests()
    assert not line.is_closing()
    line.send(data[30:])
    assert line.received.endswith(b"hay")
    assert b"Connection: close" in line.received
    assert line.is_closing()


def test_only_so_many_connections_are_taken() -> None:
    """One more than the limit gets none, and one that ends makes room."""
    first, _, factory = new_line()
    for _ in range(LIMITS.connections - 1):
        Line(factory)
    assert factory.buildProtocol(None) is None
    first.leave()
    assert factory.buildProtocol(None) is not None


def test_a_page_that_is_cancelled_while_its_client_waits_is_a_500(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Only a client that left gets no answer."""

    async def page(asked: Asked) -> Answer:
        raise CancelledError

    line, _, _ = new_line(page)
    line.send(post(b"x"))
    assert line.received.startswith(b"HTTP/1.1 500 ")
    assert "CancelledError" in caplog.text


def test_requests_sent_ahead_wait_until_their_client_reads() -> None:
    """Answers that nobody reads do not pile up; every one comes once the client reads again."""

    async def large(asked: Asked) -> Answer:
        line.stop_reading()
        return Answer(200, asked.body)

    line, _, _ = new_line(large)
    line.send(post(b"hay") * 20)
    for answers in range(1, 21):
        assert line.received.count(b"200 OK") == answers
        line.read()
    line.send(post(b"oats"))
    assert line.received.endswith(b"oats")
    assert not line.is_closing()


def test_a_client_that_sends_ahead_and_does_not_read_is_cut_off() -> None:
    """Its requests are not begun, and it is not told that they came too slowly."""
    line, clock, _ = new_line()
    line.stop_reading()
    line.send(post(b"hay") * 3)
    advance(clock, 90)
    assert line.is_cut()
    assert line.received.count(b"HTTP/1.1") == 1


def test_closing_drops_requests_whose_client_does_not_read() -> None:
    """The connection closes after the answer that is under way."""
    line, _, factory = new_line()
    line.stop_reading()
    line.send(post(b"hay") * 3)
    factory.finish_requests()
    line.read()
    assert line.is_closing()
    assert line.received.count(b"200 OK") == 1


def test_a_client_that_leaves_without_reading_leaves_nothing_behind() -> None:
    """Neither timers nor requests."""
    line, clock, factory = new_line()
    line.stop_reading()
    line.send(post(b"hay") * 3)
    line.leave()
    assert line.received.count(b"200 OK") == 1
    assert clock.getDelayedCalls() == []
    assert factory.close().called
