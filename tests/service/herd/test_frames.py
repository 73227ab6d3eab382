"""Payloads come out of a stream as they went in, however it was cut; bombs do not go off."""

from __future__ import annotations

import random
import struct
import tracemalloc

import pytest
import zstandard

from service.herd.faults import OURS, THEIRS, WireFault
from service.herd.frames import WORTH_COMPRESSING, FrameReader, framed

NOISE = random.Random(1).randbytes(5_000)
PAYLOADS = (b"", b"a", b"ab" * 10_000, NOISE, b"\x00" * 100)


def frame(content: bytes, flags: int = 1) -> bytes:
    """A frame of just this content."""
    return struct.pack(">IB", len(content), flags) + content


def read(stream: bytes, longest: int = 10_000_000) -> list[bytes]:
    """The payloads of a whole stream."""
    reader = FrameReader(longest)
    reader.feed(stream)
    payloads = list(reader.payloads())
    reader.finish()
    return payloads


def fault_of(stream: bytes, longest: int = 10_000_000) -> WireFault:
    """The fault that a stream runs into."""
    with pytest.raises(WireFault) as caught:
        read(stream, longest)
    assert caught.value.side == THEIRS
    return caught.value


@pytest.mark.parametrize("payload", PAYLOADS, ids=lambda payload: f"{len(payload)} bytes")
def test_a_payload_comes_back(payload: bytes) -> None:
    """Short or long, like text or like noise."""
    assert read(framed(payload)) == [payload]


@pytest.mark.parametrize("step", [1, 2, 3, 5, 7, 1_000, 100_000])
def test_a_stream_may_come_in_any_pieces(step: int) -> None:
    """Frames are found wherever the pieces end, and come out as soon as they are whole."""
    stream = b"".join(map(framed, PAYLOADS))
    reader = FrameReader()
    found: list[bytes] = []
    for start in range(0, len(stream), step):
        reader.feed(stream[start : start + step])
        found += reader.payloads()
    reader.finish()
    assert found == list(PAYLOADS)


def test_a_payload_comes_out_with_its_last_byte() -> None:
    """Nothing waits for the frame after it."""
    reader, stream = FrameReader(), framed(b"moo")
    reader.feed(stream[:-1])
    assert list(reader.payloads()) == []
    reader.feed(stream[-1:])
    assert list(reader.payloads()) == [b"moo"]


def test_a_short_payload_travels_as_it_is() -> None:
    """Four bytes of length, no flags, and the payload."""
    assert framed(b"moo") == b"\x00\x00\x00\x03\x00moo"
    short = b"a" * (WORTH_COMPRESSING - 1)
    assert framed(short)[5:] == short


def test_a_payload_is_compressed_when_that_makes_it_smaller() -> None:
    """What repeats travels in a tenth of its size; noise is not made larger."""
    assert len(framed(b"ab" * 10_000)) < 2_000
    assert framed(b"ab" * 10_000)[4] == 1
    assert framed(NOISE) == b"\x00\x00\x13\x88\x00" + NOISE


def test_a_payload_that_is_too_long_is_not_sent() -> None:
    """However well it could be compressed: the other side counts what comes out."""
    assert framed(b"a" * 1_000, longest=1_000)
    with pytest.raises(WireFault, match="1001 bytes, at most 1000") as caught:
        framed(b"a" * 1_001, longest=1_000)
    assert (caught.value.side, caught.value.code) == (OURS, "wire.size")


def test_a_frame_that_is_too_long_is_refused_before_it_comes() -> None:
    """Its head is enough."""
    assert read(framed(NOISE), longest=5_000) == [NOISE]
    fault = fault_of(struct.pack(">IB", 5_001, 0), longest=5_000)
    assert (fault.code, "5001 bytes, at most 5000" in fault.text) == ("wire.size", True)


@pytest.mark.parametrize("flags", [2, 3, 0x80, 0xFF])
def test_unknown_flags_are_refused(flags: int) -> None:
    """What they would mean for the payload is not known."""
    fault = fault_of(frame(b"moo", flags)[:5])
    assert (fault.code, hex(flags)[2:] in fault.text) == ("wire.flags", True)


def peak_of(stream: bytes, longest: int) -> int:
    """The memory that refusing a stream takes, apart from the stream itself."""
    tracemalloc.start()
    try:
        assert fault_of(stream, longest).code == "wire.size"
        return tracemalloc.get_traced_memory()[1] - len(stream)
    finally:
        tracemalloc.stop()


def test_a_bomb_is_refused_before_memory_is_spent() -> None:
    """A few thousand bytes that would become a hundred million."""
    bomb = frame(zstandard.ZstdCompressor().compress(b"\x00" * 100_000_000))
    assert len(bomb) < 20_000
    assert peak_of(bomb, longest=10_000_000) < 100_000


def test_a_frame_that_wants_a_large_window_is_refused() -> None:
    """A small size that is told does not hide 128 MiB of memory to unpack it."""
    head = b"\x28\xb5\x2f\xfd" + b"\x80\x88" + struct.pack("<I", 10)
    assert zstandard.get_frame_parameters(head).window_size == 2**27
    assert peak_of(frame(head + b"\x01\x00\x00"), longest=10_000_000) < 100_000


def test_a_frame_that_hides_its_size_is_refused() -> None:
    """Its size would be known only after it was unpacked."""
    hidden = zstandard.ZstdCompressor(write_content_size=False).compress(b"a" * 1_000)
    fault = fault_of(frame(hidden))
    assert (fault.code, "does not tell" in fault.text) == ("wire.compression", True)


PACKED = framed(b"ab" * 1_000)[5:]
LYING = PACKED.replace(struct.pack("<H", 2_000 - 256), struct.pack("<H", 1_000 - 256), 1)


@pytest.mark.parametrize(
    "content",
    [b"", b"moo", PACKED[:-1], PACKED[:9], PACKED + b"a", PACKED + PACKED, LYING],
    ids=["empty", "none", "cut", "cut early", "one more byte", "two in one", "a false size"],
)
def test_what_cannot_be_decompressed_is_refused(content: bytes) -> None:
    """Whatever is wrong with it."""
    assert content != PACKED
    assert fault_of(frame(content)).code == "wire.compression"


def test_a_flipped_bit_is_found_in_what_is_compressed() -> None:
    """Wherever it is: a checksum comes along."""
    payload = NOISE[:600] + b"ab" * 1_000
    whole = framed(payload)
    for place in range(5, len(whole)):
        broken = bytearray(whole)
        broken[place] ^= 1
        assert fault_of(bytes(broken)).code in {"wire.compression", "wire.size"}


@pytest.mark.parametrize("end", [1, 4, 5, 7])
def test_a_stream_that_ends_within_a_frame_is_told(end: int) -> None:
    """In its head or in its payload."""
    fault = fault_of(framed(b"moo") + framed(b"moo")[:end])
    assert fault.code == "wire.truncated"


def test_frames_before_a_fault_come_out() -> None:
    """What was whole is not lost."""
    reader = FrameReader()
    found: list[bytes] = []
    reader.feed(framed(b"moo") + framed(b"baa") + frame(b"", 9))
    with pytest.raises(WireFault):
        found.extend(reader.payloads())
    assert found == [b"moo", b"baa"]


def test_after_a_fault_nothing_is_read_any_more() -> None:
    """Good frames after a broken one might be anything: every use tells the first fault."""
    reader = FrameReader()
    reader.feed(frame(b"", 9) + framed(b"moo"))
    for use in (lambda: list(reader.payloads()), lambda: reader.feed(b"a"), reader.finish):
        for _ in range(2):
            with pytest.raises(WireFault, match="flags 0x09"):
                use()


def test_a_reader_does_not_gather_what_nobody_takes() -> None:
    """Who feeds on and on without taking payloads out is told so."""
    reader = FrameReader(longest=1_000)
    for _ in range(10):
        reader.feed(framed(b"a" * 100))
    with pytest.raises(WireFault, match="before the frames were taken out") as caught:
        reader.feed(b"a")
    assert (caught.value.side, caught.value.code) == (OURS, "wire.unread")
    assert len(list(reader.payloads())) == 10


def test_a_piece_may_hold_more_than_the_longest_frame() -> None:
    """How much is read at a time is for the shell to say."""
    assert read(framed(b"a" * 100) * 100, longest=1_000) == [b"a" * 100] * 100


def test_the_limit_can_be_raised_when_the_other_side_is_known() -> None:
    """A stranger gets little room, a sibling all of it."""
    reader = FrameReader(longest=10)
    reader.feed(framed(b"moo"))
    assert list(reader.payloads()) == [b"moo"]
    reader.longest = 10_000
    reader.feed(framed(NOISE))
    assert list(reader.payloads()) == [NOISE]
