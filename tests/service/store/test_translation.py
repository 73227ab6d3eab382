"""The database's errors in the words of the service, without a word of SQL."""

from __future__ import annotations

import MySQLdb
import pytest
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
from service.server.errors import ServerTooOld
from service.store.database import LOST_CONNECTION
from service.store.translation import translate

SAID = "near 'SELECT secret FROM t' at '/run/x.sock'"


@pytest.mark.parametrize(
    ("number", "expected"),
    [
        *((number, Unavailable) for number in sorted(LOST_CONNECTION)),
        (2002, Unavailable),
        (2026, Unavailable),
        (1040, Unavailable),
        (1205, Busy),
        (1213, Busy),
        (1317, TimedOut),
        (1969, TimedOut),
        (3024, TimedOut),
        (1045, AccountRefused),
        (1142, AccountRefused),
        (1049, SchemaDiffers),
        (1449, SchemaDiffers),
        (1054, SchemaDiffers),
        (1146, SchemaDiffers),
        (1114, DatabaseFull),
        (1290, DatabaseReadOnly),
        (1153, StatementTooLarge),
    ],
)
def test_each_error_has_one_translation(number: int, expected: type[ServiceError]) -> None:
    """A stable code, advice, and nothing of what the server said."""
    translated = translate(MySQLdb.OperationalError(number, SAID))
    assert type(translated) is expected
    assert "SELECT" not in str(translated)
    assert ".sock" not in str(translated)
    assert expected.code != ServiceError.code
    assert expected.hint


def test_what_is_not_in_the_table_stays_as_it_is() -> None:
    """The caller knows more about a constraint, or nobody knows anything."""
    for error in (MySQLdb.IntegrityError(1062, "x"), MySQLdb.ProgrammingError(1064, "x")):
        assert translate(error) is error


def test_lost_connections_and_old_servers_are_unavailable() -> None:
    """Whatever the error was that told it."""
    assert isinstance(translate(DisconnectionError("gone")), Unavailable)
    old = translate(ServerTooOld("The server is MySQL 5.7.1; Herdbook needs MySQL 8.0.23."))
    assert isinstance(old, Unavailable)
    assert "5.7.1" in old.message
    assert old.advice == "Upgrade the database server."
