"""Servers whose disk is full, and has room again."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

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


class _Bounded(PrivateServer):
    """A server whose files of tables may not grow beyond a size."""

    def __init__(self, folder: Path, kind: ServerKind) -> None:
        file = "--innodb-data-file-path=ibdata1:12M:autoextend"
        options = ["--innodb-file-per-table=OFF", f"{file}:max:{_MEGABYTES}M"]
        super().__init__(folder, program_of(kind), buffer_pool_megabytes=64, options=options)
        self._more = [options[0], file]

    def fill(self) -> None:
        """Write until there is no space left, in smaller and smaller pieces."""
        self.create_database("ballast")
        with raw_connection(self.url("ballast")) as connection:
            ask(connection, "CREATE TABLE ballast (n SERIAL, piece LONGBLOB)")
            for size in _PIECES:
                _write_until_full(connection, size)

    def free(self) -> None:
        """Start it without the bound: what is full may not even drop a table."""
        self.stop()
        self._options = self._more
        self.start()


@contextmanager
def bounded_files(folder: Path, kind: ServerKind) -> Iterator[Disk]:
    """A server whose files may not grow, until it is started again. Anybody may have one."""
    with _Bounded(folder, kind) as server:
        yield Disk(server, server.fill, server.free)


def _write_until_full(connection: Any, size: int) -> None:
    insert = "INSERT INTO ballast (piece) VALUES (REPEAT('x', %s))"
    for _ in range(_MOST):
        try:
            ask(connection, insert, (size,))
        except MySQLdb.Error as error:
            if error.args[0] != TABLE_FULL:
                raise
            return
    raise AssertionError("it is never full")


@contextmanager
def disk_of_its_own(folder: Path, kind: ServerKind) -> Iterator[Disk]:
    """A server on a file system that a ballast fills; only root can have one."""
    folder.mkdir()
    subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={_DISK_MEGABYTES}m", "herdbook-test", str(folder)],
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
        subprocess.run(["umount", str(folder)], check=True)


def mounting_fails(folder: Path) -> str | None:
    """Why there can be no file system of one's own here; None where there can."""
    if os.geteuid() != 0:
        return "only root can mount"
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=1m", "herdbook-test", str(folder)]
    tried = subprocess.run(command, capture_output=True, text=True, check=False)
    if tried.returncode:
        return tried.stderr.strip()
    subprocess.run(["umount", str(folder)], check=True)
    return None
