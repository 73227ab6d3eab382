"""Requests that one server takes for one and another for two: refused, and the connection ends.

Whoever gets such a request past a proxy has his own requests answered as somebody else's.
"""

from __future__ import annotations

import pytest

from service.transports.web import Answer, Asked
from tests.service.transports.live import post
from tests.service.transports.memory import LIMITS, Line, new_line

START = b"POST / HTTP/1.1\r\nHost: herd\r\nContent-Type: application/json\r\n"
HIDDEN = b"GET /hidden HTTP/1.1\r\nHost: herd\r\n\r\n"
CHUNKED = b"Transfer-Encoding: chunked\r\n\r\n"

ATTACKS = {
    "a length and chunks": START + b"Content-Length: 5\r\n" + CHUNKED + b"0\r\n\r\n" + HIDDEN,
    "chunks and a length": START
    + b"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n"
    + HIDDEN,
    "two lengths": START + b"Content-Length: 0\r\nContent-Length: 40\r\n\r\n" + HIDDEN,
    "two equal lengths": START + b"Content-Length: 3\r\nContent-Length: 3\r\n\r\nhay" + HIDDEN,
    "a list of lengths": START + b"Content-Length: 0, 40\r\n\r\n" + HIDDEN,
    "a signed length": START + b"Content-Length: +3\r\n\r\nhay" + HIDDEN,
    "a length in hexadecimal": START + b"Content-Length: 0x3\r\n\r\nhay" + HIDDEN,
    "a length with an underscore": START + b"Content-Length: 1_0\r\n\r\nhayhayhayh" + HIDDEN,
    "a length of other digits": START + "Content-Length: ٣\r\n\r\nhay".encode() + HIDDEN,
    "a length below nothing": START + b"Content-Length: -1\r\n\r\n" + HIDDEN,
    "a space before the colon": START + b"Content-Length : 3\r\n\r\nhay" + HIDDEN,
    "another coding": START + b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n" + HIDDEN,
    "two codings": START + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n" + HIDDEN,
    "chunks twice": START + b"Transfer-Encoding: chunked\r\n" + CHUNKED + b"0\r\n\r\n" + HIDDEN,
    "a coding of nothing and a length": START
    + b"Transfer-Encoding: identity\r\nContent-Length: 0\r\n\r\n"
    + HIDDEN,
    "a folded header": START + b"X: a\r\n b\r\nContent-Length: 0\r\n\r\n" + HIDDEN,
    "a folded coding": START + b"Transfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n" + HIDDEN,
    "a folded first line": b"POST /\r\n HTTP/1.1\r\nContent-Length: 0\r\n\r\n" + HIDDEN,
    "a header that begins folded": b"POST / HTTP/1.1\r\n X: a\r\n\r\n" + HIDDEN,
    "a bare line feed in a header": START + b"X: a\nContent-Length: 40\r\n\r\n" + HIDDEN,
    "a bare carriage return": START + b"X: a\rContent-Length: 40\r\n\r\n" + HIDDEN,
    "a NUL in a header": START + b"X: a\0b\r\nContent-Length: 0\r\n\r\n" + HIDDEN,
    "a header without a colon": START + b"Content-Length\r\n\r\n" + HIDDEN,
    "a header without a name": START + b": 3\r\n\r\n" + HIDDEN,
    "a bare line feed after a chunk": START + CHUNKED + b"3\r\nhay\n0\r\n\r\n" + HIDDEN,
    "a bare line feed after a chunk's size": START + CHUNKED + b"3\nhay\r\n0\r\n\r\n" + HIDDEN,
    "a chunk's size with a sign": START + CHUNKED + b"+3\r\nhay\r\n0\r\n\r\n" + HIDDEN,
    "a chunk's size with 0x": START + CHUNKED + b"0x3\r\nhay\r\n0\r\n\r\n" + HIDDEN,
    "a chunk below nothing": START + CHUNKED + b"-3\r\nhay\r\n0\r\n\r\n" + HIDDEN,
    "a chunk longer than it says": START + CHUNKED + b"2\r\nhay\r\n0\r\n\r\n" + HIDDEN,
    "an extension that never ends": START + CHUNKED + b"3;" + b"x" * 9_000,
    "a line feed in an extension": START + CHUNKED + b"3;a\nb\r\nhay\r\n0\r\n\r\n" + HIDDEN,
    "chunks in HTTP/1.0": START.replace(b"1.1", b"1.0") + CHUNKED + b"0\r\n\r\n" + HIDDEN,
    "another version": START.replace(b"1.1", b"9.9") + b"\r\n" + HIDDEN,
    "no version": b"POST /\r\n\r\n" + HIDDEN,
    "too many words": b"POST / / HTTP/1.1\r\nHost: herd\r\n\r\n" + HIDDEN,
}


def asked_for(data: bytes, piece: int) -> tuple[Line, list[Asked]]:
    """A connection that was sent this in pieces, and the requests that were taken for such."""
    seen: list[Asked] = []

    async def page(asked: Asked) -> Answer:
        seen.append(asked)
        return Answer(200, b"done")

    line, _, _ = new_line(page)
    for start in range(0, len(data), piece):
        if not line.is_closing():
            line.send(data[start : start + piece])
    return line, seen


@pytest.mark.parametrize("piece", [1_000_000, 1], ids=["at once", "byte by byte"])
@pytest.mark.parametrize("name", ATTACKS)
def test_what_can_be_read_in_two_ways_is_not_read(name: str, piece: int) -> None:
    """The page never sees the hidden request, nor the one that it hides in; the connection ends."""
    line, seen = asked_for(ATTACKS[name], piece)
    assert [one.path for one in seen] == []
    assert line.is_closing()
    assert line.received.startswith(b"HTTP/1.1 4")
    assert line.received.count(b"HTTP/1.1 ") == 1


@pytest.mark.parametrize("piece", [1_000_000, 1], ids=["at once", "byte by byte"])
def test_requests_that_are_sent_ahead_are_answered_in_their_order(piece: int) -> None:
    """With a length, in chunks, with extensions and trailers: each is one."""
    chunked = START + CHUNKED + b"3;a=b\r\nhay\r\n0\r\n\r\n"
    line, seen = asked_for(post(b"one") + chunked + post(b"three"), piece)
    assert [one.body for one in seen] == [b"one", b"hay", b"three"]
    assert line.received.count(b"200 OK") == 3
    assert not line.is_closing()


def test_a_body_that_looks_like_a_request_is_a_body() -> None:
    """What comes within the length belongs to it."""
    line, seen = asked_for(post(HIDDEN), 1_000_000)
    assert [one.body for one in seen] == [HIDDEN]
    assert not line.is_closing()


@pytest.mark.parametrize(
    "flood",
    [
        b"X" * 20_000,
        START + b"".join(b"X-%d: a\r\n" % at for at in range(600)),
        START + b"X: " + b"a" * 20_000,
        START + b"".join(b"X%d: %b\r\n" % (at, b"a" * 1_000) for at in range(20)),
        b"GET /" + b"a" * 20_000,
    ],
    ids=["no line", "many headers", "a long header", "large headers", "a long path"],
)
def test_headers_are_not_kept_without_end(flood: bytes) -> None:
    """Long before they have come to an end the connection does."""
    line, seen = asked_for(flood + b"\r\n\r\n", 100)
    assert seen == []
    assert line.is_closing()


def test_a_chunk_that_says_it_is_too_long_is_refused_before_it_comes() -> None:
    """As a body that announces its length."""
    line, seen = asked_for(START + CHUNKED + b"%x\r\n" % 2**40 + b"x" * 2_000, 100)
    assert seen == []
    assert line.received.startswith(b"HTTP/1.1 413 ")
    assert LIMITS.body_bytes < 2_000
