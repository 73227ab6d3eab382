"""A private server starts, stops and comes back with its data, on both kinds of server."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import MySQLdb
import pytest

from service.server import PrivateServer, Program
from service.server.durability import SETTINGS, losses
from tests.service.server.helpers import (
    alive,
    ask,
    on_one_kind,
    write_a_row,
)
from tests.service.store.tools import raw_connection


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


def test_setting_up_leaves_the_temporary_files_of_others_alone(
    tmp_path: Path, program: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A MariaDB that starts removes what looks like its own; another may be set up beside it."""
    shared = tmp_path / "shared"
    shared.mkdir()
    of_another = shared / "#sql-temptable-129b-1-8.MAI"
    of_another.touch()
    monkeypatch.setenv("TMPDIR", str(shared))
    with PrivateServer(tmp_path / "node", program) as server:
        assert server.running
    assert of_another.exists()


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


def test_a_node_is_not_refused_on_the_server(server: PrivateServer) -> None:
    """Its settings lose nothing that was acknowledged."""
    with raw_connection(server.url("mysql")) as connection, connection.cursor() as cursor:
        cursor.execute(f"SHOW GLOBAL VARIABLES WHERE variable_name IN {SETTINGS}")
        assert losses(dict(cursor.fetchall())) == ()


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
    """`stop` wakes a frozen server, so that it ends in good order and not by force."""
    private.start()
    process = private._process
    private.freeze()
    private.stop()
    assert process is not None
    assert process.returncode == 0


def test_the_terminals_interrupt_does_not_reach_the_server(server: PrivateServer) -> None:
    """The server is in a session of its own: Ctrl-C in the terminal is for the node alone."""
    assert server.pid is not None
    assert os.getsid(server.pid) != os.getsid(0)
    assert os.getpgid(server.pid) != os.getpgid(0)


@on_one_kind
def test_stop_uses_force_where_the_server_does_not_end(private: PrivateServer) -> None:
    """A server that ignores the request to end is ended all the same, in bounded time."""
    private.start()
    stubborn = PrivateServer(private.directory, private.program, stop_seconds=0)
    stubborn._process = private._process
    stubborn.stop()
    assert private._process is not None
    assert private._process.returncode == -signal.SIGKILL


@on_one_kind
def test_a_long_log_is_put_aside(private: PrivateServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """The log does not grow for ever: a long one becomes the older of two."""
    private.start()
    private.stop()
    monkeypatch.setattr("service.server.layout.LOG_BYTES", 10)
    private.start()
    assert private.layout.log.with_suffix(".log.1").exists()


def test_temporary_files_are_kept_apart_from_other_servers(private: PrivateServer) -> None:
    """Its temporary folder is its own: a MariaDB that starts removes what it finds in one."""
    private.start()
    assert ask(private, "SELECT @@tmpdir") == str(private.directory / "tmp")
