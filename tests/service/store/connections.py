"""How many connections a database has.

A server sees a moment later than its client that a connection was closed: one that was counted may
be such a one.
"""

from __future__ import annotations

import threading
from collections.abc import Callable

import MySQLdb

from tests.service.store.tools import ask, raw_connection, read

NO_SUCH_THREAD = 1094
_OTHERS = "FROM information_schema.processlist WHERE db = DATABASE() AND id <> CONNECTION_ID()"


def settled(url: str, count: int) -> bool:
    """Whether there are so many connections, at once or before long; this one apart."""
    return before_long(lambda: read(url, f"SELECT COUNT(*) {_OTHERS}")[0][0] == count)


def before_long(is_so: Callable[[], bool]) -> bool:
    """Whether something is so, at once or before long."""
    pause = threading.Event()
    for _turn in range(200):
        if is_so():
            return True
        pause.wait(0.05)
    return False


def kill_others(url: str) -> None:
    """End all other connections to the database."""
    with raw_connection(url) as connection:
        for (number,) in ask(connection, f"SELECT id {_OTHERS}"):
            try:
                ask(connection, f"KILL {number}")
            except MySQLdb.Error as error:
                if error.args[0] != NO_SUCH_THREAD:
                    raise
