"""A private server starts, stops and comes back with its data, on both kinds of server."""

from __future__ import annotations

import functools
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import MySQLdb
import pytest

from service.server import (
    DirectoryHeld,
    DirectoryUnusable,
    PrivateServer,
    Program,
    ServerFailed,
    ServerKind,
    WrongProgram,
)
from service.server.data import record_origin
from service.server.layout import SOCKET_PATH_BYTES
from service.server.options import INSTALLER
from service.server.processes import servers_on
from service.server.versions import ServerVersion
from tests.conftest import chosen_kinds, program_of

NOBODY = 65534


@pytest.fixture(params=chosen_kinds(), ids=str)
def program(request: pytest.FixtureRequest) -> Program:
    """Each kind of server program in turn."""
    return program_of(request.param)


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Program], Path]:
    """A directory for each program that is set up already, for copying: that saves seconds."""

    @functools.cache
    def directory(program: Program) -> Path:
        path = tmp_path_factory.mktemp(program.kind)
        with PrivateServer(path, program):
            return path

    return directory


@pytest.fixture
def private(
    tmp_path: Path, program: Program, prepared: Callable[[Program], Path]
) -> Iterator[PrivateServer]:
    """A server of the test's own, set up but not started, ended after the test at the latest."""
    shutil.copytree(prepared(program), tmp_path / "node")
    own = PrivateServer(tmp_path / "node", program)
    yield own
    own.thaw()
    own.stop()


# For what does not depend on the kind of server: one of them is enough.
on_one_kind = pytest.mark.parametrize("program", chosen_kinds()[:1], indirect=True, ids=str)


def ask(server: PrivateServer, statement: str, database: str = "mysql") -> Any:
    """The first column of the first row that the statement gives; the statement is committed."""
    with (
        closing(
            MySQLdb.connect(
                user="root",
                unix_socket=str(server.socket),
                database=database,
                connect_timeout=2,
                read_timeout=2,
            )
        ) as connection,
        closing(connection.cursor()) as cursor,
    ):
        cursor.execute(statement)
        row = cursor.fetchone()
        connection.commit()
        return row[0] if row else None


def write_a_row(server: PrivateServer) -> None:
    """Leave one committed row behind in the database `kept`."""
    server.create_database("kept")
    ask(server, "CREATE TABLE herd (name VARCHAR(20))", "kept")
    ask(server, "INSERT INTO herd VALUES ('Bessie')", "kept")


def alive(pid: int) -> bool:
    """Whether a process of this id runs (a zombie does not)."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


@contextmanager
def as_ordinary_user() -> Iterator[None]:
    """Without root's rights for the time of the block, as root may write everywhere."""
    user = os.geteuid()
    os.seteuid(user or NOBODY)
    try:
        yield
    finally:
        os.seteuid(user)


def abandon_a_server(private: PrivateServer) -> int:
    """Start a server from another process that then dies by force; the server's id."""
    code = (
        "import sys; from pathlib import Path\n"
        "from service.server import PrivateServer, inspect_program\n"
        "server = PrivateServer(Path(sys.argv[1]), inspect_program(Path(sys.argv[2])))\n"
        "server.start(); print(server.pid, flush=True); sys.stdin.read()\n"
    )
    node = subprocess.Popen(
        [sys.executable, "-c", code, str(private.directory), str(private.program.path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[3],
    )
    with node:
        assert node.stdout is not None
        pid = int(node.stdout.readline())
        node.kill()
    return pid


def test_data_survive_a_stop_and_a_start(private: PrivateServer) -> None:
    """What was committed before the server was stopped is there when it runs again."""
    private.start()
    write_a_row(private)
    private.restart()
    assert ask(private, "SELECT name FROM herd", "kept") == "Bessie"


def test_committed_data_survive_a_kill(private: PrivateServer) -> None:
    """A server that is killed loses nothing that was committed."""
    private.start()
    write_a_row(private)
    private.kill()
    assert not private.running
    private.start()
    assert ask(private, "SELECT name FROM herd", "kept") == "Bessie"


def test_the_server_is_durable_quiet_and_speaks_utf8(server: PrivateServer) -> None:
    """Commits are flushed, no network port is open, text is utf8mb4 compared byte by byte."""
    expected = {
        "innodb_flush_log_at_trx_commit": 1,
        "skip_networking": 1,
        "log_bin": 0,
        "performance_schema": 0,
        "collation_server": "utf8mb4_bin",
        "innodb_buffer_pool_size": 128 * 2**20,
        "log_bin_trust_function_creators": 1,
    }
    assert {name: ask(server, f"SELECT @@{name}") for name in expected} == expected
    assert ask(server, "SELECT @@innodb_doublewrite") in {1, "ON"}


def test_a_created_database_compares_text_byte_by_byte(server: PrivateServer) -> None:
    """A database made here has utf8mb4_bin, whatever its name; making it twice is fine."""
    for _ in range(2):
        server.create_database("odd `name`")
    assert ask(server, "SELECT @@collation_database", "odd `name`") == "utf8mb4_bin"
    server.drop_database("odd `name`")
    with pytest.raises(MySQLdb.Error, match="Unknown database"):
        ask(server, "SELECT 1", "odd `name`")


def test_nobody_else_can_reach_the_socket(server: PrivateServer) -> None:
    """The folder of the socket is closed to other users, as root has no password."""
    assert server.socket.parent.stat().st_mode & 0o077 == 0
    assert server.layout.data.stat().st_mode & 0o077 in {0, 0o050}


def test_a_stopped_server_is_gone_and_may_be_stopped_again(private: PrivateServer) -> None:
    """After `stop` there is no process, and a second `stop` does nothing."""
    private.start()
    pid = private.pid
    assert pid is not None
    private.stop()
    private.stop()
    assert not alive(pid)
    assert private.pid is None


def test_a_frozen_server_is_alive_but_silent_until_thawed(private: PrivateServer) -> None:
    """A frozen server answers nothing; thawed, it answers again."""
    private.start()
    private.freeze()
    with pytest.raises(MySQLdb.Error):
        ask(private, "SELECT 1")
    assert private.running
    private.thaw()
    assert ask(private, "SELECT 1") == 1


def test_a_frozen_server_can_still_be_stopped(private: PrivateServer) -> None:
    """`stop` wakes a frozen server, so that it ends in good order."""
    private.start()
    pid = private.pid
    assert pid is not None
    private.freeze()
    private.stop()
    assert not alive(pid)


def test_the_terminals_interrupt_does_not_reach_the_server(server: PrivateServer) -> None:
    """The server is in a session of its own: Ctrl-C in the terminal is for the node alone."""
    assert server.pid is not None
    assert os.getsid(server.pid) != os.getsid(0)
    assert os.getpgid(server.pid) != os.getpgid(0)


def test_a_server_left_by_a_killed_node_is_stopped_first(private: PrivateServer) -> None:
    """A node that was killed leaves its server running; the next start ends it and takes over."""
    left = abandon_a_server(private)
    assert alive(left)
    private.start()
    assert not alive(left)
    assert list(servers_on(private.layout.data)) == [private.pid]
    assert ask(private, "SELECT 1") == 1


@on_one_kind
def test_a_foreign_process_is_not_taken_for_a_leftover(
    private: PrivateServer, tmp_path: Path
) -> None:
    """A process whose id stands in the pid file, or that stands in the folder, is left alone."""
    private.start()
    private.stop()
    bystander = subprocess.Popen(["sleep", "60"], cwd=private.layout.data)
    try:
        private.layout.pid_file.write_text(f"{bystander.pid}\n")
        private.start()
        assert bystander.poll() is None
    finally:
        bystander.kill()
        bystander.wait()


def test_a_second_owner_is_refused(server: PrivateServer) -> None:
    """Two nodes on one directory: the second is told who holds it, and the first goes on."""
    second = PrivateServer(server.directory, server.program)
    with pytest.raises(DirectoryHeld, match=rf"in use by another process \(id {os.getpid()}\)"):
        second.start()
    assert ask(server, "SELECT 1") == 1


@on_one_kind
def test_data_that_a_strangers_server_has_open_are_refused(private: PrivateServer) -> None:
    """A server that somebody started by hand on the same data is named as the reason, at once."""
    private.start()
    private.stop()
    code = (
        "import fcntl, sys; file = open(sys.argv[1], 'r+b'); fcntl.lockf(file, fcntl.LOCK_EX)\n"
        "print('held', flush=True); sys.stdin.read()"
    )
    stranger = subprocess.Popen(
        [sys.executable, "-c", code, str(private.layout.data / "ibdata1")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    with stranger:
        assert stranger.stdout is not None
        stranger.stdout.readline()
        with pytest.raises(DirectoryHeld, match="Another database server has the data"):
            private.start()
        stranger.kill()


@on_one_kind
def test_the_lock_is_free_after_a_failed_start(private: PrivateServer) -> None:
    """A start that failed does not block the next one."""
    broken = PrivateServer(private.directory, private.program, options=["--no-such-option"])
    with pytest.raises(ServerFailed):
        broken.start()
    private.start()
    assert ask(private, "SELECT 1") == 1


def test_a_path_too_long_for_a_socket_works(tmp_path: Path, program: Program) -> None:
    """A deep directory still works: the socket then lies in a short folder of its own."""
    deep = tmp_path / ("d" * 60) / ("e" * 60)
    assert len(os.fsencode(deep / "run" / "mysql.sock")) > SOCKET_PATH_BYTES
    with PrivateServer(deep, program) as server:
        assert ask(server, "SELECT 1") == 1
        assert len(os.fsencode(server.socket)) <= SOCKET_PATH_BYTES
        assert server.socket.parent.stat().st_mode & 0o777 == 0o700
        folder = server.socket.parent
    assert not folder.exists()


@on_one_kind
def test_a_failed_start_on_a_long_path_leaves_no_folder(tmp_path: Path, program: Program) -> None:
    """The short folder of the socket goes away when the server does not start."""
    deep = tmp_path / ("d" * 60) / ("e" * 60)
    broken = PrivateServer(deep, program, options=["--no-such-option"])
    with pytest.raises(ServerFailed):
        broken.start()
    assert not broken.socket.parent.exists()


def test_a_path_with_spaces_and_umlauts_works(tmp_path: Path, program: Program) -> None:
    """Signs that mean something to a shell or a URL are no trouble in the directory's name."""
    with PrivateServer(tmp_path / "Höfe & Ställe 100%", program) as server:
        assert ask(server, "SELECT 1") == 1
        assert " " not in server.url("herd")


def test_a_server_that_dies_shows_the_end_of_its_log(private: PrivateServer) -> None:
    """The error of a failed start holds what the server itself said."""
    broken = PrivateServer(private.directory, private.program, options=["--no-such-option=7"])
    with pytest.raises(ServerFailed, match="no-such-option") as caught:
        broken.start()
    assert "ended before it was ready" in str(caught.value)
    assert not broken.running


@on_one_kind
def test_a_server_that_does_not_answer_in_time_is_ended(tmp_path: Path, program: Program) -> None:
    """A start is bounded: the server that took too long is gone, and the error says how long."""
    hasty = PrivateServer(tmp_path / "node", program, start_seconds=0)
    with pytest.raises(ServerFailed, match="did not answer within 0 seconds"):
        hasty.start()
    assert list(servers_on(hasty.layout.data)) == []


@on_one_kind
def test_an_interrupted_set_up_is_begun_again(tmp_path: Path, program: Program) -> None:
    """A half-made data directory is not taken for a whole one."""
    fresh = PrivateServer(tmp_path / "node", program)
    fresh.layout.unfinished.mkdir(parents=True)
    (fresh.layout.unfinished / "ibdata1").write_text("half")
    with fresh:
        assert ask(fresh, "SELECT 1") == 1
    assert not fresh.layout.unfinished.exists()


def test_a_failed_set_up_shows_why_and_leaves_no_data_directory(
    tmp_path: Path, program: Program
) -> None:
    """Where the set-up fails, the error holds the program's words, and nothing looks finished."""
    for name in ("sbin/server", f"bin/{INSTALLER}"):
        script = tmp_path / name
        script.parent.mkdir()
        script.write_text("#!/bin/sh\necho The disk is on fire >&2\nexit 1\n")
        script.chmod(0o755)
    broken = PrivateServer(
        tmp_path / "node", Program(tmp_path / "sbin" / "server", program.version)
    )
    with pytest.raises(ServerFailed, match="The disk is on fire"):
        broken.start()
    assert not broken.layout.data.exists()


@on_one_kind
def test_data_of_another_kind_of_server_are_refused(private: PrivateServer) -> None:
    """A directory that MariaDB wrote is not opened with MySQL, nor the other way round."""
    private.start()
    private.stop()
    other = {ServerKind.MARIADB: ServerKind.MYSQL, ServerKind.MYSQL: ServerKind.MARIADB}
    foreign = Program(private.program.path, ServerVersion(other[private.program.kind], (99, 0, 0)))
    with pytest.raises(WrongProgram, match=r"were written by .* cannot read them"):
        PrivateServer(private.directory, foreign).start()


@on_one_kind
def test_data_of_a_newer_server_are_refused(private: PrivateServer) -> None:
    """An older server does not open what a newer one wrote."""
    private.start()
    private.stop()
    newer = Program(private.program.path, ServerVersion(private.program.kind, (99, 1, 0)))
    record_origin(newer, private.layout)
    with pytest.raises(WrongProgram, match=r"written by \w+ 99\.1\.0"):
        private.start()


def test_a_directory_without_write_permission_is_refused(tmp_path: Path) -> None:
    """A directory this user may not write to gives an error that names it, and no traceback."""
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o500)
    unused = Program(Path("/bin/false"), ServerVersion(ServerKind.MYSQL, (9, 0, 0)))
    with (
        as_ordinary_user(),
        pytest.raises(DirectoryUnusable, match=r"cannot be used .* Permission denied") as caught,
    ):
        PrivateServer(closed / "node", unused).start()
    assert str(closed) in str(caught.value)


@on_one_kind
def test_a_file_in_the_directorys_place_is_refused(tmp_path: Path, program: Program) -> None:
    """A file where the directory should be gives an error that names it."""
    (tmp_path / "node").write_text("not a directory")
    with pytest.raises(DirectoryUnusable, match="node"):
        PrivateServer(tmp_path / "node", program).start()


@on_one_kind
def test_a_full_disk_is_refused_before_anything_is_written(
    tmp_path: Path, program: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where a new data directory would not fit, the error says how much room there is."""
    monkeypatch.setattr("service.server.layout.NEEDED_MEGABYTES", 10**9)
    with pytest.raises(DirectoryUnusable, match=r"Only \d+ MB are free"):
        PrivateServer(tmp_path / "node", program).start()
    assert not (tmp_path / "node" / "data").exists()


@on_one_kind
def test_a_long_log_is_put_aside(private: PrivateServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """The log does not grow for ever: a long one becomes the older of two."""
    private.start()
    private.stop()
    monkeypatch.setattr("service.server.layout.LOG_BYTES", 10)
    private.start()
    assert private.layout.log.with_suffix(".log.1").exists()


@on_one_kind
def test_stop_uses_force_where_the_server_does_not_end(private: PrivateServer) -> None:
    """A server that ignores the request to end is ended all the same, in bounded time."""
    private.start()
    stubborn = PrivateServer(private.directory, private.program, stop_seconds=0)
    stubborn._process = private._process
    stubborn.stop()
    assert private._process is not None
    assert private._process.returncode == -signal.SIGKILL
