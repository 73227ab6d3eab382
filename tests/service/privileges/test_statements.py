"""The statements of an account: everything in quotes, and nothing but what is needed."""

from __future__ import annotations

import pytest

from service.privileges.needs import needed
from service.privileges.statements import Account, Target, create_user, grants
from service.server.versions import ServerKind

APP = Account("app", "localhost")
FARM = Target("farm")


def test_an_account_that_migrates_and_serves_gets_this_and_no_more() -> None:
    """MySQL wants REFERENCES for foreign keys; MariaDB RELOAD to heal triggers."""
    mariadb = grants(needed(ServerKind.MARIADB, serve_only=False), FARM, APP)
    assert mariadb == (
        "GRANT SELECT, INSERT, UPDATE, DELETE, CREATE, ALTER, DROP, INDEX, TRIGGER "
        "ON `farm`.* TO `app`@`localhost`;",
        "GRANT RELOAD ON *.* TO `app`@`localhost`;",
    )
    mysql = grants(needed(ServerKind.MYSQL, serve_only=False), FARM, APP)
    assert mysql == (
        "GRANT SELECT, INSERT, UPDATE, DELETE, CREATE, ALTER, DROP, INDEX, TRIGGER, REFERENCES "
        "ON `farm`.* TO `app`@`localhost`;",
    )


def test_an_account_that_only_serves_changes_no_table() -> None:
    """It reads and writes rows."""
    mysql = grants(needed(ServerKind.MYSQL, serve_only=True), FARM, APP)
    assert mysql == ("GRANT SELECT, INSERT, UPDATE, DELETE ON `farm`.* TO `app`@`localhost`;",)
    mariadb = grants(needed(ServerKind.MARIADB, serve_only=True), FARM, APP)
    assert mariadb[0] == mysql[0]
    assert mariadb[1:] == ("GRANT RELOAD ON *.* TO `app`@`localhost`;",)


@pytest.mark.parametrize("kind", ServerKind)
def test_nothing_that_is_too_much_is_ever_given(kind: ServerKind) -> None:
    """Neither all nor what rules a server."""
    named = {need.privilege for need in needed(kind, serve_only=False)}
    assert not named & {"SUPER", "ALL", "ALL PRIVILEGES", "GRANT OPTION", "FILE", "PROCESS"}


@pytest.mark.parametrize(
    ("name", "pattern"),
    [
        ("farm", "farm"),
        ("my_farm", "my\\_farm"),
        ("100%", "100\\%"),
        ("a\\b", "a\\\\b"),
        ("a\\_b", "a\\\\\\_b"),
    ],
)
def test_wild_cards_in_a_name_stand_for_themselves(name: str, pattern: str) -> None:
    """In a GRANT a name is a pattern, unless partial_revokes is on: then it is a name."""
    assert Target(name).pattern == pattern
    assert Target(name, is_literal=True).pattern == name


def test_names_are_quoted_whatever_they_hold() -> None:
    """Quotes of every kind end nothing."""
    account = Account("o'b`r", "10.0.0.%")
    needs = needed(ServerKind.MYSQL, serve_only=True)
    (statement,) = grants(needs, Target("a`b_"), account)
    assert statement.endswith(" ON `a``b\\_`.* TO `o'b``r`@`10.0.0.%`;")


def test_no_password_is_in_a_statement() -> None:
    """What stands for it is no text in quotes, so that the server takes none of it."""
    assert create_user(APP) == "CREATE USER `app`@`localhost` IDENTIFIED BY <password>;"


def test_an_account_is_taken_apart_at_its_last_at() -> None:
    """A user may be called like an address of mail."""
    assert Account.parse("me@farm@10.0.0.%") == Account("me@farm", "10.0.0.%")
