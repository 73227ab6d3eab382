"""Payloads on a byte stream: each is a frame of its own.

    length (4 bytes, big endian) | flags (1 byte) | as many bytes as the length says

The one flag says that the payload is compressed (zstd, one frame that tells its size and carries a
checksum). A payload is compressed only if that makes it smaller, so one limit holds for what
travels and for what comes out.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from typing import NamedTuple, TypeVar

import zstandard

from service.herd.faults import OURS, THEIRS, Side, WireFault

LONGEST = 65 * 2**20
"""A little more than 64 MiB, the largest packet of MySQL as delivered: a row fits into one."""

WORTH_COMPRESSING = 256
"""Below this the few bytes that zstd might save do not pay for its work."""

_Outcome = TypeVar("_Outcome")

_HEADER = struct.Struct(">IB")
_PLAIN, _COMPRESSED = 0, 1
_LEVEL = 3
"""That of zstd itself: higher ones cost a multiple of the time for a few per cent."""


def framed(payload: bytes, longest: int = LONGEST) -> bytes:
    """The frame of a payload; raises WireFault, of this side, for one that is too long."""
    if len(payload) > longest:
        raise _too_long(OURS, len(payload), longest)
    if len(payload) >= WORTH_COMPRESSING:
        # A compressor must not be shared between threads.
        compressor = zstandard.ZstdCompressor(level=_LEVEL, write_checksum=True)
        packed = compressor.compress(payload)
        if len(packed) < len(payload):
            return _HEADER.pack(len(packed), _COMPRESSED) + packed
    return _HEADER.pack(len(payload), _PLAIN) + payload


class Frame(NamedTuple):
    """One frame that has come whole, and is not unpacked yet: any thread may do that.

    `longest` is the limit that holds for its payload.
    """

    content: bytes
    compressed: bool
    longest: int

    @property
    def size(self) -> int:
        """How long the payload is, as far as the frame tells; nothing is unpacked for it."""
        if not self.compressed:
            return len(self.content)
        try:
            return max(0, zstandard.get_frame_parameters(self.content).content_size)
        except zstandard.ZstdError:
            return len(self.content)

    def payload(self) -> bytes:
        """The payload; its size is looked at before memory is taken. Raises WireFault."""
        return self._unpacked() if self.compressed else self.content

    def _unpacked(self) -> bytes:
        try:
            told = zstandard.get_frame_parameters(self.content)
            if told.content_size == zstandard.CONTENTSIZE_UNKNOWN:
                raise WireFault(THEIRS, "wire.compression", "a frame does not tell its real size")
            if max(told.content_size, told.window_size) > self.longest:
                raise _too_long(THEIRS, told.content_size, self.longest)
            # A decompressor must not be shared between threads either.
            decompressor = zstandard.ZstdDecompressor()
            return decompressor.decompress(self.content, allow_extra_data=False)
        except zstandard.ZstdError as error:
            text = f"a frame cannot be decompressed: {error}"
            raise WireFault(THEIRS, "wire.compression", text) from error


class FrameReader:
    """Finds the payloads in a stream that comes in pieces of any size.

    Bytes go in by `feed`, payloads come out of `payloads`; take all of them before the next `feed`.
    It never holds more than one frame and the piece that came last. After a fault it stays broken:
    where the next frame begins is not known any more.
    """

    def __init__(self, longest: int = LONGEST) -> None:
        self.longest = longest
        """May be raised later, when it is known who is on the other side."""
        self._buffer = bytearray()
        self._fault: WireFault | None = None

    def feed(self, data: bytes) -> None:
        """Take in what came; raises WireFault, of this side, if payloads were left inside."""
        if self._fault is not None:
            raise self._fault
        if len(self._buffer) > _HEADER.size + self.longest:
            raise WireFault(OURS, "wire.unread", "more bytes came before the frames were taken out")
        self._buffer += data

    def payloads(self) -> Iterator[bytes]:
        """The payloads that are whole by now, one by one; raises WireFault."""
        while (frame := self.take()) is not None:
            yield self._guarded(frame.payload)

    def take(self) -> Frame | None:
        """The next frame, if it is whole, for whoever unpacks it elsewhere; raises WireFault."""
        if self._fault is not None:
            raise self._fault
        return self._guarded(self._read)

    def finish(self) -> None:
        """The stream ended; raises WireFault if it ended within a frame."""
        if self._fault is not None:
            raise self._fault
        if self._buffer:
            raise WireFault(THEIRS, "wire.truncated", "the stream ended within a frame")

    def _guarded(self, step: Callable[[], _Outcome]) -> _Outcome:
        """What a step gives; after a fault the reader stays broken."""
        try:
            return step()
        except WireFault as fault:
            self._fault = fault
            self._buffer.clear()
            raise

    def _read(self) -> Frame | None:
        if len(self._buffer) < _HEADER.size:
            return None
        length, flags = _HEADER.unpack_from(self._buffer)
        if flags not in (_PLAIN, _COMPRESSED):
            raise WireFault(THEIRS, "wire.flags", f"a frame has the unknown flags {flags:#04x}")
        if length > self.longest:
            raise _too_long(THEIRS, length, self.longest)
        end = _HEADER.size + length
        if len(self._buffer) < end:
            return None
        with memoryview(self._buffer) as whole:
            content = bytes(whole[_HEADER.size : end])
        del self._buffer[:end]
        return Frame(content, flags == _COMPRESSED, self.longest)


def _too_long(side: Side, length: int, longest: int) -> WireFault:
    return WireFault(side, "wire.size", f"a frame of {length} bytes, at most {longest} are taken")
