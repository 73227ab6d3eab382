"""What keeps a node from starting is told with what to do, and nothing is left running."""

from __future__ import annotations

import json
import re
import shlex
import socket
from contextlib import suppress
from pathlib import Path

import pytest

from schema.errors import SchemaBehind
from service.cli.advice import hints_about
from service.cli.embedded import Embedded
from service.cli.output import Output
from service.cli.place import Place
from service.config import DEFAULT_FILE
from service.server.processes import servers_on
from tests.live.node import RECORDS, migrate
from tests.service.cli.nodes import ROOT, caller, herdbook, node_up


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


def test_a_socket_in_use_is_called_a_socket(tmp_path: Path, server_program: str) -> None:
    """Somebody else listens at the path already."""
    path = tmp_path / "rpc.sock"
    with socket.socket(socket.AF_UNIX) as taken:
        taken.bind(str(path))
        taken.listen()
        refused = herdbook(
            "up",
            "--dir",
            str(tmp_path / "data"),
            HERDBOOK_SERVER=server_program,
            HERDBOOK_LISTEN_RPC=f"unix:{path}",
        )
    assert refused.returncode == 1
    assert f"listen.rpc = unix:{path}: " in refused.stderr
    assert "Choose another socket" in refused.stderr


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


@pytest.mark.parametrize("command", [["up", "--dir"], ["schema", "upgrade", "--dir"]])
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


@pytest.mark.parametrize("command", [["status"], ["check"], ["sql"], ["recapture"]])
def test_only_upgrade_sets_up_a_server_where_none_was(tmp_path: Path, command: list[str]) -> None:
    """A misspelt directory stays what it is, and the message says which commands make one."""
    settings = {"HERDBOOK_NODE_RECORDS": "examples.gazetteer.records"}
    for name in ("typo", "empty"):
        directory = tmp_path / name
        if name == "empty":
            directory.mkdir()
        refused = herdbook("schema", *command, "--dir", str(directory), **settings)
        assert refused.returncode == 1
        assert f"no node's database is in {directory}" in refused.stderr
        assert f"`herdbook up --dir {directory}`" in refused.stderr
        assert f"`herdbook schema upgrade --dir {directory}`" in refused.stderr
    assert list(tmp_path.rglob("*")) == [tmp_path / "empty"]


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
        HERDBOOK_LISTEN_STREAM="tcp:0:interface=127.0.0.1",
    )
    assert refused.returncode == 3
    assert "herdbook schema upgrade" in refused.stderr


@pytest.mark.parametrize("given", ["option", "variable"])
def test_serve_names_the_configuration_in_its_hints(
    tmp_path: Path, database: str, given: str
) -> None:
    """However the file was named, the command in the hint is about the same database."""
    file = tmp_path / "my herd.toml"
    file.write_text(
        f'[node]\nrecords = "examples.gazetteer.records"\n[database]\nurl = "{database}"\n'
    )
    if given == "option":
        refused = herdbook("serve", "--config", str(file))
    else:
        refused = herdbook("serve", HERDBOOK_CONFIG=str(file))
    assert refused.returncode == 3
    assert f"herdbook schema upgrade --config {shlex.quote(str(file))}`" in refused.stderr


def test_serve_says_when_there_is_no_server(tmp_path: Path) -> None:
    """A database that is down is told in one message, without a traceback."""
    refused = herdbook(
        "serve",
        HERDBOOK_NODE_RECORDS="examples.gazetteer.records",
        HERDBOOK_DATABASE_URL=f"mysql://root@localhost/x?unix_socket={tmp_path}/none.sock",
    )
    assert refused.returncode == 1
    assert f"The database server at {tmp_path}/none.sock cannot be reached (" in refused.stderr
    assert "Traceback" not in refused.stderr


def test_classes_that_no_revision_made_are_not_served(tmp_path: Path, server_program: str) -> None:
    """A declared table that is missing is told, with the command that writes the revision."""
    (tmp_path / "m").mkdir()
    (tmp_path / "stables.py").write_text(
        "from records import *\n\nclass Stable(Record):\n    name = Text(length=9)\n"
    )
    (tmp_path / "herdbook.toml").write_text('[node]\nrecords = "stables"\nmigrations = "m"\n')
    config = ["--config", str(tmp_path / "herdbook.toml")]
    refused = herdbook(
        "up", "--dir", str(tmp_path / "data"), *config, HERDBOOK_SERVER=server_program
    )
    assert refused.returncode == 3
    assert "table stable is declared and not in the database" in refused.stderr
    assert list(servers_on(tmp_path / "data" / "data")) == []
    # What it says is what helps, as it stands there and from wherever it is run.
    revision, upgrade = map(shlex.split, re.findall(r"`herdbook ([^`]*)`", refused.stderr))
    assert revision[:2] == ["schema", "revision"]
    message = [] if "-m" in revision else ["-m", "stables"]
    for command in ([*revision, *message], upgrade):
        done = herdbook(*command, HERDBOOK_SERVER=server_program)
        assert done.returncode == 0, done.stderr
    with node_up(tmp_path / "data", server_program, *config) as told:
        assert caller(told).call("stable.count") == 0


def test_commands_in_hints_name_the_place_and_the_project() -> None:
    """Whatever stood on the command line of `up`, quoted where a shell needs it; nothing twice."""
    place = Place(Path("/srv/my herd"))
    output = Output(False)
    given = {"node.records": "garden.records", "listen.rpc": "tcp:1"}
    node = Embedded(place, Path(DEFAULT_FILE), given, output)
    with pytest.raises(SchemaBehind) as told, hints_about(node.same_place()):
        raise SchemaBehind("It is behind.")
    assert told.value.hint == (
        "Run `herdbook schema upgrade --dir '/srv/my herd' --records garden.records`."
    )
    elsewhere = node.same_place(from_anywhere=True)
    assert elsewhere[2:4] == ["--config", str(Path(DEFAULT_FILE).absolute())]
    with pytest.raises(SchemaBehind) as told, hints_about([]):
        raise SchemaBehind("It is behind.")
    assert told.value.hint == "Run `herdbook schema upgrade`."


def test_a_default_port_that_is_taken_is_said_with_the_key_that_moves_it(
    tmp_path: Path, database: str
) -> None:
    """As for a configuration from before there was a stream: nothing in it names that port."""
    migrate(tmp_path, database)
    settings = {
        "HERDBOOK_NODE_RECORDS": RECORDS,
        "HERDBOOK_NODE_MIGRATIONS": str(tmp_path / "migrations"),
        "HERDBOOK_DATABASE_URL": database,
        "HERDBOOK_LISTEN_RPC": "tcp:0:interface=127.0.0.1",
        "HERDBOOK_LISTEN_ADMIN": "tcp:0:interface=127.0.0.1",
    }
    with socket.socket() as taken:
        # Where it cannot be had here, somebody else has it.
        with suppress(OSError):
            taken.bind(("127.0.0.1", 8652))
            taken.listen()
        refused = herdbook("serve", **settings)
    assert refused.returncode == 1
    assert "listen.stream = tcp:8652:interface=127.0.0.1, the default" in refused.stderr
    assert "under [listen]" in refused.stderr
    assert "HERDBOOK_LISTEN_STREAM" in refused.stderr
    assert "unix:" in refused.stderr
