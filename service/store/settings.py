"""How sessions are set up, on both servers alike."""

from __future__ import annotations

import math
from dataclasses import dataclass

SQL_MODE = (
    "STRICT_ALL_TABLES,NO_ZERO_IN_DATE,NO_ZERO_DATE,"
    "ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION"
)
"""Nothing is cut, rounded or made up by the server: what does not fit is an error."""


@dataclass(frozen=True)
class SessionSettings:
    """Time limits of one connection, in seconds.

    `statement_seconds` ends a statement on the server (on MySQL, a SELECT only) and, with
    `grace_seconds` on top, on this side, so that a frozen server holds no thread for ever.
    `autocommit` is for connections that only read: each statement stands for itself.
    """

    connect_seconds: int = 10
    statement_seconds: float = 25.0
    lock_wait_seconds: int = 5
    grace_seconds: int = 5
    autocommit: bool = False

    def statements(self, mariadb: bool) -> tuple[str, ...]:
        """What prepares a session."""
        limit = (
            f"max_statement_time = {self.statement_seconds}"
            if mariadb
            else f"max_execution_time = {math.ceil(self.statement_seconds * 1000)}"
        )
        return (
            # The one spelling both servers know: the variable's name differs.
            "SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED",
            f"SET SESSION sql_mode = '{SQL_MODE}', time_zone = '+00:00', "
            "foreign_key_checks = 1, unique_checks = 1, "
            # By default 1,024 bytes decide, and a page of a list ordered by long text would not
            # end where the next one begins.
            "max_sort_length = 8192, "
            # An error may have to be told from others of its number by its words.
            "lc_messages = 'en_US', "
            f"innodb_lock_wait_timeout = {self.lock_wait_seconds}, "
            # No server sees that a migration waits for a transaction that waits for our rows, while
            # we wait for the migration: who waits for a table must give up too.
            f"lock_wait_timeout = {self.lock_wait_seconds}, {limit}",
        )
