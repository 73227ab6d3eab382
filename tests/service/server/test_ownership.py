"""A directory has one owner and one kind of server; what a killed node left is cleared."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from service.server import (
    DirectoryHeld,
    PrivateServer,
    Program,
    ServerFailed,
    ServerKind,
    WrongProgram,
)
from service.server.data import record_origin
from service.server.processes import end_process, servers_on
from service.server.versions import ServerVersion
from tests.service.server.helpers import (
    abandon_a_server,
    alive,
    ask,
    on_one_kind,
)


def test_a_server_left_by_a_killed_node_is_stopped_first(private: PrivateServer) -> None:
    """A node that was killed leaves its server running; the next start ends it and takes over."""
    left = abandon_a_server(private)
    assert alive(left)
    private.start()
    assert not alive(left)
    assert list(servers_on(private.layout.data)) == [private.pid]
    assert ask(private, "SELECT 1") == 1


def test_a_server_on_another_directory_is_left_alone(
    private: PrivateServer, server: PrivateServer
) -> None:
    """Only servers on this very directory are leftovers: another one of the same kind runs on."""
    before = server.pid
    private.start()
    assert (server.pid, ask(server, "SELECT 1")) == (before, 1)


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


def test_a_lock_on_the_socket_that_names_a_foreign_process_is_no_hindrance(
    private: PrivateServer,
) -> None:
    """A killed MySQL leaves its process id in a file; another process may have it by now."""
    private.start()
    private.kill()
    lock = private.layout.socket_lock
    assert lock.exists() is (private.program.kind is ServerKind.MYSQL)
    bystander = subprocess.Popen(["sleep", "60"])
    try:
        lock.write_text(f"{bystander.pid}\n")
        private.start()
        assert bystander.poll() is None
        assert ask(private, "SELECT 1") == 1
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


@on_one_kind
def test_the_program_that_wrote_the_data_is_chosen(
    private: PrivateServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without a program named, the directory's own kind of server is looked for."""
    monkeypatch.setenv("HERDBOOK_SERVER", str(private.program.path))
    with PrivateServer(private.directory) as chosen:
        assert chosen.program == private.program


@on_one_kind
def test_a_damaged_note_of_the_writer_is_refused(private: PrivateServer) -> None:
    """Where it is not known which server wrote the data, no server is let at them."""
    private.layout.origin.write_text('{"kind": "mari')
    with pytest.raises(WrongProgram, match=r"server\.json is damaged"):
        private.start()


def test_ending_a_process_that_is_gone_is_fine() -> None:
    """A process that ended by itself in the meantime is no error."""
    gone = subprocess.Popen(["true"])
    gone.wait()
    end_process(gone.pid, patience=1)
    assert not alive(gone.pid)
