"""Where the tests keep what they write: in memory, where there is room for it.

Servers commit durably, and most tests make tables and triggers of their own: on a disk they wait
for that a good part of their time. What tests kill is processes, and whatever those wrote stays in
memory.
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

SHARED_MEMORY = Path("/dev/shm")
LEAST_FREE = 6 * 2**30
"""Bytes. A server's directory has 200 MB at least; tests that run side by side have some six
servers for all of them, and those of single ones."""

_MEMORY = Path("/proc/meminfo")


def keep_in_memory() -> None:
    """Let temporary files of this process and its children be in memory, unless TMPDIR is set."""
    if "TMPDIR" not in os.environ and has_room(SHARED_MEMORY, available(_MEMORY)):
        os.environ["TMPDIR"] = str(SHARED_MEMORY)
        tempfile.tempdir = None


def has_room(folder: Path, memory: int, least: int = LEAST_FREE) -> bool:
    """Whether a folder takes what tests write, programs among it; `memory`: bytes that are free."""
    try:
        seen = os.statvfs(folder)
    except OSError:
        return False
    is_closed = seen.f_flag & (os.ST_NOEXEC | os.ST_RDONLY)
    return not is_closed and min(memory, seen.f_bavail * seen.f_frsize) >= least


def available(told: Path) -> int:
    """The bytes of memory that the kernel says are free; 0 where it does not."""
    try:
        lines = told.read_text().splitlines()
    except OSError:
        return 0
    found = [line.split()[1] for line in lines if line.startswith("MemAvailable:")]
    return int(found[0]) * 1024 if found else 0
