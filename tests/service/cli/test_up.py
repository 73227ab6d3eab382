"""`up` and `down`, each as the process a user would start."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from service.server.processes import servers_on
from tests.live.node import CallFailed
from tests.service.cli.nodes import (
    ROOT,
    caller,
    herdbook,
    new_country,
    node_up,
    resident_kilobytes,
    wait_until_gone,
)

MEMORY_KILOBYTES = 120 * 1024


def test_a_node_goes_up_serves_and_goes_down(tmp_path: Path, server_program: str) -> None:
    """One line tells where it is; it answers; after `down` nothing of it runs, and data stay."""
    directory = tmp_path / "data"
    with node_up(directory, server_program) as told:
        assert told.keys() >= {"rpc", "stream", "admin", "database", "dir", "pid"}
        assert told["dir"] == str(directory)
        assert "unix_socket=" in told["database"]
        made = caller(told).call("country.create", new_country("XA"))
        kilobytes = resident_kilobytes(told["pid"])
        assert kilobytes < MEMORY_KILOBYTES
    assert list(servers_on(directory / "data")) == []
    wait_until_gone(told["pid"])
    with node_up(directory, server_program) as again:
        assert caller(again).call("country.get", {"id": made["id"]}) == made


def test_a_directory_serves_one_node_at_a_time(tmp_path: Path, server_program: str) -> None:
    """A second `up` on it is refused with what to do, and leaves the first alone."""
    directory = tmp_path / "data"
    with node_up(directory, server_program) as told:
        second = herdbook("up", "--dir", str(directory), "--port", "0")
        assert second.returncode == 1
        assert str(told["pid"]) in second.stderr
        assert "herdbook down --dir" in second.stderr
        assert caller(told).call("country.count") == 0


def test_a_port_that_is_taken_is_told_with_the_option_for_another(tmp_path: Path) -> None:
    """Detached too: `--port`, with the same command. Nothing runs then."""
    directory = str(tmp_path / "data")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        for more in ([], ["--detach"]):
            ran = herdbook("up", "--dir", directory, "--port", port, "--json", *more)
            error = json.loads(ran.stderr.splitlines()[-1])["error"]
            assert (ran.returncode, error["code"]) == (1, "transports.cannot_listen")
            assert f"tcp:{port}" in error["message"]
            assert "run the same command again with --port PORT" in error["hint"]
    assert list(servers_on(tmp_path / "data" / "data")) == []


def test_what_a_killed_node_left_is_cleared_by_the_next_up(
    tmp_path: Path, server_program: str
) -> None:
    """After kill -9 its server still runs; `up` ends that and serves the same data."""
    directory = tmp_path / "data"
    with node_up(directory, server_program) as told:
        caller(told).call("country.create", new_country("XB"))
        os.kill(told["pid"], signal.SIGKILL)
        wait_until_gone(told["pid"])
        assert len(list(servers_on(directory / "data"))) == 1
        with node_up(directory, server_program) as again:
            assert again["pid"] != told["pid"]
            assert caller(again).call("country.count") == 1


def test_down_ends_a_server_that_a_killed_node_left(tmp_path: Path, server_program: str) -> None:
    """`down` says so, and then nothing runs on the directory."""
    directory = tmp_path / "data"
    with node_up(directory, server_program) as told:
        os.kill(told["pid"], signal.SIGKILL)
        wait_until_gone(told["pid"])
        down = herdbook("down", "--dir", str(directory), "--json")
        assert down.returncode == 0
        assert len(json.loads(down.stdout)["stopped"]) == 1
    assert list(servers_on(directory / "data")) == []


def test_a_server_that_was_killed_comes_back(tmp_path: Path, server_program: str) -> None:
    """The node starts its server again; meanwhile calls are refused, and then nothing is lost."""
    directory = tmp_path / "data"
    with node_up(directory, server_program) as told:
        node = caller(told)
        node.call("country.create", new_country("XC"))
        (server,) = servers_on(directory / "data")
        os.kill(server, signal.SIGKILL)
        answers = []
        for _ in range(300):
            try:
                answers.append(node.call("country.count"))
                break
            except CallFailed as failed:
                answers.append(failed.code)
                time.sleep(0.1)
        assert answers[-1] == 1
        assert set(answers[:-1]) <= {"server.unavailable"}


def test_down_where_nothing_runs_is_no_error(tmp_path: Path) -> None:
    """It may be called twice, and says what it found."""
    down = herdbook("down", "--dir", str(tmp_path))
    assert (down.returncode, down.stdout) == (0, f"no node runs on {tmp_path}\n")
    missing = herdbook("down", "--dir", str(tmp_path / "nowhere"))
    assert missing.returncode == 1
    assert "is no directory" in missing.stderr


def test_ctrl_c_ends_a_node_in_good_order(tmp_path: Path, server_program: str) -> None:
    """SIGINT stops node and server, with exit code 0."""
    directory = tmp_path / "data"
    process = subprocess.Popen(
        [sys.executable, "-m", "service.cli.main", "up", "--dir", str(directory), "--port", "0"],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env=os.environ | {"PYTHONPATH": str(ROOT), "HERDBOOK_SERVER": server_program},
    )
    try:
        assert process.stdout is not None
        assert process.stdout.readline().startswith("serving http://127.0.0.1:")
        process.send_signal(signal.SIGINT)
        assert process.wait(60) == 0
    finally:
        process.kill()
        process.communicate()
        herdbook("down", "--dir", str(directory))
    assert list(servers_on(directory / "data")) == []


def test_a_folder_of_the_project_hides_nothing_of_ours(
    tmp_path: Path, server_program: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A project may have a folder called `schema`; `up --detach` in it works."""
    (tmp_path / "schema").mkdir()
    (tmp_path / "schema" / "__init__.py").touch()
    monkeypatch.chdir(tmp_path)
    with node_up(tmp_path / "data", server_program) as told:
        assert caller(told).call("country.count") == 0


def test_the_call_of_a_stopped_node_says_that_nobody_answers(
    tmp_path: Path, server_program: str
) -> None:
    """After `down` a call is refused by the operating system, and the program says so."""
    with node_up(tmp_path / "data", server_program) as told:
        node = caller(told)
        with pytest.raises(CallFailed) as failed:
            node.call("country.nothing")
        assert failed.value.number == -32601
    gone = herdbook("call", "--url", told["rpc"], "country.count")
    assert gone.returncode == 1
    assert "cannot be reached" in gone.stderr
