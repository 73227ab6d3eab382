"""Tests write into memory only where that has room for what they write."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.servers.memory import available, has_room

FREE = "MemTotal:       24000000 kB\nMemFree:   100 kB\nMemAvailable:   7 kB\n"


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


def test_what_the_kernel_tells_of_memory_is_read(tmp_path: Path) -> None:
    """What is available, not what is unused; where it tells nothing there is none."""
    told = tmp_path / "meminfo"
    told.write_text(FREE)
    assert available(told) == 7 * 1024
    told.write_text("")
    assert available(told) == 0
    assert available(tmp_path / "none") == 0
