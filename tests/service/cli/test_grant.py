"""`herdbook grant --print`: what it prints makes an account that gets what it needs, no more."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import pytest

from service.database_url import DatabaseUrl
from service.errors import Unavailable
from service.privileges.statements import PASSWORD, Account
from service.server import PrivateServer, ServerKind
from service.store.inspection import inspect
from tests.service.cli.accounts import SECRET, as_root, database_of, url_of
from tests.service.cli.conftest import Ran

Herdbook = Callable[..., Ran]

URL = "mysql://app:hush@localhost/my_farm?unix_socket=/nowhere/mysql.sock"


@pytest.fixture(autouse=True)
def settings(monkeypatch: pytest.MonkeyPatch) -> None:
    """A configuration whose server is not there."""
    monkeypatch.setenv("HERDBOOK_NODE_RECORDS", "tests.live.pasture")
    monkeypatch.setenv("HERDBOOK_DATABASE_URL", URL)


def printed(herdbook: Herdbook, *options: str) -> list[str]:
    """The statements, without what is said about them."""
    ran = herdbook("grant", "--print", *options)
    assert (ran.code, ran.err) == (0, "")
    return [line for line in ran.out.splitlines() if not line.startswith("-- ")]


def test_the_statements_of_a_named_kind_of_server_are_printed_without_asking_it(
    herdbook: Herdbook,
) -> None:
    """The configured user on this machine, the database's name and no pattern, no password."""
    assert printed(herdbook, "--server", "mysql") == [
        "CREATE USER `app`@`localhost` IDENTIFIED BY <password>;",
        "GRANT SELECT, INSERT, UPDATE, DELETE, CREATE, ALTER, DROP, INDEX, TRIGGER, REFERENCES "
        "ON `my\\_farm`.* TO `app`@`localhost`;",
    ]
    out = herdbook("grant", "--print", "--server", "mysql").out
    assert SECRET not in out
    assert "partial_revokes" in out
    assert "log_bin_trust_function_creators = 1" in out
    mariadb = herdbook("grant", "--print", "--server", "mariadb").out
    assert "GRANT RELOAD ON *.*" in mariadb
    assert "IDENTIFIED VIA unix_socket" in mariadb


def test_the_same_for_programs(herdbook: Herdbook) -> None:
    """Another user who comes from elsewhere and only serves."""
    options = ("--user", "node", "--host", "192.0.2.%", "--serve-only", "--server", "mysql")
    document = herdbook("grant", "--print", "--json", *options).document()
    (note,) = (note for note in document.pop("notes") if "migrations" in note)
    assert "Triggers run with its rights" in note
    assert document == {
        "server": "mysql",
        "database": "my_farm",
        "user": "node",
        "host": "192.0.2.%",
        "serve_only": True,
        "statements": [
            "CREATE USER `node`@`192.0.2.%` IDENTIFIED BY <password>;",
            "GRANT SELECT, INSERT, UPDATE, DELETE ON `my\\_farm`.* TO `node`@`192.0.2.%`;",
        ],
    }


def test_what_is_not_known_is_asked_for(
    herdbook: Herdbook, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The kind of a server that does not answer, a node's address, and the word that it prints."""
    unknown = herdbook("grant", "--print")
    assert (unknown.code, unknown.out) == (1, "")
    assert "--server mariadb or --server mysql" in unknown.err
    assert herdbook("grant").code == 2
    monkeypatch.setenv("HERDBOOK_DATABASE_URL", "mysql://app@db.example.org/farm")
    elsewhere = herdbook("grant", "--print", "--server", "mysql")
    assert (elsewhere.code, elsewhere.out) == (1, "")
    assert "--host" in elsewhere.err
    monkeypatch.setenv("HERDBOOK_DATABASE_URL", "mysql://app@127.0.0.1/farm")
    assert "`app`@`127.0.0.1`" in printed(herdbook, "--server", "mysql")[0]


STRANGE = ("plain", "my_farm", "100%", "a`b", "a\\b", "a\\_b%")


@pytest.fixture(params=[False, True], ids=["patterns", "names"])
def granting_server(
    request: pytest.FixtureRequest, logging_server: PrivateServer
) -> Iterator[PrivateServer]:
    """A server that takes the names in a GRANT for patterns, and MySQL where it does not."""
    if request.param and logging_server.program.kind is not ServerKind.MYSQL:
        pytest.skip("MariaDB takes them for patterns, always")
    if request.param:
        as_root(logging_server, "SET GLOBAL partial_revokes = ON")
    yield logging_server
    if request.param:
        as_root(logging_server, "SET GLOBAL partial_revokes = OFF")


@pytest.mark.parametrize("name", STRANGE)
def test_the_printed_statements_give_the_database_and_no_other(
    herdbook: Herdbook, monkeypatch: pytest.MonkeyPatch, granting_server: PrivateServer, name: str
) -> None:
    """Whatever is in the name; one that a pattern would fit as well stays shut."""
    server, user = granting_server, "o'b`r"
    other = re.sub("[_%]", "x", name) if re.search("[_%]", name) else f"{name}x"
    with database_of(server, name, ["o'b``r"]), database_of(server, other, []):
        monkeypatch.setenv("HERDBOOK_DATABASE_URL", server.url(name))
        as_root(server, *printed(herdbook, "--user", user))
        found = inspect(DatabaseUrl.parse(url_of(server, name, user)), 10)
        assert found.standing.account == Account(user, "localhost")
        assert found.standing.without_serving() == ()
        assert found.standing.further(triggers_forbidden=False) == ()
        with pytest.raises(Unavailable, match="has no privileges") as told:
            inspect(DatabaseUrl.parse(url_of(server, other, user)), 10)
        assert "`herdbook grant --print`" in told.value.advice


def test_a_statement_that_is_run_as_it_is_printed_makes_no_account(
    herdbook: Herdbook, monkeypatch: pytest.MonkeyPatch, logging_server: PrivateServer
) -> None:
    """The server refuses what stands for the password."""
    monkeypatch.setenv("HERDBOOK_DATABASE_URL", logging_server.url("mysql"))
    statement = printed(herdbook, "--user", "nobody")[0].replace(PASSWORD, "< password >")
    with pytest.raises(Exception, match="1064"):
        as_root(logging_server, statement)
