"""What the tests of private servers ask and do."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import MySQLdb
import pytest

from service.server import PrivateServer
from tests.servers.programs import chosen_kinds

NOBODY = 65534

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


def until(condition: Callable[[], bool], seconds: float = 60) -> None:
    """Wait for something that another process does; fails when it takes too long."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.005)


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
