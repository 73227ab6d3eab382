"""Rows die: cascades that triggers make, what restricts them, and what ends in the graveyard."""

from __future__ import annotations

import pytest

from tests.capture.witness import Session, Zoo

STILL_REFERRED, IN_USE = 1451, 1442

FAMILY = (
    "INSERT INTO club (number, name) VALUES (1, 'a'), (2, 'b')",
    "INSERT INTO team (number, club_number, name) VALUES (11, 1, 'x'), (12, 1, 'y'), (13, 2, 'z')",
    "INSERT INTO player (number, team_number) VALUES (111, 11), (112, 11), (121, 12), (131, 13)",
    "INSERT INTO boot (number, player_number) VALUES (1, 111), (2, 121), (3, NULL), (4, 131)",
)
"""Two clubs with all below them."""


@pytest.fixture
def family(zoo: Zoo, sql: Session) -> Zoo:
    """Both clubs, and nothing told of them any more."""
    for statement in FAMILY:
        sql.run(statement)
    zoo.forget()
    return zoo


def test_a_deleted_row_is_noted_and_keeps_its_values(zoo: Zoo, sql: Session) -> None:
    """The graveyard has the whole row, when it died, by whom, and a life one higher."""
    sql.run("INSERT INTO club (number, name, `rank`) VALUES (1, 'a', 3), (2, 'b', 4)")
    sql.run("UPDATE club SET `rank` = 9 WHERE number = 1")
    zoo.forget()
    alive = zoo.meta("club", "number = 1")[0]
    sql.run("DELETE FROM club WHERE number = 1")
    (note,) = zoo.notes()
    assert (*note.what, note.life) == ("delete", "club", 1, 2)
    ((*values, died, writer),) = zoo.dead(
        "club", "number, name, `rank`, herdbook_died, herdbook_writer"
    )
    assert values == [1, "a", 9]
    assert (died, writer) == (note.stamp, note.writer)
    assert died >= alive.stamp
    (dead,) = zoo.dead_meta("club")
    assert (dead.life, dead.stamp, dead.clock) == (2, alive.stamp, alive.clock)


def test_deleting_many_is_noted_row_by_row(zoo: Zoo, sql: Session) -> None:
    """One statement, with an order and a limit; and one that finds nothing."""
    sql.run("INSERT INTO club (number, name) VALUES (1, 'a'), (2, 'b'), (3, 'c')")
    zoo.forget()
    sql.run("DELETE FROM club ORDER BY number DESC LIMIT 2")
    sql.run("DELETE FROM club WHERE number = 99")
    assert zoo.told() == [("delete", "club", 3), ("delete", "club", 2)]


def test_a_cascade_of_three_levels_is_noted_bottom_up(family: Zoo, sql: Session) -> None:
    """The boots let go, the players die, then the teams, then the club; the others stay."""
    sql.run("DELETE FROM club WHERE number = 1")
    told = family.told()
    assert sorted(told) == sorted(
        [
            *(("update", "boot", number, ("player_number",)) for number in (1, 2)),
            *(("delete", "player", number) for number in (111, 112, 121)),
            *(("delete", "team", number) for number in (11, 12)),
            ("delete", "club", 1),
        ]
    )
    at = {entry[1:3]: place for place, entry in enumerate(told)}
    assert at["boot", 1] < at["player", 111] < at["team", 11] < at["club", 1]
    assert at["boot", 2] < at["player", 121] < at["team", 12] < at["club", 1]
    assert family.dead("player", "number, team_number") == [(111, 11), (112, 11), (121, 12)]
    assert family.dead("team", "number, club_number, name") == [(11, 1, "x"), (12, 1, "y")]
    assert family.rows("boot") == [(1, None), (2, None), (3, None), (4, 131)]
    assert (family.rows("player"), family.rows("team")) == ([(131, 13, "")], [(13, 2, "z")])


def test_a_row_that_restricts_at_the_bottom_refuses_the_whole_statement(
    family: Zoo, sql: Session
) -> None:
    """A medal keeps its player, and so the team and the club; not one thing is changed or told."""
    sql.run("INSERT INTO medal (number, player_number) VALUES (1, 121)")
    family.forget()
    tables = ("club", "team", "player", "boot", "medal")
    before = [(family.rows(table), family.meta(table)) for table in tables]
    assert sql.refused("DELETE FROM club") == STILL_REFERRED
    assert family.told() == []
    assert [(family.rows(table), family.meta(table)) for table in tables] == before
    assert [family.dead(table) for table in tables] == [[]] * 5


def test_what_an_ignoring_delete_leaves_stays_as_it_was(family: Zoo, sql: Session) -> None:
    """DELETE IGNORE: what is told is what happened, for each row by itself.

    The triggers of a row that the server leaves alive have let its children go before it was
    refused: they are dead, and told so.
    """
    sql.run("INSERT INTO medal (number, player_number) VALUES (1, 121)")
    family.forget()
    tables = ("club", "team", "player", "boot", "medal")
    before = {table: {row[0]: row for row in family.rows(table)} for table in tables}
    assert sql.attempt("DELETE IGNORE FROM club") in (None, STILL_REFERRED)
    alive = {(table, number) for table in tables for number in before[table]}
    for kind, table, number, *_fields in family.told():
        if kind == "delete":
            alive.remove((table, number))
    assert alive == {(table, row[0]) for table in tables for row in family.rows(table)}
    for table in tables:
        gone = before[table].keys() - {row[0] for row in family.rows(table)}
        assert {row[0] for row in family.dead(table)} == gone


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE club, team FROM club LEFT JOIN team ON team.club_number = club.number "
        "WHERE club.number = 1",
        "DELETE team, club FROM club LEFT JOIN team ON team.club_number = club.number "
        "WHERE club.number = 1",
        "DELETE FROM player, team USING player JOIN team ON player.team_number = team.number",
        "DELETE boot, player FROM boot JOIN player ON boot.player_number = player.number",
    ],
)
def test_a_delete_from_several_tables_is_noted_or_refused(
    family: Zoo, sql: Session, statement: str
) -> None:
    """Each row is told once; or the statement is refused as a whole.

    A trigger may not touch a table that the statement is deleting from.
    """
    tables = ("club", "team", "player", "boot")
    before = {(table, row[0]) for table in tables for row in family.rows(table)}
    refused = sql.attempt(statement)
    assert refused in (None, IN_USE, STILL_REFERRED)
    told = [entry[1:3] for entry in family.told() if entry[0] == "delete"]
    after = {(table, row[0]) for table in tables for row in family.rows(table)}
    assert len(told) == len(set(told))
    assert set(told) == before - after
    dead = {(table, row[0]) for table in tables for row in family.dead(table)}
    assert dead == before - after
    assert (refused is not None) == (before == after)


def test_a_tree_is_not_cut_by_plain_sql(zoo: Zoo, sql: Session) -> None:
    """A trigger cannot follow a table into itself.

    A branch that others refer to stays; a leaf goes, and a whole tree from its leaves on.
    """
    sql.run("INSERT INTO branch (number, above_number) VALUES (1, NULL), (2, 1), (3, 2)")
    zoo.forget()
    assert sql.refused("DELETE FROM branch WHERE number = 1") == STILL_REFERRED
    assert zoo.told() == []
    assert zoo.dead("branch") == []
    sql.run("DELETE FROM branch ORDER BY number DESC")
    assert zoo.told() == [("delete", "branch", number) for number in (3, 2, 1)]
    assert zoo.dead("branch", "number, above_number") == [(1, None), (2, 1), (3, 2)]


def test_a_row_that_dies_twice_lies_there_once(zoo: Zoo, sql: Session) -> None:
    """The latest values, and a life that has grown with every birth and death."""
    for rank in (1, 2, 3):
        sql.run("INSERT INTO club (number, name, `rank`) VALUES (1, 'a', %s)", rank)
        sql.run("DELETE FROM club")
    deaths = [note.life for note in zoo.notes() if note.kind == "delete"]
    assert deaths == [2, 4, 6]
    assert zoo.dead("club", "`rank`, herdbook_life") == [(3, 6)]


def test_children_die_with_the_spelling_they_have(zoo: Zoo, sql: Session) -> None:
    """A delete by another spelling of the key is told by the key as it stood in the row."""
    sql.run("INSERT INTO word (word) VALUES ('Foo')")
    zoo.forget()
    sql.run("DELETE FROM word WHERE word = 'FOO '")
    assert zoo.told() == [("delete", "word", "Foo")]
