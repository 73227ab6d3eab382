"""`up`, `down`, `serve` and `demo`, each as the process a user would start."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from service.server.processes import servers_on
from tests.live.node import CallFailed, NodeProcess
from tests.servers.programs import chosen_kinds, program_of

ROOT = Path(__file__).parents[3]
LIMIT_SECONDS = 240
MEMORY_KILOBYTES = 120 * 1024


@pytest.fixture(params=chosen_kinds(), ids=str)
def server_program(request: pytest.FixtureRequest) -> str:
    """The path of a server program; a test that takes it runs with each."""
    return str(program_of(request.param).path)


def herdbook(*arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
    """Run a command to its end."""
    return subprocess.run(
        [sys.executable, "-P", "-m", "service.cli.main", *arguments],
        capture_output=True,
        text=True,
        timeout=LIMIT_SECONDS,
        check=False,
        env=os.environ | {"PYTHONPATH": str(ROOT)} | settings,
    )


@contextmanager
def node_up(directory: Path, server_program: str, *more: str) -> Iterator[dict[str, Any]]:
    """A detached node, stopped at the end whatever happens."""
    started = herdbook(
        "up",
        "--dir",
        str(directory),
        "--port",
        "0",
        "--detach",
        "--json",
        *more,
        HERDBOOK_SERVER=server_program,
    )
    try:
        assert started.returncode == 0, started.stderr
        yield json.loads(started.stdout)
    finally:
        herdbook("down", "--dir", str(directory))


def caller(told: dict[str, Any]) -> NodeProcess:
    """Something to call a node with."""
    node = NodeProcess(Path(), "")
    node.rpc = told["rpc"]
    return node


def test_a_node_goes_up_serves_and_goes_down(tmp_path: Path, server_program: str) -> None:
    """One line tells where it is; it answers; after `down` nothing of it runs, and data stay."""
    directory = tmp_path / "data"
    with node_up(directory, server_program) as told:
        assert told.keys() >= {"rpc", "admin", "database", "dir", "pid"}
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


def test_a_port_in_use_is_said_with_what_to_do(tmp_path: Path, server_program: str) -> None:
    """The message names the listener and the port; the database server is stopped again."""
    directory = tmp_path / "data"
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        refused = herdbook(
            "up", "--dir", str(directory), "--port", port, HERDBOOK_SERVER=server_program
        )
    assert refused.returncode == 1
    assert f"listen.rpc = tcp:{port}:" in refused.stderr
    assert "Choose another port" in refused.stderr
    assert "Traceback" not in refused.stderr
    assert list(servers_on(directory / "data")) == []


def test_a_detached_node_that_does_not_start_says_why_as_one_in_front_does(
    tmp_path: Path, server_program: str
) -> None:
    """With --json the error has the same code, detached or not."""
    codes = set()
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        for more in ([], ["--detach"]):
            arguments = ["up", "--dir", str(tmp_path / "data"), "--port", port, "--json", *more]
            refused = herdbook(*arguments, HERDBOOK_SERVER=server_program)
            assert refused.returncode == 1
            error = json.loads(refused.stderr.splitlines()[-1])["error"]
            assert f"tcp:{port}:" in error["message"]
            codes.add(error["code"])
    assert len(codes) == 1


def test_a_folder_with_something_else_in_it_is_left_alone(
    tmp_path: Path, server_program: str
) -> None:
    """A `data` that is no database is not taken for one, and nothing is written into it."""
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "thesis.txt").write_text("years of work")
    refused = herdbook("up", "--dir", str(tmp_path), HERDBOOK_SERVER=server_program)
    assert refused.returncode == 1
    assert "is not the data of a database server" in refused.stderr
    assert [path.name for path in (tmp_path / "data").iterdir()] == ["thesis.txt"]


@pytest.mark.parametrize("command", [["up", "--dir"], ["schema", "status", "--dir"]])
def test_a_directory_that_cannot_be_used_is_said_in_a_sentence(
    tmp_path: Path, command: list[str]
) -> None:
    """A file in its place, or an empty name, is an error that says what to do."""
    (tmp_path / "file").touch()
    settings = {"HERDBOOK_NODE_RECORDS": "examples.gazetteer.records"}
    inside = herdbook(*command, str(tmp_path / "file" / "data"), **settings)
    assert inside.returncode == 1
    assert "cannot be used" in inside.stderr
    assert "unexpected" not in inside.stderr


def test_an_empty_directory_name_is_refused() -> None:
    """That of a shell variable which is not set does not become the current folder."""
    refused = herdbook("up", "--dir", "")
    assert refused.returncode == 2
    assert "empty" in refused.stderr


def test_what_is_wrong_with_the_configuration_is_told_before_a_server_is_made(
    tmp_path: Path, server_program: str
) -> None:
    """A typo costs no database."""
    (tmp_path / "herdbook.toml").write_text('[node]\nrecord = "x"\n')
    refused = herdbook(
        "up",
        "--dir",
        str(tmp_path / "data"),
        "--config",
        str(tmp_path / "herdbook.toml"),
        HERDBOOK_SERVER=server_program,
    )
    assert refused.returncode == 1
    assert "did you mean records?" in refused.stderr
    assert not (tmp_path / "data").exists()


def test_the_project_is_found_from_its_configuration(tmp_path: Path, server_program: str) -> None:
    """`up --config` works from any folder: the record module lies beside the file."""
    (tmp_path / "stables.py").write_text(
        "from records import *\n\nclass Stable(Record):\n    name = Text(length=9)\n"
    )
    (tmp_path / "herdbook.toml").write_text('[node]\nrecords = "stables"\nmigrations = "m"\n')
    (tmp_path / "m").mkdir()
    shared = ["--config", str(tmp_path / "herdbook.toml"), "--dir", str(tmp_path / "data")]
    for arguments in (["upgrade"], ["revision", "-m", "stables"]):
        done = herdbook("schema", *arguments, *shared, HERDBOOK_SERVER=server_program)
        assert done.returncode == 0, done.stderr
    with node_up(tmp_path / "data", server_program, *shared[:2]) as told:
        assert caller(told).call("stable.count") == 0


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


def test_a_wrong_record_module_is_told_before_anything_is_served(
    tmp_path: Path, server_program: str
) -> None:
    """Every mistake of the declaration comes back, and no server is left running."""
    (tmp_path / "broken_records.py").write_text(
        "from records import Record, Reference, Text\n"
        "class Cow(Record):\n"
        "    name = Text(length=0)\n"
        '    stable = Reference("Stable")\n'
    )
    directory = tmp_path / "data"
    refused = herdbook(
        "up",
        "--dir",
        str(directory),
        "--records",
        "broken_records",
        HERDBOOK_SERVER=server_program,
        PYTHONPATH=f"{ROOT}:{tmp_path}",
    )
    assert refused.returncode == 1
    assert "Cow.name: length must be" in refused.stderr
    assert "Cow.stable: there is no record class 'Stable'" in refused.stderr
    assert list(servers_on(directory / "data")) == []


def test_serve_refuses_a_schema_that_is_behind(tmp_path: Path, database: str) -> None:
    """An empty database is not served; the message names the command that helps."""
    refused = herdbook(
        "serve",
        HERDBOOK_NODE_RECORDS="examples.gazetteer.records",
        HERDBOOK_DATABASE_URL=database,
        HERDBOOK_LISTEN_RPC="tcp:0:interface=127.0.0.1",
        HERDBOOK_LISTEN_ADMIN="tcp:0:interface=127.0.0.1",
    )
    assert refused.returncode == 3
    assert "herdbook schema upgrade" in refused.stderr


def test_serve_says_when_there_is_no_server(tmp_path: Path) -> None:
    """A database that is down is told in one message, without a traceback."""
    refused = herdbook(
        "serve",
        HERDBOOK_NODE_RECORDS="examples.gazetteer.records",
        HERDBOOK_DATABASE_URL=f"mysql://root@localhost/x?unix_socket={tmp_path}/none.sock",
    )
    assert refused.returncode == 1
    assert "The database server cannot be reached" in refused.stderr
    assert "Traceback" not in refused.stderr


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_what_is_ended_while_it_starts_leaves_nothing(
    tmp_path: Path, server_program: str, number: signal.Signals
) -> None:
    """A demo that is asked to end at any moment of its start takes node and server along."""
    directory = tmp_path / "herd"
    for pause in (0.3, 1.0, 2.5):
        process = subprocess.Popen(
            [sys.executable, "-m", "service.cli.main", "demo", "--dir", str(directory)],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            env=os.environ | {"PYTHONPATH": str(ROOT), "HERDBOOK_SERVER": server_program},
        )
        time.sleep(pause)
        process.send_signal(number)
        process.wait(90)
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


@pytest.mark.slow
def test_the_demo_ends_with_everything_stopped_and_said(
    tmp_path: Path, server_program: str
) -> None:
    """All countries and cities are loaded, each step answers, and no server is left."""
    done = herdbook(
        "demo", "--once", "--json", "--dir", str(tmp_path), HERDBOOK_SERVER=server_program
    )
    assert done.returncode == 0, done.stderr
    steps = [json.loads(line) for line in done.stdout.splitlines()]
    answers = {step["method"]: step for step in steps}
    assert answers["city.count"]["result"] > 30_000
    assert len(answers["country.cities.list"]["result"]["records"]) == 3
    assert [step["method"] for step in steps if "error" in step] == ["country.update"]
    assert answers["city.get"]["result"] == [None]
    assert list(servers_on(tmp_path / "data")) == []


def new_country(code: str) -> dict[str, Any]:
    """A country that the gazetteer does not have."""
    return {
        "code": code,
        "code3": f"{code}X",
        "number": 999,
        "name": "Herdland",
        "continent": "EU",
        "area_km2": 1,
        "languages": [],
        "neighbours": [],
    }


def resident_kilobytes(pid: int) -> int:
    """How much memory a process holds."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.partition("VmRSS:")[2].split()[0])


def wait_until_gone(pid: int) -> None:
    """Wait for a killed process to be taken away."""
    for _ in range(200):
        if not Path(f"/proc/{pid}").exists() or "State:\tZ" in _status(pid):
            return
        time.sleep(0.05)
    raise AssertionError(f"process {pid} is still there")


def _status(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return "State:\tZ"


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
