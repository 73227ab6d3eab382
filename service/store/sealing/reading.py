"""Work that reads what a pass has sealed, and waits for its turn.

asked       wants to read now: a pass is made for it, whether there is something to seal or not
standing    wants to read what comes next: runs in a pass that seals something, and asks for none
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from typing import Any, Generic, TypeVar

from MySQLdb import Error as DriverError
from storm.exceptions import Error as StormError

from service.store.plain import require_plain
from service.store.transaction import Transaction
from service.store.work import Work

Result = TypeVar("Result")

READINGS_A_PASS = 16
"""While they read, other processes cannot take the lease over."""

STANDING_A_PASS = 1
"""Everybody is told of a pass only after these have read: one is spared a pass of its own, and the
others do not pay for many."""


class Reading(Generic[Result]):
    """One piece of work, and whom to tell how it ended: `succeed` or `fail`, once."""

    def __init__(
        self,
        work: Work[Result],
        succeed: Callable[[Result], None],
        fail: Callable[[BaseException], None],
    ) -> None:
        self._work: Work[Result] | None = work
        self._succeed = succeed
        self.fail = fail

    def abandon(self) -> None:
        """Nobody waits for it any more: unless it runs already, it never does."""
        self._work = None

    def run(self, tx: Transaction) -> Callable[[], None]:
        """Read; returns what tells the outcome. Raises what ends the transaction."""
        work = self._work
        if work is None:
            return lambda: None
        try:
            result = require_plain(work(tx))
        except (DriverError, StormError):
            raise
        except Exception as error:
            failure = error
            return lambda: self.fail(failure)
        return lambda: self._succeed(result)


class Readings:
    """Those that wait; used by two threads."""

    def __init__(self) -> None:
        self._asked: deque[Reading[Any]] = deque()
        self._standing: deque[Reading[Any]] = deque()
        self._closed = False
        self._lock = threading.Lock()

    def ask(self, reading: Reading[Any]) -> bool:
        """Let one wait for the next pass; False once they are closed."""
        return self._enter(self._asked, reading)

    def stand(self, reading: Reading[Any]) -> bool:
        """Let one wait for a pass that seals something; False once they are closed."""
        return self._enter(self._standing, reading)

    def leave(self, reading: Reading[Any]) -> None:
        """Nobody waits for this one any more."""
        reading.abandon()
        with self._lock:
            for queue in (self._asked, self._standing):
                if reading in queue:
                    queue.remove(reading)

    def take_asked(self) -> list[Reading[Any]]:
        """The next that asked, at most as many as fit a pass."""
        return self._take(self._asked, READINGS_A_PASS)

    def take_standing(self) -> list[Reading[Any]]:
        """The next that stand, for a pass that has sealed something."""
        return self._take(self._standing, STANDING_A_PASS)

    def take_all(self) -> list[Reading[Any]]:
        """All that wait."""
        return [reading for queue in (self._asked, self._standing) for reading in self._take(queue)]

    def close(self) -> list[Reading[Any]]:
        """Take in no more; those that still wait."""
        with self._lock:
            self._closed = True
        return self.take_all()

    def _enter(self, queue: deque[Reading[Any]], reading: Reading[Any]) -> bool:
        with self._lock:
            if not self._closed:
                queue.append(reading)
            return not self._closed

    def _take(self, queue: deque[Reading[Any]], most: int | None = None) -> list[Reading[Any]]:
        """The first ones, which wait no more."""
        with self._lock:
            count = len(queue) if most is None else min(len(queue), most)
            return [queue.popleft() for _turn in range(count)]
