"""Many runners, real processes, real kills."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from schema.connection import connected
from schema.errors import LockHeld
from schema.lock import lock_name, only_runner
from tests.schema.conftest import Project
from tests.schema.killing import picture, write_revision
from tests.schema.test_resuming import Anything

ROOT = Path(__file__).parents[2]
RUNNER = """
import sys
from pathlib import Path
from records.catalogue import catalogue_of
from schema.migrator import Migrator
from tests.schema.test_resuming import Anything
url, folder = sys.argv[1:]
print("ready", flush=True)
sys.stdin.readline()
print(*Migrator(url, catalogue_of([Anything]), Path(folder)).upgrade())
"""


def runner(project: Project) -> subprocess.Popen[str]:
    """A process that upgrades the project once it is told to."""
    return subprocess.Popen(
        [sys.executable, "-c", RUNNER, project.url, str(project.folder)],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def start(process: subprocess.Popen[str]) -> None:
    """Wait until the process is ready and let it go."""
    assert process.stdout is not None
    assert process.stdin is not None
    assert process.stdout.readline() == "ready\n", process.communicate()
    process.stdin.write("go\n")
    process.stdin.flush()


def test_of_ten_runners_at_once_one_does_the_work(project: Project) -> None:
    """Each revision is run once, and all ten report success."""
    write_revision(project.folder)
    processes = [runner(project) for _ in range(10)]
    for process in processes:
        start(process)
    ended = [process.communicate(timeout=120) for process in processes]
    assert [process.returncode for process in processes] == [0] * 10, ended
    assert sorted(out.strip() for out, _error in ended) == [""] * 9 + [
        "hb0001 hb0002 hb0003 hb0004 r1"
    ]
    assert "(102, 'a', None), (111, 'b', None)" in picture(project.url)["tally"]


@pytest.mark.slow
def test_killed_processes_leave_nothing_that_the_next_one_cannot_complete(project: Project) -> None:
    """SIGKILL after a random while, up to twelve times; then one run completes the migration."""
    write_revision(project.folder)
    chance = random.Random(20_260_131)
    for _ in range(12):
        process = runner(project)
        start(process)
        time.sleep(chance.uniform(0, 0.5))
        process.send_signal(signal.SIGKILL)
        process.communicate(timeout=60)
    project.migrator(Anything).upgrade()
    assert "(102, 'a', None), (111, 'b', None)" in picture(project.url)["tally"]
    assert project.migrator(Anything).status().pending == ()


def test_who_waits_in_vain_is_told_who_holds_the_lock(project: Project) -> None:
    """The wait is bounded, and ends in an error that names the connection."""
    told = pytest.raises(LockHeld, match=r"connection \d+ of the server")
    with connected(project.url) as connection, only_runner(connection, 0), told:
        project.migrator(Anything).upgrade(wait_seconds=0)
    assert project.migrator(Anything).upgrade() == ["hb0001", "hb0002", "hb0003", "hb0004"]


def test_the_lock_has_a_short_name_of_its_own_for_each_database() -> None:
    """MySQL takes 64 characters, as many as a database's name may have by itself."""
    names = {lock_name("a" * 64), lock_name("a" * 63 + "b"), lock_name("ä" * 64)}
    assert len(names) == 3
    assert max(map(len, names)) <= 64
