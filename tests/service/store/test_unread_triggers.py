"""MariaDB has read a table's triggers only in part: who writes gets through, or is told of it."""

from __future__ import annotations

from collections.abc import Iterator

import MySQLdb
import pytest

from service.database_url import DatabaseUrl
from service.errors import Unavailable
from service.server import PrivateServer, ServerKind
from service.store.translation import translate, triggers_unread
from service.store.work import RetryPolicy
from tests.conftest import Servers
from tests.servers.programs import chosen_kinds
from tests.service.store.sealing.plots import CATALOGUE
from tests.service.store.sealing.tools import captured, check_lives, run, seal_all, sealing
from tests.service.store.tools import ask, raw_connection, read, working
from tests.service.store.unread import leave_unread, make_slow_to_open, refusal

pytestmark = pytest.mark.skipif(
    ServerKind.MARIADB not in chosen_kinds(), reason="only MariaDB does this"
)

RENAME = "UPDATE plot SET name = 'new' WHERE number = 1"
FOUR_RUNS = RetryPolicy(attempts=4, first_pause=0.001)
TOLD = [
    "Trigger 'herdbook_au_1775158b9001076166a19c7f' has an error in its body: 'You have an error "
    "in your SQL syntax; check the manual that corresponds to your MariaDB server version for the "
    "right syntax to use near 'DEFAULT NEW.herdbook_life - 1' at line 10'",
    "Unknown trigger has an error in its body: 'You have an error in your SQL syntax; check the "
    "manual that corresponds to your MariaDB server version for the right syntax to use near '' "
    "at line 1'",
]


@pytest.fixture
def server(servers: Servers) -> PrivateServer:
    """MariaDB."""
    return servers.get(ServerKind.MARIADB)


@pytest.fixture
def plots(database: str) -> str:
    """A database whose plot, of one row, takes long to open."""
    captured(database)
    run(database, "INSERT INTO plot (number, name) VALUES (1, 'old')")
    make_slow_to_open(database, "plot")
    return database


@pytest.fixture
def account(plots: str) -> Iterator[str]:
    """The same database, for an account without RELOAD."""
    url = DatabaseUrl.parse(plots)
    run(plots, "CREATE USER lesser@localhost", f"GRANT ALL ON {url.database}.* TO lesser@localhost")
    yield plots.replace("root@", "lesser@")
    run(plots, "DROP USER lesser@localhost")


def test_the_server_keeps_it_until_its_tables_are_closed(plots: str) -> None:
    """Any session meets it, again and again; FLUSH without a name heals it and waits for nobody."""
    assert "has an error in its body" in leave_unread(plots, "plot")
    assert [refusal(plots, "plot") is None for _ in range(3)] == [False] * 3
    with raw_connection(plots, autocommit=False) as holder:
        ask(holder, "SELECT * FROM plot FOR UPDATE")
        run(plots, "SET STATEMENT lock_wait_timeout = 0 FOR FLUSH LOCAL TABLES")
    assert refusal(plots, "plot") is None


def test_nothing_is_written_past_the_triggers(plots: str) -> None:
    """Whatever the statement is, also one that ignores errors: refused, and no row has changed."""
    statements = [
        "INSERT INTO plot (number) VALUES (2)",
        "INSERT IGNORE INTO plot (number) VALUES (2)",
        "REPLACE INTO plot (number) VALUES (1)",
        "INSERT INTO plot (number) VALUES (1) ON DUPLICATE KEY UPDATE name = 'x'",
        "UPDATE IGNORE plot SET name = 'x'",
        "DELETE FROM plot",
        "DELETE IGNORE FROM plot WHERE number = 1",
    ]
    before = read(plots, "SELECT * FROM plot")
    leave_unread(plots, "plot")
    with raw_connection(plots) as connection:
        for statement in statements:
            with pytest.raises(MySQLdb.Error) as failed:
                ask(connection, statement)
            assert triggers_unread(failed.value)
    assert read(plots, "SELECT * FROM plot") == before


def test_a_unit_of_work_gets_through(plots: str, caplog: pytest.LogCaptureFixture) -> None:
    """It heals the table, for everybody, and runs again."""
    leave_unread(plots, "plot")
    with working(plots, CATALOGUE, policy=FOUR_RUNS) as worker:
        assert worker.run(lambda tx: tx.execute(RENAME)) == 1
        assert worker.run(lambda tx: tx.execute(RENAME)) == 1
    assert "FLUSH TABLES was run" in caplog.text
    assert refusal(plots, "plot") is None


def test_what_is_tried_out_gets_through(plots: str) -> None:
    """Nothing of it stays, as always."""
    leave_unread(plots, "plot")
    with working(plots, CATALOGUE, policy=FOUR_RUNS) as worker:
        assert worker.try_out(lambda tx: tx.execute(RENAME)) == 1
    assert read(plots, "SELECT name FROM plot") == [("old",)]


def test_an_account_that_may_not_heal_it_says_what_to_do(
    plots: str, account: str, caplog: pytest.LogCaptureFixture
) -> None:
    """The error may be sent again, nothing was written, and the same connection works later."""
    leave_unread(plots, "plot")
    with working(account, CATALOGUE, policy=FOUR_RUNS) as worker:
        with pytest.raises(Unavailable) as failed:
            worker.run(lambda tx: tx.execute(RENAME))
        assert failed.value.retryable
        assert "FLUSH TABLES" in failed.value.advice
        assert "RELOAD" in caplog.text
        assert read(plots, "SELECT name FROM plot") == [("old",)]
        run(plots, "FLUSH LOCAL TABLES")
        assert worker.run(lambda tx: tx.execute(RENAME)) == 1


def test_a_birth_is_mended_all_the_same(plots: str) -> None:
    """The sealer writes to the captured tables as well."""
    with sealing(plots, attempts=3) as sealer:
        seal_all(sealer)
        run(plots, "DELETE FROM plot", "INSERT INTO plot (number) VALUES (1)")
        leave_unread(plots, "plot")
        assert seal_all(sealer).drained
    assert read(plots, "SELECT herdbook_life FROM plot") == [(3,)]
    check_lives(plots)


@pytest.mark.parametrize("said", TOLD)
def test_it_is_known_by_its_number_and_its_words(said: str) -> None:
    """The words as MariaDB 10.11 says them; another parse error is a mistake of the program."""
    error = MySQLdb.ProgrammingError(1064, said)
    assert triggers_unread(error)
    translated = translate(error)
    assert isinstance(translated, Unavailable)
    assert "herdbook_" not in str(translated)
    assert not triggers_unread(MySQLdb.ProgrammingError(1064, "You have an error in your SQL"))
    assert not triggers_unread(MySQLdb.ProgrammingError(1062, said))
