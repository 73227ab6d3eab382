"""A folder for all that one run of the tests writes, removed at its end.

No run touches the folder of another that goes on: a run holds a lock on its own, which ends with it
however it ends. What a run that was killed has left is removed by the next one.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from service.server.processes import end_process
from tests.servers.memory import LEAST_FREE, has_room

PREFIX = "herdbook-run-"
_ATTEMPTS = 20
_PAUSE_SECONDS = 0.1


class RunFolder:
    """A new folder below `root`, of this run alone, in which temporary files are from now on."""

    def __init__(self, root: Path) -> None:
        remove_dead(root)
        self.path, self._lock = _taken(root)
        self._former = os.environ.get("TMPDIR")
        _put_temporary_files(str(self.path))

    @property
    def tests(self) -> Path:
        """Where pytest makes the folders of single tests."""
        return self.path / "t"

    def remove(self) -> None:
        """Remove the folder, and end what runs in it; temporary files are where they were."""
        _put_temporary_files(self._former)
        _remove(self.path)
        os.close(self._lock)


def folder_in(shared: Path, memory: int, least: int = LEAST_FREE) -> RunFolder | None:
    """A folder for this run in memory, of which so many bytes are free.

    None where that has too little room, or TMPDIR says where temporary files are to be.
    """
    if "TMPDIR" in os.environ or not has_room(shared, memory, least):
        return None
    return RunFolder(shared)


def remove_dead(root: Path) -> None:
    """Remove the folders below `root` whose runs are over."""
    for path in root.glob(f"{PREFIX}*"):
        lock = _locked(path)
        if lock is not None:
            _remove(path)
            os.close(lock)


def _taken(root: Path) -> tuple[Path, int]:
    """A new folder and the lock on it; one that another run took for a dead one is given up."""
    while True:
        path = Path(tempfile.mkdtemp(prefix=PREFIX, dir=root))
        lock = _locked(path)
        if lock is not None:
            if os.fstat(lock).st_nlink:
                return path, lock
            os.close(lock)


def _locked(path: Path) -> int | None:
    """A handle that locks the folder, or None where somebody else has it, or it is gone."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    except OSError:
        return None
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(handle)
        return None
    return handle


def _remove(path: Path) -> None:
    """Remove a folder; processes that are ending may still write there for a moment."""
    for _attempt in range(_ATTEMPTS):
        for pid in list(_processes_of(path)):
            end_process(pid, patience=0)
        shutil.rmtree(path, ignore_errors=True)
        if not path.exists():
            return
        time.sleep(_PAUSE_SECONDS)


def _processes_of(path: Path) -> Iterator[int]:
    """The ids of what a run has started: its workers, nodes and servers."""
    sign = b"TMPDIR=" + os.fsencode(path)
    for entry in Path("/proc").glob("[0-9]*/environ"):
        try:
            told = entry.read_bytes().split(b"\0")
        except OSError:
            # It ended meanwhile, or is somebody else's.
            continue
        if sign in told and int(entry.parent.name) != os.getpid():
            yield int(entry.parent.name)


def _put_temporary_files(folder: str | None) -> None:
    """Let temporary files of this process and its children be in a folder; None: as usual."""
    if folder is None:
        os.environ.pop("TMPDIR", None)
    else:
        os.environ["TMPDIR"] = folder
    tempfile.tempdir = None
