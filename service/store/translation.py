"""From the database's error numbers to the errors of the service, by one table."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable
from functools import partial

from storm.exceptions import DisconnectionError

from service.errors import (
    AccountRefused,
    Busy,
    DatabaseFull,
    DatabaseReadOnly,
    SchemaDiffers,
    ServiceError,
    StatementTooLarge,
    TimedOut,
    Unavailable,
)
from service.server.errors import ServerError
from service.store.database import LOST_CONNECTION, error_number
from service.store.sparing import SparingLog

RETRIED = frozenset(
    {
        1205,  # ER_LOCK_WAIT_TIMEOUT
        1213,  # ER_LOCK_DEADLOCK
        1020,  # ER_CHECKREAD: MariaDB, another transaction changed the row
        1317,  # ER_QUERY_INTERRUPTED
    }
)
"""The transaction was undone, or can be, and the same work may well succeed."""

_PARSE_ERROR = 1064
_OF_A_TRIGGER = "has an error in its body"
_HINT_FLUSH = (
    "Run FLUSH TABLES on the database server and send the call again; or grant the node's account "
    "RELOAD, and it does so itself."
)

_HINT_CREATE = (
    "Create it on the database server, then run `herdbook schema upgrade`; or correct its name in "
    "the address."
)

CONSTRAINT = frozenset(
    {
        1048,  # ER_BAD_NULL_ERROR
        1062,  # ER_DUP_ENTRY
        1364,  # ER_NO_DEFAULT_FOR_FIELD
        1451,  # ER_ROW_IS_REFERENCED_2
        1452,  # ER_NO_REFERENCED_ROW_2
        1761,  # ER_FOREIGN_DUPLICATE_KEY_WITH_CHILD_INFO
        3819,  # ER_CHECK_CONSTRAINT_VIOLATED, MySQL
        4025,  # ER_CONSTRAINT_FAILED, MariaDB
    }
)
"""A constraint of the tables refused a row."""

_CONSTRAINT_NAME = re.compile(r"constraint [`']([^`']+)[`']", re.IGNORECASE)

_log = logging.getLogger(__name__)
_sparing = SparingLog(_log)

_TABLE: dict[int, tuple[Callable[[str], ServiceError], str]] = {
    **dict.fromkeys(
        (1040, 1203, 1226), (Unavailable, "the database server takes no more connections")
    ),
    **dict.fromkeys(LOST_CONNECTION, (Unavailable, "the connection to the database was lost")),
    2026: (Unavailable, "the encrypted connection to the database failed"),
    **dict.fromkeys((2002, 2003, 2005), (Unavailable, "the database server cannot be reached")),
    **dict.fromkeys(
        (1044, 1045, 1142, 1143, 1227, 1698),
        (AccountRefused, "the database server refuses the node's account"),
    ),
    **dict.fromkeys((1205, 1213, 1020), (Busy, "the rows stayed locked by other work")),
    1412: (Busy, "the structure of a table was changed meanwhile"),
    **dict.fromkeys((1317, 1969, 3024), (TimedOut, "the database stopped a statement")),
    **dict.fromkeys((1054, 1146), (SchemaDiffers, "a table or column is missing")),
    **dict.fromkeys((1021, 1114, 3), (DatabaseFull, "the database server has no space left")),
    **dict.fromkeys((1290, 1836), (DatabaseReadOnly, "the database server is read only")),
    1049: (partial(SchemaDiffers, hint=_HINT_CREATE), "the database does not exist"),
    1449: (SchemaDiffers, "the account that the capture triggers belong to is gone"),
    1153: (StatementTooLarge, "the call makes a statement too large for the database server"),
}


def triggers_unread(error: BaseException) -> bool:
    """Whether MariaDB refused to write to a table whose triggers it has read only in part.

    That is left behind where a statement is stopped while it opens the table: by KILL, or by its
    time limit. All sessions then share what was read, until it leaves the server's table cache.
    """
    return error_number(error) == _PARSE_ERROR and _OF_A_TRIGGER in str(error)


def constraint_named(error: BaseException) -> str | None:
    """The constraint that a server's error names, None where it names none."""
    named = _CONSTRAINT_NAME.search(str(error.args[-1])) if error.args else None
    return None if named is None else named[1]


def is_of_the_server(error: BaseException) -> bool:
    """Whether an error is about the server, the connection or a table, whatever the rows are."""
    return triggers_unread(error) or error_number(error) in _TABLE


def translate(error: Exception) -> Exception:
    """The service's error for one of the database; what is not in the table stays as it is."""
    if triggers_unread(error):
        _log.warning("MariaDB has read a table's triggers only in part: %s", error)
        message = "the database server has read a table's triggers only in part"
        return Unavailable(message, hint=_HINT_FLUSH)
    if isinstance(error, DisconnectionError):
        return Unavailable("the connection to the database was lost")
    if isinstance(error, ServerError):
        return Unavailable(str(error), hint="Upgrade the database server.")
    known = _TABLE.get(error_number(error) or 0)
    if known is None:
        return error
    make, message = known
    # Clients get no word of the server's own, which may quote SQL; operators need it.
    _sparing.warning(f"{message}: {error}")
    translated: ServiceError = make(message)
    return translated
