"""Storm's MySQL database with what it leaves out.

Our session, our conversions, and all the ways a connection can be lost. Storm takes only the socket
and the character set from its URI, and it reconnects by itself, so everything is set where the raw
connection is made.
"""

from __future__ import annotations

import math
import select
from collections.abc import Iterator, Sequence
from typing import Any

import MySQLdb
from MySQLdb.constants import CLIENT, FIELD_TYPE
from MySQLdb.converters import conversions
from MySQLdb.cursors import SSCursor
from storm.database import ConnectionWrapper
from storm.databases.mysql import MySQL, MySQLConnection
from storm.uri import URI

from schema.capture.triggers import PRINCIPAL
from service.database_url import DatabaseUrl
from service.server.versions import ServerKind, require_supported
from service.store.packets import MeasuredConnection
from service.store.settings import SessionSettings

LOST_CONNECTION = frozenset(
    {
        1053,  # ER_SERVER_SHUTDOWN
        1077,  # ER_NORMAL_SHUTDOWN
        1927,  # ER_CONNECTION_KILLED, MariaDB
        2006,  # CR_SERVER_GONE_ERROR
        2013,  # CR_SERVER_LOST
        2055,  # CR_SERVER_LOST_EXTENDED
        3169,  # ER_SESSION_WAS_KILLED, MySQL
        4031,  # ER_CLIENT_INTERACTION_TIMEOUT, MySQL
    }
)
"""Errors after which the connection is dead, whatever the statement was."""

# Text, so that the fields' kinds convert without loss: the driver's own conversions drop the
# fraction of a TIME and turn a zero date into NULL.
_CONVERSIONS: dict[Any, Any] = {
    **conversions,
    FIELD_TYPE.DATE: str,
    FIELD_TYPE.TIME: str,
    FIELD_TYPE.DATETIME: str,
    FIELD_TYPE.TIMESTAMP: str,
    FIELD_TYPE.BIT: bytes,
}


_UNSURE = object()


class HerdbookConnection(MySQLConnection):  # type: ignore[misc]  # Storm has no types
    """A connection that knows every way of being lost, and how it is known to be so."""

    # The raw connection that was told last for whom it writes, and who that was.
    _noted: tuple[object, object] = (None, None)

    def is_disconnection_error(
        self, exc: BaseException, extra_disconnection_errors: tuple[type, ...] = ()
    ) -> bool:
        """Storm's hook: whether the connection is gone after this error."""
        if isinstance(exc, MySQLdb.InterfaceError):
            # The driver's word for a connection that is closed on this side.
            return True
        return isinstance(exc, MySQLdb.Error) and error_number(exc) in LOST_CONNECTION

    def require_alive(self) -> None:
        """Connect if need be; raise DisconnectionError if the server has closed the connection.

        Between statements a server says nothing, unless it says good-bye. So whatever can be read
        now, the end of the stream included, means that the next statement would not arrive.
        """
        self._ensure_connected()
        said = select.poll()
        said.register(self._raw_connection.fileno(), select.POLLIN)
        if said.poll(0):
            self._check_disconnect(self._raw_connection.ping)

    @property
    def longest_statement(self) -> int:
        """How many bytes the longest statement of this session may have."""
        self._ensure_connected()
        longest: int = self._raw_connection._connection.longest
        return longest

    def write_for(self, principal: str | None) -> None:
        """Let the changelog name this caller for what is written; None: the account itself.

        The server is told only where it does not know, so that a caller who comes again costs
        nothing. A connection that was made anew knows of nobody.
        """
        self._ensure_connected()
        raw, noted = self._noted
        if (noted if raw is self._raw_connection else None) == principal:
            return
        self._noted = (self._raw_connection, _UNSURE)
        self.execute(f"SET {PRINCIPAL} = ?", (principal,), noresult=True)
        self._noted = (self._raw_connection, principal)

    def stream(self, statement: str, at_once: int) -> Iterator[Sequence[tuple[Any, ...]]]:
        """The rows of a query, so many at once and never all of them in memory.

        Until the last of them nothing else can be asked on this connection.
        """
        self._ensure_connected()
        cursor = self._raw_connection._connection.cursor(SSCursor)
        try:
            cursor.execute(statement)
            while some := cursor.fetchmany(at_once):
                yield some
        finally:
            cursor.close()

    def close_tables(self) -> None:
        """Let the server close all tables that no statement is using, between transactions.

        Without the name of a table nothing is waited for; with one, every open transaction on it.
        """
        self.execute("FLUSH LOCAL TABLES", noresult=True)
        self.commit()


class HerdbookDatabase(MySQL):  # type: ignore[misc]  # Storm has no types
    """Where the records are. Each `connect()` gives a connection with our session set up."""

    connection_factory = HerdbookConnection

    def __init__(self, url: DatabaseUrl, settings: SessionSettings) -> None:
        super().__init__(URI("herdbook:"))
        self.settings = settings
        self._connect_kwargs = _connect_arguments(url, settings)

    def _raw_connect(self) -> ConnectionWrapper:
        """Storm's hook: a raw connection, also after one was lost.

        Raises MySQLdb.Error where the server cannot be reached or refuses, ServerTooOld where it
        lacks what Herdbook needs.
        """
        raw = MeasuredConnection(**self._connect_kwargs)
        try:
            version = require_supported(raw.get_server_info())
            for statement in self.settings.statements(version.kind is ServerKind.MARIADB):
                raw.query(statement.encode())
            raw.ask_longest()
        except BaseException:
            raw.close()
            raise
        return ConnectionWrapper(raw, self)


def error_number(error: BaseException) -> int | None:
    """MySQL's number of an error, None where it has none."""
    number = error.args[0] if error.args else None
    return number if isinstance(number, int) else None


def _connect_arguments(url: DatabaseUrl, settings: SessionSettings) -> dict[str, Any]:
    """The driver's keywords for an address and time limits."""
    reply_seconds = math.ceil(settings.statement_seconds + settings.grace_seconds)
    arguments: dict[str, Any] = {
        "host": url.host,
        "port": url.port,
        "user": url.user,
        "password": url.password or "",
        "database": url.database,
        "charset": "utf8mb4",
        "use_unicode": True,
        "binary_prefix": True,
        "conv": _CONVERSIONS,
        "autocommit": settings.autocommit,
        "connect_timeout": settings.connect_seconds,
        "read_timeout": reply_seconds,
        "write_timeout": reply_seconds,
        # An UPDATE then counts the rows it found, also those it left as they were.
        "client_flag": CLIENT.FOUND_ROWS,
        "multi_statements": False,
        "local_infile": 0,
    }
    if url.unix_socket is not None:
        arguments["unix_socket"] = url.unix_socket
    if url.option("ssl_mode") is not None:
        arguments["ssl_mode"] = url.option("ssl_mode")
    certificates = {name: url.option(f"ssl_{name}") for name in ("ca", "cert", "key")}
    given = {name: path for name, path in certificates.items() if path is not None}
    if given:
        arguments["ssl"] = given
    return arguments
