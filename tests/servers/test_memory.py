"""Tests write into memory only where that has room for what they write."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.servers.memory import available, has_room

TOLD = "MemTotal:       24000000 kB\nMemFree:   100 kB\nMemAvailable:   7 kB\n"


@pytest.fixture
def machine(tmp_path: Path) -> Path:
    """The root of a machine that has 7 KiB."""
    for name in ("proc", "sys/fs/cgroup/memory"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "proc/meminfo").write_text(TOLD)
    return tmp_path


def limit(groups: Path, name: str, most: str, used: str) -> None:
    """Say what a container may have, and what it has."""
    for what, said in zip(name.split(), (most, used), strict=True):
        (groups / what).write_text(f"{said}\n")


@pytest.mark.parametrize(("memory", "least", "fits"), [(9, 1, True), (9, 10, False), (0, 1, False)])
def test_a_folder_is_taken_if_file_system_and_memory_have_room(
    tmp_path: Path, memory: int, least: int, fits: bool
) -> None:
    """The smaller of both counts."""
    assert has_room(tmp_path, memory, least) is fits


def test_a_folder_that_is_not_there_or_small_is_not_taken(tmp_path: Path) -> None:
    """Nor one on a file system that has less."""
    assert not has_room(tmp_path / "none", 2**63)
    assert not has_room(tmp_path, 2**63, 2**62)


def test_what_the_kernel_tells_of_memory_is_read(machine: Path) -> None:
    """What is available, not what is unused; where it tells nothing there is none."""
    assert available(machine) == 7 * 1024
    (machine / "proc/meminfo").write_text("")
    assert available(machine) == 0
    assert available(machine / "none") == 0


@pytest.mark.parametrize(
    "told",
    ["memory.max memory.current", "memory/memory.limit_in_bytes memory/memory.usage_in_bytes"],
)
def test_a_container_has_what_it_may_have_and_no_more(machine: Path, told: str) -> None:
    """What is in memory as a file counts as its own."""
    groups = machine / "sys/fs/cgroup"
    limit(groups, told, "1000", "400")
    assert available(machine) == 600
    limit(groups, told, "max", "400")
    assert available(machine) == 7 * 1024
