"""However a stream of bytes is cut on its way, the same messages come out of it."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.rpc.lines import LineReader
from service.rpc.refusals import BodyTooLarge

LONGEST = 12
LINES = st.lists(st.binary(max_size=LONGEST + 3).map(lambda line: line.replace(b"\n", b"")))


def pieces_of(data: st.DataObject, whole: bytes) -> list[bytes]:
    """The same bytes, cut anywhere."""
    cuts = data.draw(st.lists(st.integers(0, len(whole)), max_size=20).map(sorted))
    edges = [0, *cuts, len(whole)]
    return [whole[start:end] for start, end in pairwise(edges)]


def read(pieces: list[bytes]) -> tuple[list[bytes], bool]:
    """The lines that come out, taken whenever there are any, and whether it ended too long."""
    reader, lines = LineReader(LONGEST), []
    for piece in pieces:
        reader.receive(piece)
        try:
            while (line := reader.take()) is not None:
                lines.append(line)
        except BodyTooLarge:
            return lines, True
    return lines, False


def expected(lines: list[bytes], tail: bytes) -> tuple[list[bytes], bool]:
    """What must come out, written the naive way."""
    for place, line in enumerate(lines):
        if len(line) > LONGEST:
            return lines[:place], True
    return lines, len(tail) > LONGEST


@given(LINES, st.binary(max_size=LONGEST + 3).map(lambda line: line.replace(b"\n", b"")), st.data())
def test_any_cuts_give_the_same_messages(
    lines: list[bytes], tail: bytes, data: st.DataObject
) -> None:
    """Neither pieces nor several lines in one piece change what is read, nor where it ends."""
    whole = b"".join(line + b"\n" for line in lines) + tail
    assert read(pieces_of(data, whole)) == expected(lines, tail)


@given(LINES, st.data())
def test_lines_may_be_taken_late(lines: list[bytes], data: st.DataObject) -> None:
    """A reader that has no room at present loses nothing by it."""
    lines = [line[:LONGEST] for line in lines]
    reader = LineReader(LONGEST)
    for piece in pieces_of(data, b"".join(line + b"\n" for line in lines)):
        reader.receive(piece)
    assert list(iter(reader.take, None)) == lines


@given(st.binary(min_size=1, max_size=60), st.data())
def test_what_is_unfinished_is_known(whole: bytes, data: st.DataObject) -> None:
    """A line that has begun and not ended is told by its number."""
    reader = LineReader(len(whole))
    for piece in pieces_of(data, whole):
        reader.receive(piece)
    has_tail = bool(whole.rpartition(b"\n")[2])
    assert reader.unfinished == (whole.count(b"\n") if has_tail else None)


def test_a_line_of_exactly_the_limit_is_read() -> None:
    """The limit is the longest that is taken, and its line feed does not count."""
    reader = LineReader(4)
    reader.receive(b"1234\n12345")
    assert reader.take() == b"1234"
    with pytest.raises(BodyTooLarge, match="longer than 4 bytes"):
        reader.take()


def test_after_a_line_that_is_too_long_nothing_is_kept() -> None:
    """Whoever sends on is not read, and costs no memory."""
    reader = LineReader(4)
    for _ in range(100):
        reader.receive(b"x" * 1_000)
    reader.receive(b"\n{}\n")
    assert reader.unfinished is None
    for _ in range(2):
        with pytest.raises(BodyTooLarge):
            reader.take()
