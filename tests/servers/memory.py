"""Where the tests keep what they write: in memory, where there is room for it.

Servers commit durably, and most tests make tables and triggers of their own: on a disk they wait
for that a good part of their time. What tests kill is processes, and whatever those wrote stays in
memory.
"""

from __future__ import annotations

import os
from pathlib import Path

SHARED_MEMORY = Path("/dev/shm")
LEAST_FREE = 6 * 2**30
"""Bytes. A server's directory has 200 MB at least; tests that run side by side have some six
servers for all of them, and those of single ones. Docker gives 64 MB unless asked for more."""

MACHINE = Path("/")
_UNLIMITED = 2**63
_CONTAINERS = (
    ("sys/fs/cgroup/memory.max", "sys/fs/cgroup/memory.current"),
    ("sys/fs/cgroup/memory/memory.limit_in_bytes", "sys/fs/cgroup/memory/memory.usage_in_bytes"),
)
"""What a container may have of the memory, and what it has: told in one of two ways."""


def has_room(folder: Path, memory: int, least: int = LEAST_FREE) -> bool:
    """Whether a folder takes what tests write, programs among it; `memory`: bytes that are free."""
    try:
        seen = os.statvfs(folder)
    except OSError:
        return False
    is_closed = seen.f_flag & (os.ST_NOEXEC | os.ST_RDONLY)
    return not is_closed and min(memory, seen.f_bavail * seen.f_frsize) >= least


def available(machine: Path = MACHINE) -> int:
    """The bytes of memory that are free here, in this container if it is one.

    0 where the kernel does not tell.
    """
    return min(_free(machine / "proc/meminfo"), *(_left(machine, *told) for told in _CONTAINERS))


def _left(machine: Path, limit: str, used: str) -> int:
    try:
        return int((machine / limit).read_text()) - int((machine / used).read_text())
    except (OSError, ValueError):
        # There is none; it is told as "max", or not at all.
        return _UNLIMITED


def _free(told: Path) -> int:
    try:
        lines = told.read_text().splitlines()
    except OSError:
        return 0
    found = [line.split()[1] for line in lines if line.startswith("MemAvailable:")]
    return int(found[0]) * 1024 if found else 0
