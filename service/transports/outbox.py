"""What waits to be sent on one connection, and whether its client reads.

The transport is given little at once. So it is known how much is unsent, and a client that reads
slowly but steadily is told from one that does not read at all.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

PIECE_BYTES = 65_536
"""As much as Twisted's transports keep before they say that it is enough."""


class Outbox:
    """The lines to send. The transport says `pause` when it is full and `resume` when empty."""

    def __init__(self, write: Callable[[bytes], None]) -> None:
        self._write = write
        self._waiting: deque[bytes] = deque()
        self._offset = 0
        self._is_paused = False

    @property
    def is_drained(self) -> bool:
        """Whether everything is with the transport, and the transport could take more."""
        return not self._waiting and not self._is_paused

    def send(self, data: bytes) -> None:
        """Send this after what was given before."""
        self._waiting.append(data)
        self._push()

    def pause(self) -> None:
        """The transport takes no more."""
        self._is_paused = True

    def resume(self) -> None:
        """The client has read what the transport had."""
        self._is_paused = False
        self._push()

    def clear(self) -> None:
        """There is nobody any more to send to."""
        self._waiting.clear()
        self._offset = 0

    def _push(self) -> None:
        """Give the transport pieces until it says stop, which it does from within a write."""
        while self._waiting and not self._is_paused:
            whole = self._waiting[0]
            piece = whole[self._offset : self._offset + PIECE_BYTES]
            self._offset += len(piece)
            if self._offset >= len(whole):
                self._waiting.popleft()
                self._offset = 0
            self._write(piece)
