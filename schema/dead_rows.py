"""Deleted rows that keep a graveyard from being changed like its table."""

from __future__ import annotations

import re

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from schema.capture.columns import GRAVEYARD_PREFIX, graveyard_of
from schema.capture.install import run
from schema.capture.quoting import quoted
from schema.system import TRIAL_TABLE

_ALTERED = re.compile(
    rf"\s*ALTER\s+TABLE\s+(`{GRAVEYARD_PREFIX}((?:[^`]|``)+)`|{GRAVEYARD_PREFIX}(\w+))",
    re.IGNORECASE,
)


def in_the_way(connection: Connection, statement: str) -> str:
    """What to do where a statement on a graveyard was refused for the rows in it; else nothing."""
    altered = _ALTERED.match(statement)
    if altered is None:
        return ""
    table = altered[3] or altered[2].replace("``", "`")
    graveyard = graveyard_of(table)
    trial = f"ALTER TABLE {TRIAL_TABLE}{statement[altered.end() :]}"
    rows = _unfit(connection, graveyard, trial)
    if not rows:
        return ""
    return (
        f"Table {graveyard} is the graveyard of {table}: {rows} of the deleted rows in it "
        f"do{'es' if rows == 1 else ''} not fit. Delete what does not fit, with "
        f"DELETE FROM {quoted(graveyard)} WHERE …, and run the command again. Records that are "
        "deleted there can no longer be restored; nothing else is lost."
    )


def _unfit(connection: Connection, graveyard: str, trial: str) -> int:
    """How many of its rows do not go into an empty copy that is altered; 0 where that fails."""
    try:
        run(connection, f"DROP TABLE IF EXISTS {TRIAL_TABLE}")
        try:
            run(connection, f"CREATE TABLE {TRIAL_TABLE} LIKE {quoted(graveyard)}")
            connection.exec_driver_sql(trial)
            return _warnings(connection, graveyard)
        finally:
            connection.rollback()
            run(connection, f"DROP TABLE IF EXISTS {TRIAL_TABLE}")
    except DBAPIError:
        return 0


def _warnings(connection: Connection, graveyard: str) -> int:
    """What the server warns of when it has to put all rows into the copy."""
    connection.exec_driver_sql("SET SESSION sql_notes = 0")
    try:
        run(connection, f"INSERT IGNORE INTO {TRIAL_TABLE} SELECT * FROM {quoted(graveyard)}")
        return int(connection.exec_driver_sql("SELECT @@SESSION.warning_count").scalar_one())
    finally:
        connection.exec_driver_sql("SET SESSION sql_notes = 1")
