"""A stream of bytes as lines, each of them one message.

However the bytes are cut on their way, the same messages come out. What is kept is bounded: one
line that is not whole yet, and the lines of the last piece that was received.
"""

from __future__ import annotations

from collections import deque

from service.rpc.refusals import BodyTooLarge

END = b"\n"


class LineReader:
    """Cuts what is received at each line feed. After a line that is too long it reads no more."""

    def __init__(self, longest: int) -> None:
        self._longest = longest
        self._whole: deque[bytes] = deque()
        self._pieces: list[bytes] = []
        self._size = 0
        self._begun = 0
        self._is_too_long = False

    @property
    def unfinished(self) -> int | None:
        """The number of the line that has begun and not ended, None where there is none."""
        return self._begun if self._size and not self._is_too_long else None

    @property
    def unfinished_size(self) -> int:
        """The bytes of the line that has begun and not ended."""
        return 0 if self.unfinished is None else self._size

    def receive(self, data: bytes) -> None:
        """Take in what came; `take` gives the lines."""
        if self._is_too_long:
            return
        *ended, rest = data.split(END)
        for piece in ended:
            if not self._extend(piece):
                return
            self._whole.append(b"".join(self._pieces))
            self._pieces.clear()
            self._size = 0
            self._begun += 1
        if rest:
            self._extend(rest)

    def take(self) -> bytes | None:
        """The next whole line, None while there is none.

        Raises BodyTooLarge when all lines before one that is too long are taken.
        """
        if self._whole:
            return self._whole.popleft()
        if self._is_too_long:
            raise BodyTooLarge(f"a line is longer than {self._longest} bytes")
        return None

    def _extend(self, piece: bytes) -> bool:
        """Add to the line that has begun; False once it is too long."""
        self._pieces.append(piece)
        self._size += len(piece)
        if self._size <= self._longest:
            return True
        self._is_too_long = True
        self._pieces.clear()
        return False
