"""The few statements a private server is asked by its owner, as root over its socket."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import MySQLdb

# A server that is starting or frozen must not hold up the one who asks.
CONNECT_SECONDS = 5
ANSWER_SECONDS = 60


def execute(socket: Path, statement: str) -> None:
    """Run one statement on a connection of its own. Raises MySQLdb.Error."""
    with (
        closing(
            MySQLdb.connect(
                user="root",
                unix_socket=str(socket),
                connect_timeout=CONNECT_SECONDS,
                read_timeout=ANSWER_SECONDS,
                charset="utf8mb4",
            )
        ) as connection,
        closing(connection.cursor()) as cursor,
    ):
        cursor.execute(statement)


def answers(socket: Path) -> bool:
    """Whether the server takes a connection and answers a query."""
    try:
        execute(socket, "SELECT 1")
    except MySQLdb.Error:
        return False
    return True


def create_database(socket: Path, name: str) -> None:
    """Make a database for UTF-8 text that compares byte by byte; leave one that is there."""
    options = "CHARACTER SET utf8mb4 COLLATE utf8mb4_bin"
    execute(socket, f"CREATE DATABASE IF NOT EXISTS {quoted(name)} {options}")


def drop_database(socket: Path, name: str) -> None:
    """Remove a database with all its tables; none of that name is fine."""
    execute(socket, f"DROP DATABASE IF EXISTS {quoted(name)}")


def quoted(name: str) -> str:
    """The name as an SQL identifier."""
    return "`" + name.replace("`", "``") + "`"
