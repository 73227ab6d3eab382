"""One owner for each directory, and no stranger's server on its data."""

from __future__ import annotations

import fcntl
import os
import time
from pathlib import Path

from service.server.errors import DirectoryHeld

_ATTEMPTS = 10
_PAUSE_SECONDS = 0.05


class DirectoryLock:
    """A lock on a file that ends with the process that took it, however that ends."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._handle: int | None = None

    @property
    def held(self) -> bool:
        """Whether this object has the lock."""
        return self._handle is not None

    def take(self) -> None:
        """Become the only owner; raise DirectoryHeld with the other owner's process id.

        Another command may hold it for an instant, only to see whether somebody does.
        """
        if self.held:
            return
        handle = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        if not _locked(handle):
            owner = os.read(handle, 32).decode(errors="replace").strip() or "unknown"
            os.close(handle)
            raise DirectoryHeld(
                f"The directory {self._path.parent.parent} is in use by another process "
                f"(id {owner}). Stop that one first, or choose another directory."
            )
        os.ftruncate(handle, 0)
        os.pwrite(handle, f"{os.getpid()}\n".encode(), 0)
        self._handle = handle

    def release(self) -> None:
        """Let another process have it."""
        if self._handle is not None:
            os.close(self._handle)
        self._handle = None


def _locked(handle: int) -> bool:
    """Lock the open file, with a few attempts; whether that worked."""
    for attempt in range(_ATTEMPTS):
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if attempt + 1 < _ATTEMPTS:
                time.sleep(_PAUSE_SECONDS)
        else:
            return True
    return False


def require_unused(data: Path) -> None:
    """Raise DirectoryHeld where a server that is not ours has the data open.

    Both servers lock this file, and would themselves wait for it for minutes.
    """
    tablespace = data / "ibdata1"
    if not tablespace.exists():
        return
    with tablespace.open("r+b") as file:
        try:
            fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise DirectoryHeld(
                f"Another database server has the data in {data} open. Stop that server first, "
                f"or choose another directory."
            ) from error
