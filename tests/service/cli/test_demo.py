"""`herdbook demo`, as the process a user would start."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from service.cli.demonstration.nodes import NAMES
from service.server import ServerKind
from service.server.processes import servers_on
from tests.servers.programs import chosen_kinds, program_of
from tests.service.cli.nodes import ROOT, herdbook

SIGNALS = [signal.SIGINT, signal.SIGTERM, signal.SIGHUP]


def nothing_runs(directory: Path) -> bool:
    """Whether no server and no node is left of a demonstration's herd."""
    servers = [pid for name in NAMES for pid in servers_on(directory / name / "data")]
    return not servers and not processes_with(str(directory))


def processes_with(text: str) -> list[int]:
    """The processes whose command line holds a text."""
    found = []
    for entry in Path("/proc").iterdir():
        try:
            if entry.name.isdigit() and text.encode() in (entry / "cmdline").read_bytes():
                found.append(int(entry.name))
        except OSError:
            continue
    return found


def started(directory: Path, server_program: str) -> subprocess.Popen[str]:
    """A demonstration that runs."""
    return subprocess.Popen(
        [sys.executable, "-m", "service.cli.main", "demo", "--json", "--dir", str(directory)],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        start_new_session=True,
        env=os.environ | {"PYTHONPATH": str(ROOT), "HERDBOOK_SERVER": server_program},
    )


def end(process: subprocess.Popen[str], number: signal.Signals) -> None:
    """Ask it to end, and wait until it has."""
    process.send_signal(number)
    process.communicate(timeout=90)


def told(done: subprocess.CompletedProcess[str]) -> list[dict[str, Any]]:
    """What a demonstration said that came to its end."""
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def require_whole_story(steps: list[dict[str, Any]]) -> None:
    """All was loaded, the nodes differed once, agreed again, and said what was put aside."""
    looks = {step["look"]: step["nodes"] for step in steps if "look" in step}
    assert list(looks) == ["loaded", "apart", "together", "end"]
    assert looks["loaded"]["west"]["cities"] > 30_000
    for name, nodes in looks.items():
        assert list(nodes) == list(NAMES)
        assert {node["orphans"] for node in nodes.values()} == {0}
        digests = {node["digest"] for node in nodes.values()}
        assert len(digests) == (2 if name == "apart" else 1), name
    assert looks["end"]["north"]["cities"] == looks["loaded"]["north"]["cities"] + 1
    rules = {step["journal"]["rule"] for step in steps if "journal" in step}
    assert rules == {"later write", "taken along"}
    failed = [step["method"] for step in steps if "error" in step]
    assert failed == ["country.update"]
    (restored,) = (step for step in steps if step.get("method") == "journal.restore")
    assert restored["result"]["record"]["name"] == "Byre"


@pytest.mark.slow
def test_the_demo_ends_with_everything_stopped_and_said(
    tmp_path: Path, server_program: str
) -> None:
    """Three nodes with servers of one kind; nothing is left of them, and their data stay."""
    arguments = ("demo", "--once", "--json", "--dir", str(tmp_path))
    require_whole_story(told(herdbook(*arguments, HERDBOOK_SERVER=server_program)))
    assert nothing_runs(tmp_path)
    again = told(herdbook(*arguments, HERDBOOK_SERVER=server_program))
    assert [step["method"] for step in again if "error" in step] == ["country.update"]
    assert again[-1]["nodes"]["west"]["cities"] == again[0]["nodes"]["west"]["cities"] + 1
    assert nothing_runs(tmp_path)


@pytest.mark.slow
@pytest.mark.skipif(len(chosen_kinds()) < 2, reason="takes both servers")
def test_the_demo_mixes_servers_and_is_the_same_in_the_folder_of_a_project(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where both are installed both are used.

    Neither that project's configuration, nor its folder of revisions, nor variables count.
    """
    project, directory = tmp_path / "project", tmp_path / "herd"
    (project / "migrations").mkdir(parents=True)
    (project / "herdbook.toml").write_text('[node]\nrecords = "mine"\nmigrations = "migrations"\n')
    (project / "migrations" / "broken.py").write_text("no Python")
    monkeypatch.chdir(project)
    # Debian's MariaDB has a mysqld as well, which is not the one that is meant.
    kinds = (ServerKind.MYSQL, ServerKind.MARIADB)
    folders = [str(program_of(kind).path.parent) for kind in kinds]
    settings = {
        "PATH": os.pathsep.join([*folders, os.environ["PATH"]]),
        "HERDBOOK_SERVER": "",
        "HERDBOOK_NODE_MIGRATIONS": "migrations",
        "HERDBOOK_HERD_LISTEN": "tcp:1:interface=127.0.0.1",
        "HERDBOOK_CONFIG": "herdbook.toml",
    }
    done = herdbook("demo", "--once", "--json", "--dir", str(directory), **settings)
    require_whole_story(told(done))
    noted = [json.loads((directory / name / "server.json").read_text()) for name in NAMES]
    assert {server["kind"] for server in noted} == {"mariadb", "mysql"}
    there = {path.relative_to(project).as_posix() for path in project.rglob("*")}
    assert there == {"herdbook.toml", "migrations", "migrations/broken.py"}


@pytest.mark.parametrize("number", SIGNALS)
def test_what_is_ended_while_it_starts_leaves_nothing(
    tmp_path: Path, server_program: str, number: signal.Signals
) -> None:
    """A demo that is asked to end at any moment of its start takes nodes and servers along."""
    directory = tmp_path / "herd"
    for pause in (0.3, 0.8, 2.5):
        process = started(directory, server_program)
        time.sleep(pause)
        end(process, number)
        assert nothing_runs(directory)


@pytest.mark.slow
@pytest.mark.parametrize(("number", "word"), [(SIGNALS[0], "look"), (SIGNALS[1], "wire")])
def test_what_is_ended_in_its_midst_leaves_nothing(
    tmp_path: Path, server_program: str, number: signal.Signals, word: str
) -> None:
    """Just loaded, or with a wire that is cut; one more signal while it ends changes nothing."""
    process = started(tmp_path, server_program)
    assert process.stdout is not None
    while word not in (line := process.stdout.readline()):
        assert line, "it ended before that"
    process.send_signal(number)
    time.sleep(0.2)
    end(process, number)
    assert process.returncode == 130
    assert nothing_runs(tmp_path)
