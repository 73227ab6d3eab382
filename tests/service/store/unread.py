"""MariaDB's table cache with triggers that were read only in part, made on purpose."""

from __future__ import annotations

from typing import Any

import MySQLdb

from tests.service.store.tools import ask, raw_connection, read

STATEMENTS = 20_000
"""A trigger of so many statements takes MariaDB a tenth of a second to read."""

_TRIES = 60
_SHORTEST = 0.004
STOPPED = 1969
UNREAD = 1064


def make_slow_to_open(url: str, table: str) -> None:
    """Give the table one more trigger, which does nothing and takes long to read."""
    body = "SET @nothing = 1;\n" * STATEMENTS
    with raw_connection(url) as connection:
        ask(
            connection,
            f"CREATE TRIGGER slow BEFORE INSERT ON `{table}` FOR EACH ROW "
            f"BEGIN IF FALSE THEN {body} END IF; END",
        )


def leave_unread(url: str, table: str) -> str:
    """Stop a statement while it opens the table; what others are told that write to it."""
    with raw_connection(url) as connection:
        for turn in range(1, _TRIES + 1):
            ask(connection, "FLUSH LOCAL TABLES")
            seconds = _SHORTEST * turn
            limited = f"SET STATEMENT max_statement_time = {seconds:.3f} FOR "
            _refusal(connection, f"{limited} SELECT COUNT(*) FROM `{table}`", STOPPED)
            told = refusal(url, table)
            if told is not None:
                return told
    raise AssertionError("no statement was stopped while it opened the table")


def refusal(url: str, table: str) -> str | None:
    """What a new session is told that writes to a row of the table and undoes it; None: nothing."""
    assert read(url, f"SELECT COUNT(*) FROM `{table}`") != [(0,)], "it takes a row to run a trigger"
    statement = f"UPDATE `{table}` SET herdbook_life = herdbook_life LIMIT 1"
    with raw_connection(url, autocommit=False) as connection:
        return _refusal(connection, statement, UNREAD)


def _refusal(connection: Any, statement: str, expected: int) -> str | None:
    """What the server says where it refuses a statement with the expected number."""
    try:
        ask(connection, statement)
    except MySQLdb.Error as error:
        if error.args[0] != expected:
            raise
        return str(error)
    return None
