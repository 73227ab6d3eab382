"""Looks after the file of tokens, so that what was added or revoked counts without a restart."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

from service.access.door import Door
from service.access.written import TokensRefused
from service.token_file import read_tokens
from service.transports.timing import Clock

LOOK_SECONDS = 0.5
"""Between two looks. Each costs one question to the file system."""

_log = logging.getLogger("herdbook.access")


class TokenWatch:
    """Keeps a door's book as the file has it; after each look `looked` is called."""

    def __init__(self, path: Path, door: Door, clock: Clock, looked: Callable[[], None]) -> None:
        self._path = path
        self._door = door
        self._clock = clock
        self._looked = looked
        self._seen: object = None
        self._problem: str | None = None
        self._next: Any = None

    def start(self) -> None:
        """Read the file, and look at it from now on; raises TokensRefused where it is no good."""
        self._seen = self._look_of_it()
        self._door.book = read_tokens(self._path)
        if self._door.required and not len(self._door.book):
            _log.warning(
                "calls need a token, and there is none in %s: `herdbook token add` makes one, with "
                "--dir DIR for a node of `herdbook up --dir DIR`",
                self._path,
            )
        self._wait()

    def stop(self) -> None:
        """Look no more."""
        if self._next is not None:
            self._next.cancel()
            self._next = None

    def problem(self) -> str | None:
        """What is wrong with the file, None where all is well."""
        return self._problem

    def _wait(self) -> None:
        self._next = self._clock.callLater(LOOK_SECONDS, self._look)

    def _look(self) -> None:
        try:
            seen = self._look_of_it()
            if seen != self._seen:
                # What failed is tried again: it may pass without a change of the file.
                self._seen = seen if self._read() else None
            self._looked()
        finally:
            self._wait()

    def _read(self) -> bool:
        """Take in the file; False where it is no good.

        That locks nobody out: the former tokens count on.
        """
        try:
            self._door.book = read_tokens(self._path)
        except TokensRefused as error:
            self._tell(f"{error}; the tokens before count on", error.hint)
            return False
        self._problem = None
        _log.info("the tokens were changed; %d count now", len(self._door.book))
        return True

    def _tell(self, problem: str, hint: str) -> None:
        """Log a problem, once for as long as it stays the same."""
        if problem != self._problem:
            _log.error("%s (%s)", problem, hint)
        self._problem = problem

    def _look_of_it(self) -> object:
        """What is another thing when the file was changed, or who may read it."""
        try:
            found = self._path.stat()
        except OSError as error:
            return error.errno
        times = found.st_mtime_ns, found.st_ctime_ns
        return found.st_ino, times, found.st_size, found.st_mode, found.st_uid, found.st_gid
