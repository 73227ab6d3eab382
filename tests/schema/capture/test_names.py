"""Capture whatever names are made of, and whatever a session is set to."""

from __future__ import annotations

import pytest

from records import Integer, Json, Record, Reference, Text
from schema.connection import connected
from tests.schema.capture.conftest import CaptureClasses

NAMES = [
    "order",
    "Two-Words",
    "it's",
    'say "so"',
    "tick`tick",
    "100%s",
    "back\\slash",
    "a b;--",
    "äöü",
    "t" * 50,
]
MODES = [
    "ANSI_QUOTES",
    "NO_BACKSLASH_ESCAPES",
    "PIPES_AS_CONCAT,IGNORE_SPACE",
    "PAD_CHAR_TO_FULL_LENGTH",
    "",
]


def parent_and_child(table: str, column: str) -> tuple[type[Record], type[Record]]:
    """A class of this table whose key has this column, and one that goes with it."""

    class Parent(Record):
        __storm_table__ = table
        code = Integer(primary=True, name=column)
        note = Text(length=9, allow_none=True)

    class Child(Record):
        __storm_table__ = f"{table[:9]}.kid"
        parent = Reference(Parent, columns=[f"{column[:9]}.id"], on_delete="cascade")

    return Parent, Child


@pytest.mark.parametrize("name", NAMES)
def test_any_name_of_a_table_or_a_column_can_be_captured(
    capturing: CaptureClasses, name: str
) -> None:
    """Births, changes, deaths and cascades are noted under the name, quotes and all."""
    captured = capturing(*parent_and_child(name, name))
    quoted = "`" + name.replace("`", "``") + "`"
    child = "`" + name[:9].replace("`", "``") + ".kid`"
    captured.run(
        f"INSERT INTO {quoted} ({quoted}) VALUES (1), (2)",
        f"UPDATE {quoted} SET note = 'x' WHERE {quoted} = 1",
        f"INSERT INTO {child} VALUES (REPEAT('k', 16), 1)",
        f"DELETE FROM {quoted} WHERE {quoted} = 1",
    )
    assert [entry[:2] for entry in captured.noted()] == [
        ("insert", name),
        ("insert", name),
        ("update", name),
        ("insert", f"{name[:9]}.kid"),
        ("delete", f"{name[:9]}.kid"),
        ("delete", name),
    ]
    assert captured.noted()[-1] == ("delete", name, 1)
    graveyard = "`herdbook_dead_" + name.replace("`", "``") + "`"
    assert captured.rows(f"SELECT {quoted}, note FROM {graveyard}") == [(1, "x")]


def test_columns_that_are_called_like_the_triggers_own_variables(
    capturing: CaptureClasses,
) -> None:
    """A trigger's variable never stands for a column of the same name."""

    class Odd(Record):
        died = Integer(primary=1)
        at = Integer(primary=2)
        changed = Text(length=9, default="")
        clock = Text(length=9, default="")
        version = Text(length=9, default="")
        i = Integer(default=0)
        column_number = Integer(default=0)
        life = Integer(default=0)

    captured = capturing(Odd)
    captured.run(
        "INSERT INTO odd (died, `at`) VALUES (1, 2), (3, 4)",
        "UPDATE odd SET changed = 'a', i = 7 WHERE died = 1",
        "DELETE FROM odd WHERE died = 3",
        "INSERT INTO odd (died, `at`) VALUES (3, 4)",
        "DELETE FROM odd",
    )
    assert captured.noted() == [
        ("insert", "odd", 1, 2),
        ("insert", "odd", 3, 4),
        ("update", "odd", 1, 2),
        ("delete", "odd", 3, 4),
        ("insert", "odd", 3, 4),
        ("delete", "odd", 1, 2),
        ("delete", "odd", 3, 4),
    ]
    assert captured.rows("SELECT died, changed, i FROM herdbook_dead_odd ORDER BY 1") == [
        (1, "a", 7),
        (3, "", 0),
    ]


@pytest.mark.parametrize("mode", MODES)
def test_the_mode_of_a_session_does_not_reach_the_triggers(
    capturing: CaptureClasses, mode: str
) -> None:
    """Triggers keep the mode they were made in."""
    captured = capturing(*parent_and_child("it's", "back\\slash"))
    statements = [
        f"SET SESSION sql_mode = '{mode}'",
        "SET SESSION character_set_client = latin1, collation_connection = latin1_swedish_ci",
        "INSERT INTO `it's` (`back\\slash`) VALUES (1)",
        "UPDATE `it's` SET note = 'y'",
        "DELETE FROM `it's`",
    ]
    session_of_one(captured.url, statements)
    assert captured.noted() == [(kind, "it's", 1) for kind in ("insert", "update", "delete")]


@pytest.mark.parametrize("charset", ["latin1", "utf8mb3", "utf8mb4", "cp1251", "ascii"])
def test_the_character_set_of_a_session_does_not_reach_the_changelog(
    capturing: CaptureClasses, charset: str
) -> None:
    """Keys are UTF-8 in the changelog, whatever a client speaks; so is who wrote."""

    class Word(Record):
        word = Text(length=9, primary=True)

    captured = capturing(Word)
    session_of_one(
        captured.url,
        [
            f"SET NAMES {charset}",
            "SET @herdbook_principal = 'api:x'",
            "INSERT INTO word VALUES (X'C3A4F09F9880')",
        ],
    )
    assert captured.noted() == [("insert", "word", "ä😀")]
    assert captured.rows("SELECT writer FROM herdbook_inbox") == [("api:x",)]


def test_a_table_of_many_columns_is_captured_whole(capturing: CaptureClasses) -> None:
    """Three hundred columns, all changed at once, all in the graveyard in the end."""
    fields = {f"c{number}": Integer(bits=16, default=0) for number in range(150)}
    documents = {f"d{number}": Json(allow_none=True) for number in range(150)}
    key = {"code": Integer(primary=True)}
    wide: type[Record] = type(
        "Wide", (Record,), {"__module__": __name__, **key, **fields, **documents}
    )
    captured = capturing(wide)
    changes = [f"{name} = 1" for name in fields] + [f"{name} = '[1]'" for name in documents]
    captured.run(
        "INSERT INTO wide (code) VALUES (1)",
        f"UPDATE wide SET {', '.join(changes)}",
        "DELETE FROM wide",
    )
    lengths = captured.rows("SELECT kind, LENGTH(fields) FROM herdbook_inbox ORDER BY entry")
    assert lengths == [("insert", None), ("update", 600), ("delete", None)]
    assert captured.rows("SELECT c149, d149 FROM herdbook_dead_wide") == [(1, "[1]")]


def session_of_one(url: str, statements: list[str]) -> None:
    """Run statements in one session and close it, so that its settings go with it."""
    with connected(url) as connection:
        for statement in statements:
            connection.exec_driver_sql(statement.replace("%", "%%"))
        connection.commit()
