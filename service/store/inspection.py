"""What a database server is, seen over one short connection."""

from __future__ import annotations

from dataclasses import dataclass

from MySQLdb import Error as DriverError
from storm.exceptions import Error as StormError

from service.database_url import DatabaseUrl
from service.errors import Unavailable
from service.server.errors import ServerError
from service.server.versions import ServerVersion, require_supported
from service.store.database import HerdbookDatabase, error_number
from service.store.settings import SessionSettings

NOT_REACHED = frozenset({2002, 2003, 2005})
"""The client's numbers for a server that does not answer."""


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
        said = error.args[-1] if error.args else error
        hint = "Correct [database] url."
        if error_number(error) in NOT_REACHED:
            hint = "Start the server, or correct [database] url."
        raise Unavailable(f"{url.masked()}: {said}", hint=hint) from error
    version = require_supported(str(row[0]))
    return Inspection(version, durable=row[1] == 1, read_only=bool(row[2]))
