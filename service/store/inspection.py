"""What a database server is, seen over one short connection."""

from __future__ import annotations

from dataclasses import dataclass

from MySQLdb import Error as DriverError
from storm.exceptions import Error as StormError

from schema.connection import create_statement
from service.database_url import DatabaseUrl
from service.errors import Unavailable
from service.server.errors import ServerError
from service.server.versions import ServerVersion, require_supported
from service.store.database import HerdbookDatabase, error_number
from service.store.settings import SessionSettings

NOT_REACHED = frozenset({2002, 2003, 2005})
"""The client's numbers for a server that does not answer."""


_NO_DATABASE = 1049
_NOT_LET_IN = frozenset({1044, 1045, 1130, 1698})


@dataclass(frozen=True)
class Inspection:
    """What matters of a server: version, whether a commit survives a crash, whether it writes."""

    version: ServerVersion
    durable: bool
    read_only: bool


def inspect(url: DatabaseUrl, connect_seconds: int) -> Inspection:
    """Look at the server behind a URL.

    Raises Unavailable, with the server's own words, where it cannot be reached or refuses.
    """
    settings = SessionSettings(connect_seconds=connect_seconds, autocommit=True)
    try:
        connection = HerdbookDatabase(url, settings).connect()
        row = connection.execute(
            "SELECT VERSION(), @@global.innodb_flush_log_at_trx_commit, @@global.read_only"
        ).get_one()
        connection.close()
    except ServerError:
        raise
    except (DriverError, StormError) as error:
        raise _in_words(url, error) from error
    version = require_supported(str(row[0]))
    return Inspection(version, durable=row[1] == 1, read_only=bool(row[2]))


def _in_words(url: DatabaseUrl, error: Exception) -> Unavailable:
    """What is wrong, where, and what to do; the server's own words behind it."""
    number, place = error_number(error), url.masked()
    said = error.args[-1] if error.args else error
    if number in NOT_REACHED:
        what = f"the database server at {place} cannot be reached"
        return Unavailable(f"{what} ({said})", hint="Start the server, or correct [database] url.")
    if number == _NO_DATABASE:
        what = f"the database server has no database {url.database}, which {place} names"
        hint = f"Create it first, {create_statement(url.database)} or correct [database] url."
        return Unavailable(f"{what} ({said})", hint=hint)
    if number in _NOT_LET_IN:
        what = f"the database server does not let the user of {place} in"
        hint = "Correct the user, the password or the database in [database] url."
        return Unavailable(f"{what} ({said})", hint=hint)
    return Unavailable(f"{place}: {said}", hint="Correct [database] url.")
