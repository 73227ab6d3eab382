"""Runs of the tests beside each other leave each other alone, and nothing behind."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from tests.servers.memory import SHARED_MEMORY, available, has_room
from tests.servers.runs import RunFolder, folder_in, remove_dead
from tests.service.server.helpers import alive

HOUSE = Path(__file__).parents[2]
DOCKERS_OWN = 64 * 2**20
A_RUN = """
import subprocess, sys, time
from pathlib import Path
from tests.servers.runs import RunFolder
folder = RunFolder(Path(sys.argv[1])).path
command = [sys.executable, "-c", "import time; time.sleep(600)"]
print(folder, subprocess.Popen(command, stdout=subprocess.DEVNULL).pid, flush=True)
time.sleep(600)
"""


def killed_run(root: Path) -> tuple[Path, int]:
    """The folder of a run that was killed, and a process that it has left."""
    command = [sys.executable, "-c", A_RUN, str(root)]
    with subprocess.Popen(command, cwd=HOUSE, stdout=subprocess.PIPE, text=True) as run:
        assert run.stdout is not None
        folder, pid = run.stdout.readline().split()
        run.kill()
    return Path(folder), int(pid)


def test_a_run_removes_its_own_folder_only(tmp_path: Path) -> None:
    """Neither its beginning nor its end is seen by one beside it."""
    first, second = RunFolder(tmp_path), RunFolder(tmp_path)
    (first.path / "kept").touch()
    second.remove()
    third = RunFolder(tmp_path)
    assert list(first.path.iterdir()) == [first.path / "kept"]
    third.remove()
    first.remove()
    assert list(tmp_path.iterdir()) == []


def test_what_a_killed_run_left_is_removed_by_the_next(tmp_path: Path) -> None:
    """What it had started ends too; another folder stays what it is."""
    folder, server = killed_run(tmp_path)
    (tmp_path / "of-somebody").mkdir()
    assert folder.exists()
    assert alive(server)
    remove_dead(tmp_path)
    assert not alive(server)
    assert list(tmp_path.iterdir()) == [tmp_path / "of-somebody"]


def test_temporary_files_are_in_the_folder_while_it_is_there(tmp_path: Path) -> None:
    """Those of children too; then they are where they were."""
    before, told = tempfile.gettempdir(), os.environ.get("TMPDIR")
    folder = RunFolder(tmp_path)
    assert tempfile.gettempdir() == os.environ["TMPDIR"] == str(folder.path)
    folder.remove()
    assert (tempfile.gettempdir(), os.environ.get("TMPDIR")) == (before, told)


def test_where_there_is_little_room_temporary_files_are_where_they_were(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As in a container that was given 64 MB; and where somebody has said where they are to be."""
    monkeypatch.delenv("TMPDIR", raising=False)
    before = tempfile.gettempdir()
    assert folder_in(tmp_path, DOCKERS_OWN) is None
    assert folder_in(tmp_path / "none", 2**63) is None
    assert tempfile.gettempdir() == before
    taken = folder_in(tmp_path, DOCKERS_OWN, least=DOCKERS_OWN)
    assert taken is not None
    taken.remove()
    monkeypatch.setenv("TMPDIR", before)
    assert folder_in(tmp_path, 2**63, least=1) is None
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
@pytest.mark.skipif(not has_room(SHARED_MEMORY, available()), reason="there is no room in memory")
@pytest.mark.parametrize(
    ("workers", "ends"), [(0, "pass"), (1, "assert False"), (1, "raise KeyboardInterrupt")]
)
def test_nothing_is_left_in_memory_however_a_run_ends(
    tmp_path: Path, workers: int, ends: str
) -> None:
    """Neither what tests wrote nor what they made beside."""
    (tmp_path / "test_it.py").write_text(
        "import pathlib, tempfile\n"
        "def test_it(tmp_path):\n"
        "    told = [str(tmp_path), tempfile.mkdtemp()]\n"
        f"    pathlib.Path({str(tmp_path / 'told')!r}).write_text(chr(10).join(told))\n"
        f"    {ends}\n"
    )
    command = [sys.executable, "-m", "pytest", "-p", "tests.conftest", "-p", "no:cacheprovider"]
    usual = {name: value for name, value in os.environ.items() if name != "TMPDIR"}
    run = subprocess.run(
        [*command, "-n", str(workers), f"--rootdir={tmp_path}", str(tmp_path / "test_it.py")],
        cwd=HOUSE,
        env=usual,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (run.returncode == 0) is (ends == "pass"), run.stdout
    told = (tmp_path / "told").read_text().splitlines()
    for folder in map(Path, told):
        assert folder.is_relative_to(SHARED_MEMORY)
        assert not folder.exists()
        assert not (SHARED_MEMORY / folder.relative_to(SHARED_MEMORY).parts[0]).exists()
