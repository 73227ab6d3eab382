"""Rows change: only what really does is noted; a changed key is a death and a birth."""

from __future__ import annotations

from typing import Any

import pytest

from tests.capture.witness import Session, Zoo

DUPLICATE, STILL_REFERRED = 1062, 1451

TEXTS = ("plain", "general", "exact", "story")
HIDDEN_CHANGES: list[tuple[str, Any, Any]] = [
    *((column, "Foo", "foo") for column in TEXTS),
    *((column, "Foo", "Fóo") for column in TEXTS),
    *((column, "foo", "foo ") for column in TEXTS),
    *((column, "foo ", "foo") for column in TEXTS),
    *((column, "é", "e\u0301") for column in TEXTS),
    ("general", "ß", "s"),
    ("exact", "ß", "ss"),
    ("exact", "", "\u200b"),
    ("exact", "", "\x00"),
    *((column, b"a", b"a\x00") for column in ("packet", "picture")),
    *((column, b"a", b"A") for column in ("packet", "picture")),
    *((column, b"a ", b"a") for column in ("packet", "picture")),
    *((column, "", None) for column in ("story", "packet", "picture")),
    ("single", 0.0, None),
    ("double", 0.1, 0.1 + 2**-56),
    ("kind", "small", "large"),
]
"""A column, a value, and another that a comparison of the server's may take for the same."""


def test_an_update_that_changes_nothing_is_no_change(zoo: Zoo, sql: Session) -> None:
    """Neither noted nor stamped, of one row or of many."""
    sql.run("INSERT INTO club (number, name) VALUES (1, 'a'), (2, 'b')")
    zoo.forget()
    before = zoo.meta("club")
    sql.run("UPDATE club SET name = name, `rank` = 0")
    sql.run("UPDATE club SET number = number")
    assert zoo.told() == []
    assert zoo.meta("club") == before


def test_only_the_columns_that_change_are_named(zoo: Zoo, sql: Session) -> None:
    """One statement writes two columns in two rows; each row tells of its own changes."""
    sql.run("INSERT INTO club (number, name) VALUES (1, 'a'), (2, 'b'), (3, 'c')")
    zoo.forget()
    sql.run("UPDATE club SET name = IF(number = 2, 'x', name), `rank` = number - 1")
    assert zoo.told() == [
        ("update", "club", 2, ("name", "rank")),
        ("update", "club", 3, ("rank",)),
    ]


@pytest.mark.parametrize(("column", "old", "new"), HIDDEN_CHANGES, ids=repr)
def test_what_only_differs_in_bytes_is_a_change(
    zoo: Zoo, sql: Session, column: str, old: Any, new: Any
) -> None:
    """Letters' size, accents, spaces at the end, forms of one sign, the sign of zero: noted."""
    sql.run(f"INSERT INTO leaf (number, `{column}`) VALUES (1, %s)", old)
    zoo.forget()
    sql.run(f"UPDATE leaf SET `{column}` = %s", new)
    assert zoo.told() == [("update", "leaf", 1, (column,))]


@pytest.mark.parametrize("column", ["single", "double"])
def test_the_sign_of_zero_is_a_change(zoo: Zoo, sql: Session, column: str) -> None:
    """Nothing and minus nothing are equal, and different bits; MariaDB never keeps the sign."""
    sql.run(f"INSERT INTO leaf (number, `{column}`) VALUES (1, 0e0)")
    signed = sql.ask("SELECT VERSION() NOT LIKE '%%MariaDB%%'")[0][0]
    zoo.forget()
    for sign in (-1, -1, 1, 1):
        sql.run(f"UPDATE leaf SET `{column}` = 0e0 * {sign}")
    assert zoo.told() == [("update", "leaf", 1, (column,))] * (2 if signed else 0)


def test_a_document_that_compares_equal_is_a_change_where_its_text_differs(
    zoo: Zoo, sql: Session
) -> None:
    """1 and 1.0 are equal in JSON, and different numbers to a program; what is the same stays."""
    sql.run('INSERT INTO leaf (number, document) VALUES (1, \'{"a": 1, "b": [true]}\')')
    zoo.forget()
    sql.run('UPDATE leaf SET document = \'{"a": 1, "b": [true]}\'')
    assert zoo.told() == []
    for text in ('{"a": 1.0, "b": [true]}', '{"a": 1, "b": [true]}', '{"a": true, "b": [true]}'):
        sql.run("UPDATE leaf SET document = %s", text)
        assert zoo.told() == [("update", "leaf", 1, ("document",))], text


def test_an_update_of_several_tables_is_noted_in_each(zoo: Zoo, sql: Session) -> None:
    """One statement, two tables."""
    sql.run("INSERT INTO club (number, name) VALUES (1, 'a'), (2, 'b')")
    sql.run("INSERT INTO team (number, club_number) VALUES (5, 1), (6, 1), (7, 2)")
    zoo.forget()
    sql.run(
        "UPDATE club JOIN team ON team.club_number = club.number "
        "SET club.`rank` = 9, team.name = club.name WHERE club.number = 1"
    )
    assert sorted(zoo.told()) == [
        ("update", "club", 1, ("rank",)),
        ("update", "team", 5, ("name",)),
        ("update", "team", 6, ("name",)),
    ]


def test_rows_that_an_ignoring_update_leaves_out_do_not_change(zoo: Zoo, sql: Session) -> None:
    """UPDATE IGNORE: a name that is taken, a parent that is not there, a key that is taken.

    MariaDB runs the trigger after such rows too, so there an update may be noted that was none;
    nobody is said to have died, and nothing is buried.
    """
    sql.run("INSERT INTO club (number, name) VALUES (1, 'a'), (2, 'b'), (3, 'c')")
    sql.run("INSERT INTO team (number, club_number) VALUES (5, 1)")
    zoo.forget()
    before = zoo.meta("club", "number = 2"), zoo.meta("team")
    sql.run("UPDATE IGNORE club SET name = 'a' WHERE number = 2")
    sql.run("UPDATE IGNORE club SET name = 'x' WHERE number = 3")
    sql.run("UPDATE IGNORE team SET club_number = 77")
    sql.run("UPDATE IGNORE club SET number = 1 WHERE number = 2")
    told = zoo.told()
    assert ("update", "club", 3, ("name",)) in told
    assert {entry[0] for entry in told} == {"update"}
    assert (zoo.meta("club", "number = 2"), zoo.meta("team")) == before
    assert zoo.dead("club") == []


def test_a_changed_key_is_a_death_and_a_birth(zoo: Zoo, sql: Session) -> None:
    """The dead row keeps its values under the old key; the newborn begins a life of its own."""
    sql.run("INSERT INTO club (number, name, `rank`) VALUES (1, 'a', 7)")
    sql.run("UPDATE club SET `rank` = 8")
    zoo.forget()
    (before,) = zoo.meta("club")
    sql.run("UPDATE club SET number = 2, name = 'b'")
    notes = zoo.notes()
    assert [note.what for note in notes] == [("delete", "club", 1), ("insert", "club", 2)]
    assert [note.life for note in notes] == [2, 1]
    assert zoo.dead("club", "number, name, `rank`") == [(1, "a", 8)]
    (after,) = zoo.meta("club")
    assert (after.life, after.clock) == (1, None)
    assert after.stamp > before.stamp
    assert zoo.dead_meta("club")[0].life == 2


def test_a_key_may_change_to_that_of_a_dead_row(zoo: Zoo, sql: Session) -> None:
    """The death before stays in the graveyard until the birth is sealed, and the new death too."""
    sql.run("INSERT INTO club (number, name) VALUES (1, 'a'), (2, 'b')")
    sql.run("DELETE FROM club WHERE number = 2")
    zoo.forget()
    sql.run("UPDATE club SET number = 2 WHERE number = 1")
    assert zoo.told() == [("delete", "club", 1), ("insert", "club", 2)]
    assert zoo.dead("club", "number, name") == [(1, "a"), (2, "b")]


def test_keys_may_be_shifted_by_one_statement(zoo: Zoo, sql: Session) -> None:
    """Each row dies under its old key and is born under the next; what is told replays."""
    sql.run("INSERT INTO club (number, name) VALUES (1, 'a'), (2, 'b'), (3, 'c')")
    zoo.forget()
    sql.run("UPDATE club SET number = number + 1 ORDER BY number DESC")
    alive = {1, 2, 3}
    for kind, _table, key in zoo.told():
        (alive.add if kind == "insert" else alive.remove)(key)
    assert alive == {2, 3, 4}


def test_a_key_in_another_spelling_is_another_key(zoo: Zoo, sql: Session) -> None:
    """'Foo' becomes 'foo' where the server sees no difference: a death and a birth, in one place.

    The life goes on from there, and nobody lies in the graveyard where somebody lives.
    """
    sql.run("INSERT INTO word (word, label) VALUES ('Foo', 'x')")
    zoo.forget()
    sql.run("UPDATE word SET word = 'foo'")
    notes = zoo.notes()
    assert [note.what for note in notes] == [("delete", "word", "Foo"), ("insert", "word", "foo")]
    assert [note.life for note in notes] == [2, 3]
    assert [meta.life for meta in zoo.meta("word")] == [3]
    assert zoo.dead("word") == []


@pytest.mark.parametrize("other", ["foo", "Foo ", "Fóo"])
def test_a_row_of_another_spelling_takes_the_place_of_a_dead_one(
    zoo: Zoo, sql: Session, other: str
) -> None:
    """What dies after it is buried in the same place, with a later life."""
    sql.run("INSERT INTO word (word) VALUES ('Foo')")
    sql.run("DELETE FROM word")
    sql.run("INSERT INTO word (word) VALUES (%s)", other)
    sql.run("DELETE FROM word")
    notes = zoo.notes()
    assert [note.what for note in notes] == [
        *(("insert", "word", "Foo"), ("delete", "word", "Foo")),
        *(("insert", "word", other), ("delete", "word", other)),
    ]
    assert zoo.dead("word", "word, herdbook_life") == [(other, notes[-1].life)]
    assert notes[-1].life == 4


def test_a_unique_value_in_another_spelling_is_noted(zoo: Zoo, sql: Session) -> None:
    """'X' becomes 'x ' in a unique field: an ordinary update."""
    sql.run("INSERT INTO word (word, label) VALUES ('a', 'X')")
    zoo.forget()
    sql.run("UPDATE word SET label = 'x '")
    assert zoo.told() == [("update", "word", "a", ("label",))]


def test_a_key_of_two_fields_is_told_whole(zoo: Zoo, sql: Session) -> None:
    """Each part by itself, whatever bytes it holds; a change of one part is a change of the key."""
    sql.run("INSERT INTO pair (`left`, `right`) VALUES (-1, '€,\\'\\0'), (1, '')")
    assert zoo.told() == [("insert", "pair", -1, "€,'\0"), ("insert", "pair", 1, "")]
    sql.run("UPDATE pair SET `right` = 'x', note = 'n' WHERE `left` = 1")
    assert zoo.told() == [("delete", "pair", 1, ""), ("insert", "pair", 1, "x")]
    sql.run("UPDATE pair SET note = 'm' WHERE `left` = 1")
    assert zoo.told() == [("update", "pair", 1, "x", ("note",))]


def test_a_parents_key_with_children_stays(zoo: Zoo, sql: Session) -> None:
    """Foreign keys do nothing by themselves, so the server refuses; nothing is left."""
    sql.run("INSERT INTO club (number, name) VALUES (1, 'a')")
    sql.run("INSERT INTO team (number, club_number) VALUES (5, 1)")
    zoo.forget()
    assert sql.refused("UPDATE club SET number = 2") == STILL_REFERRED
    assert zoo.told() == []
    assert zoo.dead("club") == []


def test_keys_are_the_same_bytes_whatever_the_session(zoo: Zoo, sql: Session) -> None:
    """Another time zone, another character set: the same moment, bits and token are one key."""
    row = "INSERT INTO ticket (moment, bits, token) VALUES (%s, b'101010101010', UNHEX('{}'))"
    token = "00FF27" + "20" * 13
    sql.run("SET time_zone = '+00:00'")
    sql.run(row.format(token), "2026-03-29 01:30:00.000001")
    with zoo.session() as other:
        other.run("SET time_zone = '+05:30', NAMES latin1")
        other.run("UPDATE ticket SET note = 'x'")
        other.run("UPDATE ticket SET moment = '2026-03-29 07:00:00.000001'")
        other.run("DELETE FROM ticket")
    told = zoo.told()
    assert [note[0] for note in told] == ["insert", "update", "delete"]
    keys = {note[2:5] for note in told}
    assert keys == {
        ("2026-03-29 01:30:00.000001", (0xAAA).to_bytes(8, "big"), bytes.fromhex(token))
    }
