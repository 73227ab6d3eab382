"""From messages to bytes, in their order; large parts of deltas are written in a thread.

A message becomes bytes only when everything before it is with the transport and the transport takes
more. So what a slow reader costs is a few messages as values, and one as bytes.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Any

from service.herd.codec import encode
from service.herd.faults import THEIRS, WireFault
from service.herd.frames import framed
from service.herd.messages import Have, Message, Portion
from service.herd.weights import weight_of_entry, weight_of_row
from service.transports.outbox import Outbox
from service.transports.siblings.incoming import as_fault
from service.transports.siblings.terms import InThread

_FEW = 100


class Outgoing:
    """One direction of a connection. `fail` is told what ends it."""

    def __init__(
        self,
        in_thread: InThread,
        inline_bytes: int,
        most_waiting: int,
        outbox: Outbox,
        fail: Callable[[WireFault], None],
    ) -> None:
        self._in_thread = in_thread
        self._inline_bytes = inline_bytes
        self._most_waiting = most_waiting
        self._outbox = outbox
        self._fail = fail
        self._waiting: deque[Message] = deque()
        self._is_open = True
        self._is_busy = False

    @property
    def is_done(self) -> bool:
        """Whether everything is with the transport."""
        return not self._waiting and not self._is_busy and self._outbox.is_drained

    def send(self, message: Message) -> None:
        """Send a message after those before; news of a vector takes the place of older ones."""
        if not self._is_open:
            return
        if isinstance(message, Have) and self._waiting and isinstance(self._waiting[-1], Have):
            self._waiting.pop()
        if len(self._waiting) >= self._most_waiting:
            self._break(WireFault(THEIRS, "link.unread", "it does not read what it is sent"))
            return
        self._waiting.append(message)
        self.go_on()

    def go_on(self) -> None:
        """The transport may take more."""
        while self._is_open and self._waiting and not self._is_busy and self._outbox.is_drained:
            message = self._waiting.popleft()
            if _weight(message) > self._inline_bytes:
                self._write_elsewhere(message)
                return
            try:
                self._outbox.send(_written(message))
            except WireFault as fault:
                self._break(fault)

    def stop(self) -> None:
        """There is nobody any more to send to."""
        self._is_open = False
        self._waiting.clear()
        self._outbox.clear()

    def _write_elsewhere(self, message: Message) -> None:
        self._is_busy = True
        writing = self._in_thread(_written, message)
        writing.addCallbacks(self._has_written, self._has_failed)

    def _has_written(self, data: bytes) -> None:
        self._is_busy = False
        if self._is_open:
            self._outbox.send(data)
        self.go_on()

    def _has_failed(self, failure: Any) -> None:
        self._is_busy = False
        if self._is_open:
            self._break(as_fault(failure))

    def _break(self, fault: WireFault) -> None:
        """What waits is not sent any more: what comes after it would make no sense."""
        self._waiting.clear()
        self._fail(fault)


def _weight(message: Message) -> int:
    """The most bytes that a message may become; it is not worth counting where there are many."""
    if not isinstance(message, Portion):
        return 0
    rows, entries = message.delta.rows, message.delta.entries
    if len(rows) + len(entries) > _FEW:
        return 2**32
    return sum(map(weight_of_row, rows)) + sum(map(weight_of_entry, entries))


def _written(message: Message) -> bytes:
    return framed(encode(message))
