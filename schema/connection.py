"""Connections for migrations, and the server's refusals in words."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import URL, Connection, Engine, NullPool, create_engine, event
from sqlalchemy.dialects.mysql.base import MySQLDialect, MySQLIdentifierPreparer
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError

from schema.errors import DatabaseRefused, DatabaseUnreachable, SchemaError, StatementFailed

CONNECT_SECONDS = 10
DEFAULT_PORT = 3306

SESSION = (
    "SET SESSION sql_mode = 'TRADITIONAL,NO_ENGINE_SUBSTITUTION', time_zone = '+00:00', "
    # A busy table holds a migration up for a minute, not for the servers' default of a day or more.
    "lock_wait_timeout = 60"
)

_ACCESS_DENIED = {1044, 1045, 1130, 1698, 2059}
_NO_DATABASE = 1049
_CREATE_HINT = "Correct its name in the address, or create it first, as a user who may:"
_RIGHTS_MISSING = {1142, 1143, 1227, 1370}
BINARY_LOG_FORBIDS = {1419}
_SYNTAX = 1064
_LOST = {2006, 2013, 2055, 1927, 4031, 1053}
UNREACHABLE = {2002, 2003, 2005, 2026} | _LOST

_SYNTAX_HINT = (
    "Correct the revision and run the command again. Each `op.execute` takes one statement: "
    "write several as several calls."
)

_TRIGGER_UNREAD = "has an error in its body"
_TRIGGER_HINT = (
    "MariaDB has read the table's triggers only in part, because a statement was stopped while it "
    "opened the table. Run FLUSH TABLES on the server, and the command again."
)


class _AlwaysQuoting(MySQLIdentifierPreparer):
    """Quotes every name: what is a reserved word differs between servers and releases."""

    def _requires_quotes(self, value: str) -> bool:
        """SQLAlchemy's hook."""
        return True


def quote_all_names(dialect: MySQLDialect) -> MySQLDialect:
    """The dialect, with every name it writes in quotes."""
    dialect.preparer = _AlwaysQuoting
    dialect.identifier_preparer = _AlwaysQuoting(dialect)
    return dialect


def engine_for(url: str) -> Engine:
    """An engine whose connections are closed, not kept, after use."""
    engine = create_engine(
        make_url(url),
        poolclass=NullPool,
        isolation_level="READ COMMITTED",
        # The journal counts statements, so no text may hold more than one.
        connect_args={
            "connect_timeout": CONNECT_SECONDS,
            "multi_statements": False,
            # Names and texts in triggers hold whatever a declaration does.
            "charset": "utf8mb4",
        },
    )
    assert isinstance(engine.dialect, MySQLDialect), "the URL names another database system"
    quote_all_names(engine.dialect)
    event.listen(engine, "connect", _prepare_session)
    return engine


@contextmanager
def connected(url: str) -> Iterator[Connection]:
    """A connection for one piece of work; the server's refusals come out as SchemaErrors."""
    engine = engine_for(url)
    try:
        with engine.connect() as connection:
            yield connection
    except DBAPIError as error:
        raise in_words(error, engine.url) from error
    finally:
        engine.dispose()


def error_code(error: DBAPIError) -> int:
    """The server's or the driver's number for an error; 0 where there is none."""
    arguments = getattr(error.orig, "args", ())
    return arguments[0] if arguments and isinstance(arguments[0], int) else 0


def in_words(error: DBAPIError, url: URL | None = None) -> SchemaError:
    """A driver's error as one of ours; `url` is where it was met, if that is not clear."""
    code, told = error_code(error), _told(error)
    if code in UNREACHABLE:
        return DatabaseUnreachable(
            f"The database server{_place_of(url)} cannot be reached ({_words_of(error)})."
        )
    if code == _NO_DATABASE:
        return DatabaseRefused(
            f"The database server{_place_of(url)} has no such database ({_words_of(error)}).",
            _CREATE_HINT if url is None else f"{_CREATE_HINT} {create_statement(url.database)}",
        )
    if code in _ACCESS_DENIED:
        return DatabaseRefused(
            f"The database server does not let Herdbook in: {told}.",
            "Check the user, the password and the database's name in the address.",
        )
    if code in _RIGHTS_MISSING:
        return DatabaseRefused(
            f"The database user lacks a right: {told}.",
            "A migration needs CREATE, ALTER, DROP, INDEX, REFERENCES, TRIGGER, SELECT, INSERT, "
            "UPDATE and DELETE on the database; `herdbook check` names what is missing.",
        )
    if code in BINARY_LOG_FORBIDS:
        return DatabaseRefused(
            f"The server's binary log is on, and this account may not make triggers: {told}.",
            "Set log_bin_trust_function_creators = 1 on the server, or run the migration with an "
            "account that has SUPER.",
        )
    hint = _SYNTAX_HINT if code == _SYNTAX else None
    if code == _SYNTAX and _TRIGGER_UNREAD in told:
        hint = _TRIGGER_HINT
    return StatementFailed(f"The database server refused a statement: {told}.", hint)


def create_statement(database: str | None) -> str:
    """The SQL that makes a database."""
    return f"CREATE DATABASE `{str(database).replace('`', '``')}`;"


def _place_of(url: URL | None) -> str:
    """Where a server is; nothing where that is not known."""
    if url is None:
        return ""
    place = url.query.get("unix_socket") or f"{url.host}:{url.port or DEFAULT_PORT}"
    return f" at {place}"


def _words_of(error: DBAPIError) -> str:
    """What the driver said, without its number."""
    return _told(error).removesuffix(f" {error_code(error)}").rstrip(".")


def _told(error: DBAPIError) -> str:
    """What the server said, without the statement."""
    arguments: tuple[Any, ...] = getattr(error.orig, "args", ())
    return " ".join(str(part) for part in reversed(arguments)).rstrip(".")


def _prepare_session(connection: Any, _record: object) -> None:
    """Settings of every new connection."""
    cursor = connection.cursor()
    cursor.execute(SESSION)
    cursor.close()
