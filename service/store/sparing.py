"""A log that says the same only now and then: what fails every second would fill the disk."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable

MOST_REMEMBERED = 200


class SparingLog:
    """Warnings, each with its text at most once in so many seconds; from any thread."""

    def __init__(
        self,
        log: logging.Logger,
        every: float = 60.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._log = log
        self._every = every
        self._clock = clock
        self._lock = threading.Lock()
        self._told: dict[str, tuple[float, int]] = {}

    def warning(self, text: str) -> None:
        """Say it, unless it was said a moment ago; with how often it was left out since."""
        left_out = self._due(text)
        if left_out is not None:
            more = f" ({left_out} times more meanwhile)" if left_out else ""
            self._log.warning("%s%s", text, more)

    def _due(self, text: str) -> int | None:
        """How often it was left out; None where it is to be left out once more."""
        now = self._clock()
        with self._lock:
            at, left_out = self._told.get(text, (now - self._every, 0))
            if now - at < self._every:
                self._told[text] = (at, left_out + 1)
                return None
            if len(self._told) >= MOST_REMEMBERED:
                self._told.clear()
            self._told[text] = (now, 0)
            return left_out
