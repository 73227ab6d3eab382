"""`herdbook check` tells what the account lacks, and settings that lose writes."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from service.privileges.needs import SERVING, healing, migrating
from service.server import PrivateServer
from tests.live.node import NodeProcess, migrate
from tests.service.cli.accounts import as_root, database_of, url_of
from tests.service.cli.conftest import Ran

Herdbook = Callable[..., Ran]

NAME, USER, SERVER_USER = "my_farm", "app", "server"
RECORDS = "tests.live.pasture"
SCOPES = {False: "`my\\_farm`.*", True: "*.*"}


@pytest.fixture
def farm(
    logging_server: PrivateServer,
    herdbook: Herdbook,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[PrivateServer]:
    """A server with a database that an account has migrated which is made as printed."""
    monkeypatch.setenv("HERDBOOK_NODE_RECORDS", RECORDS)
    monkeypatch.setenv("HERDBOOK_NODE_MIGRATIONS", str(tmp_path / "migrations"))
    monkeypatch.setenv("HERDBOOK_DATABASE_URL", logging_server.url(NAME))
    with database_of(logging_server, NAME, [USER, SERVER_USER]):
        for user, more in ((USER, ()), (SERVER_USER, ("--serve-only",))):
            document = herdbook("grant", "--print", "--json", "--user", user, *more).document()
            as_root(logging_server, *document["statements"])
        use(monkeypatch, logging_server, USER)
        migrate(tmp_path, url_of(logging_server, NAME, USER), RECORDS)
        yield logging_server


def use(monkeypatch: pytest.MonkeyPatch, server: PrivateServer, user: str) -> None:
    """Let the configuration name this account."""
    monkeypatch.setenv("HERDBOOK_DATABASE_URL", url_of(server, NAME, user))


def checked(herdbook: Herdbook, name: str) -> tuple[bool, list[str]]:
    """Whether one of the checks passed, and what it said."""
    document: dict[str, Any] = herdbook("check", "--json").document()
    (found,) = (one for one in document["checks"] if one["name"] == name)
    return found["passed"], found["messages"]


def test_an_account_as_printed_is_checked_clean(herdbook: Herdbook, farm: PrivateServer) -> None:
    """It serves and migrates, and sees that the triggers are unchanged."""
    ran = herdbook("check")
    assert ran.code == 0
    assert "WARNING" not in ran.out
    assert "lacks" not in ran.out
    held = "`app`@`localhost` holds what it needs to serve and to migrate"
    assert checked(herdbook, "privileges") == (True, [held])


def test_an_account_that_only_serves_is_checked_clean(
    herdbook: Herdbook, farm: PrivateServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One line says that it does not migrate, and what it would need."""
    use(monkeypatch, farm, SERVER_USER)
    passed, (serves, lacks) = checked(herdbook, "privileges")
    assert (passed, herdbook("check").code) == (True, 0)
    assert serves.endswith("holds what it needs to serve")
    assert "WARNING" not in lacks
    for need in migrating(farm.program.kind):
        assert f" {need.privilege}," in lacks or f" {need.privilege};" in lacks


def test_each_privilege_that_is_taken_away_is_named_with_what_mends_it(
    herdbook: Herdbook, farm: PrivateServer
) -> None:
    """And for what it is missed; a node cannot serve without some, and is only warned of others."""
    kind = farm.program.kind
    for need in (*SERVING, *migrating(kind), *healing(kind)):
        scope = SCOPES[need.everywhere]
        as_root(farm, f"REVOKE {need.privilege} ON {scope} FROM app@localhost")
        passed, messages = checked(herdbook, "privileges")
        assert passed is (need not in SERVING), need
        (told,) = (line for line in messages if f" lacks {need.privilege}: " in line)
        assert need.without in told
        found = re.search("GRANT [^;]*;", told)
        assert found is not None
        assert found[0] == f"GRANT {need.privilege} ON {scope} TO `app`@`localhost`;"
        as_root(farm, found[0])
        assert checked(herdbook, "privileges")[1][0].endswith("to serve and to migrate")


def test_all_that_is_missing_is_named_at_once(herdbook: Herdbook, farm: PrivateServer) -> None:
    """What keeps the node from serving first."""
    as_root(farm, f"REVOKE DELETE, INSERT, TRIGGER ON {SCOPES[False]} FROM app@localhost")
    ran = herdbook("check")
    assert ran.code == 1
    found = re.findall(r"^(FAILED|ok    )  privileges: .*? lacks (\w+)", ran.out, re.MULTILINE)
    assert found == [("FAILED", "INSERT"), ("FAILED", "DELETE"), ("ok    ", "TRIGGER")]


def test_a_role_that_is_used_gives_what_it_holds(herdbook: Herdbook, farm: PrivateServer) -> None:
    """As it does on the server."""
    as_root(
        farm,
        f"REVOKE INSERT ON {SCOPES[False]} FROM app@localhost",
        "CREATE ROLE clerk",
        f"GRANT INSERT ON {SCOPES[False]} TO clerk",
        "GRANT clerk TO app@localhost",
    )
    assert not checked(herdbook, "privileges")[0]
    word = "FOR" if farm.program.kind == "mariadb" else "TO"
    as_root(farm, f"SET DEFAULT ROLE clerk {word} app@localhost")
    assert checked(herdbook, "privileges")[0]
    as_root(farm, "DROP ROLE clerk")


@pytest.fixture
def distrustful(farm: PrivateServer) -> Iterator[PrivateServer]:
    """The server when it lets no account without SUPER make triggers."""
    as_root(farm, "SET GLOBAL log_bin_trust_function_creators = OFF")
    yield farm
    as_root(farm, "SET GLOBAL log_bin_trust_function_creators = ON")


def test_a_server_that_lets_nobody_make_triggers_is_told_of(
    herdbook: Herdbook, distrustful: PrivateServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """To accounts that migrate without SUPER; and by `grant`."""
    passed, messages = checked(herdbook, "privileges")
    assert passed
    assert "SET GLOBAL log_bin_trust_function_creators = 1;" in messages[1]
    assert "Needed as well: the server's binary log" in herdbook("grant", "--print").out
    use(monkeypatch, distrustful, SERVER_USER)
    assert not any("trust" in line for line in checked(herdbook, "privileges")[1])
    as_root(distrustful, "SET GLOBAL log_bin_trust_function_creators = ON")
    assert "Needed as well" not in herdbook("grant", "--print").out


def test_all_on_the_database_is_not_all_on_the_server(
    herdbook: Herdbook, distrustful: PrivateServer
) -> None:
    """The account lacks what can be given on the server only, and is told so."""
    as_root(
        distrustful,
        "REVOKE ALL PRIVILEGES, GRANT OPTION FROM app@localhost",
        f"GRANT ALL PRIVILEGES ON {SCOPES[False]} TO app@localhost",
    )
    passed, (first, *warnings) = checked(herdbook, "privileges")
    assert (passed, first) == (True, "`app`@`localhost` holds what it needs to serve")
    lacks = [f"`app`@`localhost` lacks {n.privilege}" for n in healing(distrustful.program.kind)]
    trust = "the server's binary log is on and log_bin_trust_function_creators is off, so that"
    for told, expected in zip(warnings, [*lacks, trust], strict=True):
        assert told.startswith(f"WARNING: {expected}")
    as_root(distrustful, "GRANT RELOAD, SUPER ON *.* TO app@localhost")
    (held,) = checked(herdbook, "privileges")[1]
    assert held.endswith("to serve and to migrate")


@pytest.mark.slow
def test_a_server_that_looks_at_no_privileges_is_told_of_in_words(
    herdbook: Herdbook,
    logging_server: PrivateServer,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It refuses to say what an account may do; what to do about it is said."""
    monkeypatch.setenv("HERDBOOK_NODE_RECORDS", RECORDS)
    options = ["--skip-grant-tables"]
    with PrivateServer(tmp_path / "open", logging_server.program, options=options) as server:
        server.create_database(NAME)
        monkeypatch.setenv("HERDBOOK_DATABASE_URL", server.url(NAME))
        passed, (told,) = checked(herdbook, "database")
    assert not passed
    assert "does not say what the account may do" in told
    assert "Start the server without skip-grant-tables" in told
    assert "[database] url" not in told


@pytest.fixture
def forgetful(farm: PrivateServer) -> Iterator[PrivateServer]:
    """The server with settings that lose writes."""
    as_root(farm, "SET GLOBAL innodb_flush_log_at_trx_commit = 2", "SET GLOBAL sync_binlog = 0")
    yield farm
    as_root(farm, "SET GLOBAL innodb_flush_log_at_trx_commit = 1", "SET GLOBAL sync_binlog = 1")


def test_settings_that_lose_writes_are_refused(
    herdbook: Herdbook, forgetful: PrivateServer, tmp_path: Path
) -> None:
    """By the check, which tells both, and by a node that is to start on them."""
    passed, (flush, sync) = checked(herdbook, "database")
    assert (passed, herdbook("check").code) == (False, 1)
    assert flush.startswith("innodb_flush_log_at_trx_commit is 2, not 1")
    assert "sync_binlog is 0, not 1" in sync
    assert flush.endswith("[database] allow_not_durable = true")
    node = NodeProcess(tmp_path, url_of(forgetful, NAME, USER), HERDBOOK_NODE_RECORDS=RECORDS)
    with pytest.raises(AssertionError, match="the node did not start"), node:
        pass
    node.stop()
    (refused,) = (json.loads(line)["error"] for line in node.log().splitlines())
    assert refused["code"] == "database.not_durable"
    assert "sync_binlog is 0" in refused["message"]
    assert "allow_not_durable" in refused["hint"]


@pytest.mark.slow
def test_settings_that_lose_writes_are_allowed_by_name(
    herdbook: Herdbook, forgetful: PrivateServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The check passes and still warns of them; a node starts."""
    monkeypatch.setenv("HERDBOOK_DATABASE_ALLOW_NOT_DURABLE", "true")
    passed, messages = checked(herdbook, "database")
    assert (passed, herdbook("check").code) == (True, 0)
    assert [line.partition(":")[0] for line in messages[1:]] == [
        "WARNING, and allowed by [database] allow_not_durable = true"
    ] * 2
    assert "true " in herdbook("check").out.partition("database.allow_not_durable")[2][:20]
    database = url_of(forgetful, NAME, USER)
    with NodeProcess(tmp_path, database, HERDBOOK_NODE_RECORDS=RECORDS) as node:
        assert node.call("farm.count") == 0
