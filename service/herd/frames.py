"""Payloads on a byte stream: each is a frame of its own.

    length (4 bytes, big endian) | flags (1 byte) | as many bytes as the length says

The one flag says that the payload is compressed (zstd, one frame that tells its size and carries a
checksum). A payload is compressed only if that makes it smaller, so one limit holds for what
travels and for what comes out.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

import zstandard

from service.herd.faults import OURS, THEIRS, Side, WireFault

LONGEST = 65 * 2**20
"""A little more than 64 MiB, the largest packet of MySQL as delivered: a row fits into one."""

WORTH_COMPRESSING = 256
"""Below this the few bytes that zstd might save do not pay for its work."""

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
        self._decompressor = zstandard.ZstdDecompressor()
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
        while (payload := self._next()) is not None:
            yield payload

    def finish(self) -> None:
        """The stream ended; raises WireFault if it ended within a frame."""
        if self._fault is not None:
            raise self._fault
        if self._buffer:
            raise WireFault(THEIRS, "wire.truncated", "the stream ended within a frame")

    def _next(self) -> bytes | None:
        """The next payload, if it is whole."""
        if self._fault is not None:
            raise self._fault
        try:
            return self._read()
        except WireFault as fault:
            self._fault = fault
            self._buffer.clear()
            raise

    def _read(self) -> bytes | None:
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
        return self._unpacked(content) if flags == _COMPRESSED else content

    def _unpacked(self, content: bytes) -> bytes:
        """The payload that was compressed; its size is looked at before memory is taken."""
        try:
            told = zstandard.get_frame_parameters(content)
            if told.content_size == zstandard.CONTENTSIZE_UNKNOWN:
                raise WireFault(THEIRS, "wire.compression", "a frame does not tell its real size")
            if max(told.content_size, told.window_size) > self.longest:
                raise _too_long(THEIRS, told.content_size, self.longest)
            return self._decompressor.decompress(content, allow_extra_data=False)
        except zstandard.ZstdError as error:
            text = f"a frame cannot be decompressed: {error}"
            raise WireFault(THEIRS, "wire.compression", text) from error


def _too_long(side: Side, length: int, longest: int) -> WireFault:
    return WireFault(side, "wire.size", f"a frame of {length} bytes, at most {longest} are taken")
