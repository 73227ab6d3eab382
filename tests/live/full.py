"""Servers whose disk is full, and has room again."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import MySQLdb

from service.server import PrivateServer, ServerKind
from tests.servers.programs import program_of
from tests.service.store.tools import ask, raw_connection

TABLE_FULL = 1114
_MEGABYTES = 48
_DISK_MEGABYTES = 900
_MOST = 200
_PIECES = (2**20, 2**14, 2**8, 1)


class Disk(NamedTuple):
    """A running server, how its disk is filled, and how there is room again."""

    server: PrivateServer
    fill: Callable[[], None]
    free: Callable[[], None]


@contextmanager
def bounded_files(folder: Path, kind: ServerKind) -> Iterator[Disk]:
    """A server whose files of tables may not grow beyond a size, until it is started with more.

    Anybody may do that. It takes a restart, since what is full may not even drop a table.
    """
    file = "--innodb-data-file-path=ibdata1:12M:autoextend"
    options = ["--innodb-file-per-table=OFF", f"{file}:max:{_MEGABYTES}M"]
    server = PrivateServer(folder, program_of(kind), buffer_pool_megabytes=64, options=options)

    def free() -> None:
        server.stop()
        grown = [options[0], file]
        server.__init__(  # type: ignore[misc]
            folder, server.program, buffer_pool_megabytes=64, options=grown
        )
        server.start()

    with server:
        yield Disk(server, lambda: _fill_tables(server), free)


def _fill_tables(server: PrivateServer) -> None:
    """Write until the server has no space left, in smaller and smaller pieces."""
    server.create_database("ballast")
    with raw_connection(server.url("ballast")) as connection:
        ask(connection, "CREATE TABLE ballast (n SERIAL, piece LONGBLOB)")
        for size in _PIECES:
            for _ in range(_MOST):
                try:
                    ask(connection, "INSERT INTO ballast (piece) VALUES (REPEAT('x', %s))", (size,))
                except MySQLdb.Error as error:
                    assert error.args[0] == TABLE_FULL, error
                    break
            else:
                raise AssertionError("it is never full")


@contextmanager
def disk_of_its_own(folder: Path, kind: ServerKind) -> Iterator[Disk]:
    """A server on a file system that a ballast fills; only root can have one."""
    folder.mkdir()
    subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={_DISK_MEGABYTES}m", "herdbook-test", folder],
        check=True,
    )
    ballast = folder / "ballast"

    def fill() -> None:
        with ballast.open("wb", buffering=0) as file:
            try:
                while True:
                    file.write(bytes(2**16))
            except OSError:
                return

    try:
        with PrivateServer(folder / "server", program_of(kind), buffer_pool_megabytes=64) as server:
            yield Disk(server, fill, ballast.unlink)
    finally:
        subprocess.run(["umount", folder], check=True)


def can_mount() -> bool:
    """Whether a file system of one's own can be had here."""
    return os.geteuid() == 0
