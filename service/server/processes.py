"""Processes by id: which one is the server on a directory, and how one is ended.

A process is taken for the server on a directory only if it says `--datadir=` on its command line
and stands in that very folder: a number in a file proves nothing, as numbers are used again.
"""

from __future__ import annotations

import os
import select
import signal
from collections.abc import Iterator
from pathlib import Path

_PROCESSES = Path("/proc")
# Even a process that is killed ends only once the disk has let go of it.
_KILL_SECONDS = 30


def servers_on(data: Path) -> Iterator[int]:
    """The ids of all server processes that run on this data directory."""
    for entry in _PROCESSES.iterdir() if _PROCESSES.is_dir() else ():
        if entry.name.isdigit() and _serves(entry, data):
            yield int(entry.name)


def end_process(pid: int, patience: float) -> None:
    """End the process: asked politely first, by force when `patience` seconds are over.

    A process that is gone already is fine.
    """
    try:
        handle = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    try:
        # One that was stopped would not hear the request.
        for number in (signal.SIGCONT, signal.SIGTERM):
            signal.pidfd_send_signal(handle, number)
        if not _ended(handle, patience):
            signal.pidfd_send_signal(handle, signal.SIGKILL)
            _ended(handle, _KILL_SECONDS)
    except ProcessLookupError:
        return
    finally:
        os.close(handle)


def _serves(process: Path, data: Path) -> bool:
    """Whether this entry of /proc is a server on the data directory."""
    try:
        arguments = (process / "cmdline").read_bytes().split(b"\0")
        if not any(argument.startswith(b"--datadir=") for argument in arguments):
            return False
        return (process / "cwd").samefile(data)
    except OSError:
        # It ended meanwhile, or belongs to somebody else.
        return False


def _ended(handle: int, seconds: float) -> bool:
    """Wait for the process behind the handle; whether it ended in time."""
    waiting = select.poll()
    waiting.register(handle, select.POLLIN)
    return bool(waiting.poll(seconds * 1000))
