"""Odd paths work; a server that cannot be set up or started says why and leaves nothing behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from service.server import (
    DirectoryUnusable,
    PrivateServer,
    Program,
    ProgramMissing,
    ServerFailed,
    ServerKind,
)
from service.server.layout import SOCKET_PATH_BYTES
from service.server.options import INSTALLER
from service.server.processes import end_process, servers_on
from service.server.versions import ServerVersion
from tests.service.server.helpers import (
    alive,
    as_ordinary_user,
    ask,
    on_one_kind,
    until,
)


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


_SET_UP = """
import sys
from pathlib import Path
from service.server import PrivateServer
from service.server.find import inspect_program
PrivateServer(Path(sys.argv[1]), inspect_program(Path(sys.argv[2]))).start()
"""


def test_what_a_killed_set_up_left_running_is_ended(tmp_path: Path, program: Program) -> None:
    """It would write into files that are removed, and its words would fill the disk."""
    fresh = PrivateServer(tmp_path, program)
    words = [sys.executable, "-c", _SET_UP, str(tmp_path), str(program.path)]
    with subprocess.Popen(words) as first:
        until(lambda: any(servers_on(fresh.layout.unfinished)))
        first.kill()
    left = list(servers_on(fresh.layout.unfinished))
    assert left
    # Held still, it cannot end by itself for want of its files.
    for pid in left:
        os.kill(pid, signal.SIGSTOP)
    with fresh:
        assert ask(fresh, "SELECT 1") == 1
    still = [pid for pid in left if alive(pid)]
    for pid in still:
        end_process(pid, 0)
    assert still == []


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


@pytest.fixture
def shared_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> PrivateServer:
    """A server whose socket goes to a folder where others may have been first."""
    monkeypatch.setattr("service.server.layout.SOCKET_PATH_BYTES", 20)
    monkeypatch.setattr("service.server.layout._short_folder", lambda _: tmp_path / "short")
    unused = Program(Path("/bin/false"), ServerVersion(ServerKind.MYSQL, (9, 0, 0)))
    return PrivateServer(tmp_path / "node", unused)


def test_a_link_in_the_socket_folders_place_is_not_followed(
    shared_folder: PrivateServer, tmp_path: Path
) -> None:
    """A stranger's link under the name of the socket's folder is refused."""
    (tmp_path / "elsewhere").mkdir()
    shared_folder.socket.parent.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(DirectoryUnusable, match="It belongs to somebody else"):
        shared_folder.start()


def test_a_socket_folder_of_somebody_else_is_refused(
    shared_folder: PrivateServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A folder that another user made under that name is refused."""
    monkeypatch.setattr(os, "getuid", lambda: 4_294_967)
    shared_folder.socket.parent.mkdir()
    with pytest.raises(DirectoryUnusable, match="It belongs to somebody else"):
        shared_folder.start()


def test_a_mariadb_without_its_set_up_script_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Half an installation says which package is missing."""
    monkeypatch.setenv("PATH", str(tmp_path))
    alone = Program(tmp_path / "sbin" / "x", ServerVersion(ServerKind.MARIADB, (10, 11, 0)))
    with pytest.raises(ProgramMissing, match=f"{INSTALLER} was not found beside"):
        PrivateServer(tmp_path / "node", alone).start()
