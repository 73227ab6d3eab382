"""Laws of the wire: what is sent arrives as it was; whatever arrives is a message or one fault."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

from hypothesis import example, given
from hypothesis import strategies as st

from service.herd.codec import decode, encode
from service.herd.faults import THEIRS, WireFault
from service.herd.frames import FrameReader, framed
from service.herd.messages import Message
from service.herd.wire.columns import pack_column, unpack_column
from tests.laws.wire_strategies import MESSAGES, VALUES, columns

LONGEST = 1_000_000


def same(one: object, other: object) -> bool:
    """Equal, and of the same types, digits and signs of zero."""
    return one == other and repr(one) == repr(other)


@given(MESSAGES)
def test_a_message_comes_back_from_its_bytes(message: Message) -> None:
    """For every message over values of every type."""
    assert same(decode(encode(message)), message)


@given(st.one_of(columns(), st.lists(VALUES, max_size=30)))
def test_a_column_comes_back(column: list[Any]) -> None:
    """Whether its values are of one type or of many."""
    assert same(unpack_column(pack_column(column, "here"), "here"), tuple(column))


@given(st.lists(MESSAGES, max_size=4), st.lists(st.integers(0, 600), max_size=20))
def test_messages_come_out_of_a_stream_however_it_is_cut(
    messages: list[Message], cuts: list[int]
) -> None:
    """In their order, none lost and none twice."""
    stream = b"".join(framed(encode(message)) for message in messages)
    places = [0, *sorted(cuts), len(stream)]
    reader = FrameReader(LONGEST)
    found: list[Message] = []
    for start, end in pairwise(places):
        reader.feed(stream[start:end])
        found += map(decode, reader.payloads())
    reader.finish()
    assert same(found, messages)


def require_theirs(fault: WireFault) -> None:
    """What came in is never told to be this node's mistake."""
    assert fault.side == THEIRS
    assert fault.code.startswith("wire.")


def understood(payload: bytes) -> Message | None:
    """The message of some bytes, if they are one; any error but the one fault is a mistake."""
    try:
        return decode(payload)
    except WireFault as fault:
        require_theirs(fault)
        return None


@given(st.binary(max_size=200))
@example(b"\x01")
def test_any_bytes_are_a_message_or_a_fault(payload: bytes) -> None:
    """And what is understood can be said again in the same words."""
    message = understood(payload)
    assert message is None or same(decode(encode(message)), message)


@st.composite
def mutated(draw: st.DrawFn, whole: st.SearchStrategy[bytes]) -> bytes:
    """Bytes of which a few were changed, taken out or put in."""
    data = bytearray(draw(whole))
    for _ in range(draw(st.integers(1, 4))):
        place = draw(st.integers(0, len(data)))
        length = draw(st.integers(0, 4))
        data[place : place + length] = draw(st.binary(max_size=4))
    return bytes(data)


@given(mutated(MESSAGES.map(encode)))
def test_damaged_messages_are_messages_or_faults(payload: bytes) -> None:
    """Nothing else happens, and what is understood can be said again."""
    message = understood(payload)
    assert message is None or same(decode(encode(message)), message)


def survives(stream: bytes, step: int) -> bool:
    """Whether a stream is read to its end; any error but the one fault is a mistake."""
    reader = FrameReader(LONGEST)
    try:
        for start in range(0, len(stream), step):
            reader.feed(stream[start : start + step])
            for payload in reader.payloads():
                assert len(payload) <= LONGEST
                understood(payload)
        reader.finish()
    except WireFault as fault:
        require_theirs(fault)
        return False
    return True


@given(st.binary(max_size=300), st.integers(1, 300))
def test_any_stream_is_read_or_a_fault(stream: bytes, step: int) -> None:
    """In whichever pieces it comes, it ends alike."""
    assert survives(stream, step) == survives(stream, len(stream) + 1)


@given(mutated(MESSAGES.map(lambda message: framed(encode(message) + b"\x00" * 300))))
def test_damaged_frames_are_frames_or_faults(stream: bytes) -> None:
    """Compressed ones too."""
    assert survives(stream, 7) == survives(stream, len(stream) + 1)
