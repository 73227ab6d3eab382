"""What a database server is, seen over one short connection."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from MySQLdb import Error as DriverError
from storm.exceptions import Error as StormError

from schema.connection import create_statement
from service.database_url import DatabaseUrl
from service.errors import Unavailable
from service.privileges.lacking import Standing
from service.privileges.statements import Account, Target
from service.server import durability
from service.server.errors import ServerError
from service.server.versions import ServerVersion, require_supported
from service.store.database import HerdbookDatabase, error_number
from service.store.settings import SessionSettings

NOT_REACHED = frozenset({2002, 2003, 2005})
"""The client's numbers for a server that does not answer."""


_NO_DATABASE = 1049
_NO_PRIVILEGES = 1044
_OPTION_PREVENTS = 1290
_NOT_LET_IN = frozenset({1045, 1130, 1698})

_READ_ONLY = "read_only"
_PARTIAL_REVOKES = "partial_revokes"
_TRUST = "log_bin_trust_function_creators"
_LONGEST = "max_allowed_packet"
_SETTINGS = (*durability.SETTINGS, _READ_ONLY, _PARTIAL_REVOKES, _TRUST, _LONGEST)
_SHOW_SETTINGS = f"SHOW GLOBAL VARIABLES WHERE variable_name IN {_SETTINGS}"


@dataclass(frozen=True)
class Inspection:
    """What matters of a server: its version and settings, and what the account may do there."""

    version: ServerVersion
    settings: Mapping[str, str]
    standing: Standing

    @property
    def read_only(self) -> bool:
        """Whether it takes no writes."""
        return self.settings[_READ_ONLY] != "OFF"

    @property
    def longest_statement(self) -> int:
        """How many bytes a statement may have."""
        return int(self.settings[_LONGEST])

    @property
    def losses(self) -> tuple[str, ...]:
        """What of acknowledged writes a crash would lose, with what to set."""
        return durability.losses(self.settings)

    @property
    def forbids_triggers(self) -> bool:
        """Whether it makes no triggers for an account without SUPER, whatever it was granted."""
        return (self.settings[durability.BINARY_LOG], self.settings[_TRUST]) == ("ON", "OFF")


def inspect(url: DatabaseUrl, connect_seconds: int) -> Inspection:
    """Look at the server behind a URL.

    Raises Unavailable, with the server's own words, where it cannot be reached or refuses.
    """
    settings = SessionSettings(connect_seconds=connect_seconds, autocommit=True)
    try:
        connection = HerdbookDatabase(url, settings).connect()
        row = connection.execute("SELECT VERSION(), CURRENT_USER(), DATABASE()").get_one()
        found = dict(connection.execute(_SHOW_SETTINGS).get_all())
        grants = [line for (line,) in connection.execute("SHOW GRANTS").get_all()]
        connection.close()
    except ServerError:
        raise
    except (DriverError, StormError) as error:
        raise _in_words(url, error) from error
    version, account, database = require_supported(row[0]), Account.parse(row[1]), row[2]
    target = Target(database, is_literal=found.get(_PARTIAL_REVOKES) == "ON")
    return Inspection(version, found, Standing.read(account, target, version.kind, grants))


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
    if number == _NO_PRIVILEGES:
        what = f"the user of {place} has no privileges on the database {url.database}"
        hint = "Give it some, as `herdbook grant --print` shows; or correct [database] url."
        return Unavailable(f"{what} ({said})", hint=hint)
    if number in _NOT_LET_IN:
        what = f"the database server does not let the user of {place} in"
        hint = "Correct the user, the password or the database in [database] url."
        return Unavailable(f"{what} ({said})", hint=hint)
    if number == _OPTION_PREVENTS:
        what = f"the database server at {place} does not say what the account may do"
        hint = "Start the server without skip-grant-tables: with it everybody may do everything."
        return Unavailable(f"{what} ({said})", hint=hint)
    return Unavailable(f"{place}: {said}", hint="Correct [database] url.")
