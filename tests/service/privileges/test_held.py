"""What SHOW GRANTS says, understood as the servers mean it. The lines are those they give."""

from __future__ import annotations

import pytest

from service.privileges.held import held_on
from service.privileges.statements import Target

FARM = Target("my_farm")
TO = "TO `app`@`localhost`"

CASES: dict[str, tuple[list[str], set[str]]] = {
    "nothing": ([f"GRANT USAGE ON *.* {TO}"], {"USAGE"}),
    "on the database": ([f"GRANT SELECT, INSERT ON `my\\_farm`.* {TO}"], {"SELECT", "INSERT"}),
    "on the server": ([f"GRANT RELOAD, SUPER ON *.* {TO}"], {"RELOAD", "SUPER"}),
    "by a pattern": ([f"GRANT SELECT ON `my%`.* {TO}"], {"SELECT"}),
    "by an unescaped name": ([f"GRANT SELECT ON `my_farm`.* {TO}"], {"SELECT"}),
    "everything": (
        [f"GRANT ALL PRIVILEGES ON *.* {TO} IDENTIFIED BY PASSWORD '*8B' WITH GRANT OPTION"],
        {"ALL PRIVILEGES"},
    ),
    "everything on the database": (
        [f"GRANT USAGE ON *.* {TO}", f"GRANT ALL PRIVILEGES ON `my\\_farm`.* {TO}"],
        {"USAGE", "ALL PRIVILEGES"},
    ),
    "on another database": (
        [f"GRANT SELECT ON `your\\_farm`.* {TO}", f"GRANT DROP ON `my\\_far`.* {TO}"],
        set(),
    ),
    "on tables, columns, routines and by proxy": (
        [
            f"GRANT SELECT, INSERT (`a`) ON `my_farm`.`cow` {TO}",
            f"GRANT DELETE ON `my_farm`.`cow` {TO}",
            f"GRANT EXECUTE ON PROCEDURE `my_farm`.`milk` {TO}",
            f"GRANT EXECUTE ON PACKAGE BODY `my_farm`.`milk` {TO}",
            "GRANT PROXY ON ''@'%' TO 'root'@'localhost' WITH GRANT OPTION",
            f"GRANT UPDATE (`a`, `b`), INSERT ON `my_farm`.`cow` {TO}",
            f"GRANT `farmer`@`%`,`clerk`@`%` {TO}",
            f"GRANT `farmer` {TO} WITH ADMIN OPTION",
            "SET DEFAULT ROLE `farmer` FOR `app`@`localhost`",
        ],
        set(),
    ),
    "by the more particular of two patterns": (
        [f"GRANT SELECT ON `my%`.* {TO}", f"GRANT INSERT ON `my\\_f%`.* {TO}"],
        {"INSERT"},
    ),
    "by the name before any pattern": (
        [f"GRANT INSERT ON `my\\_farm`.* {TO}", f"GRANT SELECT ON `my\\_far_`.* {TO}"],
        {"INSERT"},
    ),
    "by itself and by a role": (
        [f"GRANT INSERT ON `my\\_farm`.* {TO}", "GRANT SELECT ON `my%`.* TO `farmer`"],
        {"INSERT", "SELECT"},
    ),
    "to a user of any name": (["GRANT DROP ON `my\\_farm`.* TO `a b``c@d`@`%`"], {"DROP"}),
    "in the quotes of older servers": (["GRANT DROP ON `my\\_farm`.* TO 'a'@'%'"], {"DROP"}),
}


@pytest.mark.parametrize(("lines", "held"), CASES.values(), ids=CASES)
def test_what_is_held(lines: list[str], held: set[str]) -> None:
    """Privileges on the database and on the server count, by name, pattern or role."""
    found = held_on(FARM, lines)
    assert found.here == held
    assert found.unread == ()


LITERALLY: dict[str, tuple[list[str], set[str]]] = {
    "by its name": ([f"GRANT SELECT ON `my_farm`.* {TO}"], {"SELECT"}),
    "by a pattern, which is none": ([f"GRANT SELECT ON `my\\_farm`.* {TO}"], set()),
    "on the server but for this database": (
        [
            f"GRANT SELECT, INSERT ON *.* {TO}",
            "REVOKE INSERT ON `my_farm`.* FROM `app`@`localhost`",
        ],
        {"SELECT"},
    ),
    "on the server but for another database": (
        [f"GRANT SELECT, INSERT ON *.* {TO}", "REVOKE INSERT ON `other`.* FROM `app`@`localhost`"],
        {"SELECT", "INSERT"},
    ),
}


@pytest.mark.parametrize(("lines", "held"), LITERALLY.values(), ids=LITERALLY)
def test_what_is_held_where_partial_revokes_is_on(lines: list[str], held: set[str]) -> None:
    """Names are no patterns there, and what is given everywhere may be taken back in one place."""
    found = held_on(Target("my_farm", is_literal=True), lines)
    assert found.here == held
    assert found.unread == ()


def test_a_backslash_in_a_name_is_doubled_in_its_pattern() -> None:
    """As the servers want it."""
    target = Target("a\\b")
    assert held_on(target, [f"GRANT SELECT ON `a\\\\b`.* {TO}"]).here == {"SELECT"}
    assert held_on(target, [f"GRANT SELECT ON `a\\b`.* {TO}"]).here == set()


def test_what_is_held_on_the_server_is_told_from_what_is_held_on_the_database() -> None:
    """All of the one is not all of the other."""
    lines = [f"GRANT RELOAD ON *.* {TO}", f"GRANT ALL PRIVILEGES ON `my_farm`.* {TO}"]
    assert held_on(FARM, lines).everywhere == {"RELOAD"}
    everything = held_on(FARM, [f"GRANT ALL PRIVILEGES ON *.* {TO}"])
    assert everything.everywhere == {"ALL PRIVILEGES"}


@pytest.mark.parametrize(
    ("line", "told"),
    [
        (
            f"GRANT SELECT, Milk2 ON *.* {TO} IDENTIFIED BY PASSWORD '*8B'",
            "GRANT SELECT, Milk2 ON *.*",
        ),
        (f'GRANT SELECT ON "my_farm".* {TO}', 'GRANT SELECT ON "my_farm".*'),
        (f"DENY DROP ON `my_farm`.* {TO}", "DENY DROP ON `my_farm`.*"),
        ("ALLOW IDENTIFIED BY PASSWORD '*8B'", "ALLOW"),
        ("PASSWORD='*8B'", "PASSWORD="),
    ],
)
def test_a_line_that_is_not_understood_is_kept_without_the_hash_in_it(line: str, told: str) -> None:
    """What it gives, or takes back, is not known: somebody has to look."""
    found = held_on(FARM, [f"GRANT INSERT ON `my_farm`.* {TO}", line])
    assert found.here == {"INSERT"}
    assert found.unread == (told,)
