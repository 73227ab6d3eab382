"""Who decides whether a unit of work may still commit.

Either the thread that runs it or the caller that gave up waiting, and exactly one of them. So a
caller that gave up in time knows that nothing was written, and one that gave up too late knows that
it cannot tell.
"""

from __future__ import annotations

import threading
from enum import Enum, auto


class Standing(Enum):
    """Where a unit of work stands. OPEN may become either other; COMMITTING may go back."""

    OPEN = auto()
    COMMITTING = auto()
    ABANDONED = auto()


class Abandoned(Exception):
    """The caller gave up, so the unit of work was undone."""


class Ticket:
    """The standing of one unit of work; may be used from two threads."""

    def __init__(self) -> None:
        self._standing = Standing.OPEN
        self._lock = threading.Lock()

    def require_wanted(self) -> None:
        """Raise Abandoned if nobody waits any more."""
        with self._lock:
            if self._standing is Standing.ABANDONED:
                raise Abandoned

    def begin_commit(self) -> None:
        """From now on it cannot be abandoned; raises Abandoned if it was already."""
        with self._lock:
            if self._standing is Standing.ABANDONED:
                raise Abandoned
            self._standing = Standing.COMMITTING

    def reopen(self) -> None:
        """The commit was refused; the unit may run again, or be abandoned."""
        with self._lock:
            self._standing = Standing.OPEN

    def abandon(self) -> bool:
        """Give it up; False if it is too late, since it may be committed already."""
        with self._lock:
            if self._standing is Standing.COMMITTING:
                return False
            self._standing = Standing.ABANDONED
            return True
