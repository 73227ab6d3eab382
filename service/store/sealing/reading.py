"""Work that reads what a pass has sealed, and waits for its turn."""

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
        self._waiting: deque[Reading[Any]] | None = deque()
        self._lock = threading.Lock()

    def add(self, reading: Reading[Any]) -> bool:
        """Let one wait; False once they are closed."""
        with self._lock:
            if self._waiting is None:
                return False
            self._waiting.append(reading)
            return True

    def take(self) -> list[Reading[Any]]:
        """The next ones, at most as many as fit a pass."""
        with self._lock:
            waiting = self._waiting or deque()
            return [waiting.popleft() for _turn in range(min(len(waiting), READINGS_A_PASS))]

    def close(self) -> list[Reading[Any]]:
        """Take in no more; those that still wait."""
        with self._lock:
            left, self._waiting = list(self._waiting or ()), None
            return left
