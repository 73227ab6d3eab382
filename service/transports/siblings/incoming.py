"""From bytes to messages, in their order; what is large is read in a thread.

While a thread is at work, nothing more is taken: one frame at a time, so memory is bounded.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

from twisted.python.failure import Failure

from service.herd.codec import decode
from service.herd.faults import OURS, WireFault
from service.herd.frames import Frame, FrameReader
from service.herd.messages import Message
from service.transports.siblings.terms import InThread

_log = logging.getLogger("herdbook.herd")


class Incoming:
    """One direction of a connection. `take` is given messages, `fail` what ends the connection."""

    def __init__(
        self,
        in_thread: InThread,
        inline_bytes: int,
        longest: int,
        take: Callable[[Message], None],
        fail: Callable[[WireFault], None],
    ) -> None:
        self._in_thread = in_thread
        self._inline_bytes = inline_bytes
        self._reader = FrameReader(longest)
        self._take = take
        self._fail = fail
        self._is_open = True
        self.is_busy = False

    def allow(self, longest: int) -> None:
        """Take frames up to this from the next one on."""
        self._reader.longest = longest

    def feed(self, data: bytes) -> None:
        """Bytes came."""
        if self._is_open:
            try:
                self._reader.feed(data)
            except WireFault as fault:
                self._break(fault)
        self._go_on()

    def stop(self) -> None:
        """Nothing more is wanted, not even what has come."""
        self._is_open = False

    def _go_on(self) -> None:
        """Read the frames that are whole, up to one that takes long."""
        while self._is_open and not self.is_busy:
            try:
                frame = self._reader.take()
                if frame is None:
                    return
                if frame.size > self._inline_bytes:
                    self._read_elsewhere(frame)
                else:
                    self._take(_read(frame))
            except WireFault as fault:
                self._break(fault)

    def _read_elsewhere(self, frame: Frame) -> None:
        self.is_busy = True
        reading = self._in_thread(_read, frame)
        reading.addCallbacks(self._has_read, self._has_failed)

    def _has_read(self, message: Message) -> None:
        self.is_busy = False
        if self._is_open:
            self._take(message)
        self._go_on()

    def _has_failed(self, failure: Any) -> None:
        self.is_busy = False
        if self._is_open:
            self._break(as_fault(failure))

    def _break(self, fault: WireFault) -> None:
        self._is_open = False
        self._fail(fault)


def as_fault(failure: Failure) -> WireFault:
    """What went wrong in a thread; what is no WireFault is a mistake here, and told to the log."""
    if isinstance(failure.value, WireFault):
        return failure.value
    _log.error("a message could not be handled", exc_info=failure.value)
    return WireFault(OURS, "wire.broken", "a message could not be handled; the log tells more")


def _read(frame: Frame) -> Message:
    return decode(frame.payload())
