"""Whether this account may make triggers, found out before anything depends on it."""

from __future__ import annotations

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from schema.connection import BINARY_LOG_FORBIDS, error_code, in_words
from schema.errors import DatabaseRefused, SchemaError
from schema.system import TRIAL_TABLE

_TRIGGER_RIGHT_MISSING = frozenset({1142, 1227})


def require_triggers(connection: Connection) -> None:
    """Make a trigger on a table of our own, and take both away again; raises what forbids it.

    Once a connection.
    """
    if connection.info.get(TRIAL_TABLE):
        return
    _drop(connection)
    connection.exec_driver_sql(f"CREATE TABLE {TRIAL_TABLE} (id INT PRIMARY KEY) ENGINE=InnoDB")
    try:
        connection.exec_driver_sql(
            f"CREATE TRIGGER {TRIAL_TABLE} BEFORE INSERT ON {TRIAL_TABLE} "
            "FOR EACH ROW SET NEW.id = NEW.id"
        )
    except DBAPIError as error:
        _drop(connection)
        raise _in_words(error) from error
    _drop(connection)
    connection.info[TRIAL_TABLE] = True


def _drop(connection: Connection) -> None:
    connection.exec_driver_sql(f"DROP TABLE IF EXISTS {TRIAL_TABLE}")
    connection.commit()


def _in_words(error: DBAPIError) -> SchemaError:
    told = in_words(error)
    if error_code(error) in BINARY_LOG_FORBIDS:
        return DatabaseRefused(told.message, told.hint)
    if error_code(error) in _TRIGGER_RIGHT_MISSING:
        return DatabaseRefused(
            told.message,
            "Give the account of the migration the TRIGGER privilege on the database.",
        )
    return told
