"""What the server's catalogue tells of triggers, and makes of names and rights."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

from schema.capture.quoting import quoted
from schema.capture.triggers import TRIGGER_MODE, TRIGGER_PREFIX, Trigger
from schema.connection import error_code

TRIGGER_SETTINGS = (TRIGGER_MODE, "utf8mb4", "utf8mb4_bin")
"""The triggers' own sql_mode, character set and collation, whatever a session's are."""

_OUR_NAMES = re.compile(rf"{TRIGGER_PREFIX}[ab][iud]_[0-9a-f]{{24}}")
NO_SUCH_TRIGGER = 1360
TRIGGER_HIDDEN = frozenset({1142, 1227})
"""What the server says of a trigger that this account may not see."""

TRIGGER_QUERY = (
    "SELECT event_object_table, trigger_name, action_timing, event_manipulation, action_order, "
    "action_statement, definer, sql_mode, character_set_client, collation_connection "
    "FROM information_schema.triggers WHERE trigger_schema = DATABASE() "
    "ORDER BY event_object_table, action_timing, event_manipulation, action_order"
)
"""Shows the triggers of the database; `FoundTrigger.read` takes its rows."""


@dataclass(frozen=True)
class FoundTrigger:
    """A trigger as the catalogue shows it. `body` is None where this account may not read it."""

    table: str
    name: str
    timing: str
    event: str
    order: int
    body: str | None
    definer: str
    settings: tuple[str, str, str]

    @classmethod
    def read(cls, row: Iterable[Any]) -> FoundTrigger:
        """The trigger that a row of the catalogue shows."""
        table, name, timing, event, order, body, definer, *settings = row
        return cls(
            table=str(table),
            name=str(name),
            timing=str(timing),
            event=str(event),
            order=int(order),
            body=None if body is None else str(body),
            definer=str(definer or ""),
            settings=(str(settings[0]), str(settings[1]), str(settings[2])),
        )

    @property
    def is_ours(self) -> bool:
        """Whether capture made it, of whatever release."""
        return _OUR_NAMES.fullmatch(self.name) is not None

    def differs_from(self, wanted: Trigger) -> bool:
        """Whether it does something else than the trigger whose name it has, or at another time.

        Where its text may not be read, nobody can say.
        """
        if self.body is None:
            return False
        return (_without_marks(self.body), self.timing, self.event, self.settings) != (
            _without_marks(wanted.body),
            wanted.timing,
            wanted.event,
            TRIGGER_SETTINGS,
        )


def _without_marks(body: str) -> str:
    """A trigger's text without the marks of what only MariaDB reads: it does not keep them."""
    return body.replace("/*M!", "").replace("*/", "")


def triggers_in(connection: Connection) -> list[FoundTrigger]:
    """All triggers of the database that this account sees; by table, event and order."""
    return [FoundTrigger.read(row) for row in connection.execute(text(TRIGGER_QUERY))]


def hidden_among(connection: Connection, names: Iterable[str]) -> frozenset[str]:
    """Which of the triggers are there although the catalogue does not show them to this account.

    To an account without the TRIGGER privilege the catalogue shows none, but the server tells
    "there is no such trigger" from "you may not see it".
    """
    return frozenset(name for name in names if _is_hidden(connection, name))


def _is_hidden(connection: Connection, name: str) -> bool:
    try:
        connection.exec_driver_sql(f"SHOW CREATE TRIGGER {quoted(name)}").close()
    except DBAPIError as error:
        code = error_code(error)
        if code == NO_SUCH_TRIGGER:
            return False
        if code in TRIGGER_HIDDEN:
            return True
        raise
    return True


def columns_of(connection: Connection) -> dict[str, set[str]]:
    """The names of all columns, by table."""
    found: dict[str, set[str]] = {}
    query = text(
        "SELECT table_name, column_name FROM information_schema.columns "
        "WHERE table_schema = DATABASE()"
    )
    for table, column in connection.execute(query):
        found.setdefault(table, set()).add(column)
    return found
