"""Rows are born: each kind of statement that inserts, and what it leaves."""

from __future__ import annotations

from pathlib import Path

from tests.capture.witness import Session, Zoo

DUPLICATE, STILL_REFERRED, NO_PARENT = 1062, 1451, 1452


def test_each_row_of_an_insert_of_many_is_noted(zoo: Zoo, sql: Session) -> None:
    """Three rows, three births, each of life 1 and of this origin, in the order of the rows."""
    sql.run("INSERT INTO club (number, name) VALUES (3, 'c'), (1, 'a'), (2, 'b')")
    notes = zoo.notes()
    assert [note.what for note in notes] == [("insert", "club", number) for number in (3, 1, 2)]
    assert {(note.life, note.origin, note.fields) for note in notes} == {(1, zoo.origin(), ())}
    assert {(meta.life, meta.origin, meta.clock) for meta in zoo.meta("club")} == {
        (1, zoo.origin(), None)
    }
    assert [note.stamp for note in sorted(notes, key=lambda note: note.key)] == [
        meta.stamp for meta in zoo.meta("club")
    ]


def test_rows_that_a_query_gives_are_noted(zoo: Zoo, sql: Session) -> None:
    """INSERT … SELECT, also from the table itself."""
    sql.run("INSERT INTO club (number, name) VALUES (1, 'a'), (2, 'b')")
    zoo.forget()
    sql.run("INSERT INTO club (number, name) SELECT number + 10, CONCAT(name, name) FROM club")
    assert zoo.told() == [("insert", "club", 11), ("insert", "club", 12)]


def test_rows_that_are_loaded_from_a_file_are_noted(zoo: Zoo, tmp_path: Path) -> None:
    """LOAD DATA LOCAL, with REPLACE too."""
    file = tmp_path / "clubs.txt"
    file.write_text("1\ta\n2\tb\n")
    with zoo.session(local_infile=1) as session:
        allowed = session.ask("SELECT @@GLOBAL.local_infile")[0][0]
        session.run("SET GLOBAL local_infile = 1")
        load = f"LOAD DATA LOCAL INFILE '{file}' %s INTO TABLE club (number, name)"
        session.run(load % "")
        assert zoo.told() == [("insert", "club", 1), ("insert", "club", 2)]
        session.run(load % "REPLACE")
        session.run(f"SET GLOBAL local_infile = {allowed}")
    assert zoo.told() == [
        *(("delete", "club", 1), ("insert", "club", 1)),
        *(("delete", "club", 2), ("insert", "club", 2)),
    ]


def test_an_upsert_is_noted_as_what_it_does(zoo: Zoo, sql: Session) -> None:
    """ON DUPLICATE KEY UPDATE: one row is new, one changes, one stays as it was."""
    sql.run("INSERT INTO club (number, name, `rank`) VALUES (1, 'a', 1), (2, 'b', 2)")
    zoo.forget()
    before = zoo.meta("club")
    sql.run(
        "INSERT INTO club (number, name, `rank`) VALUES (1, 'x', 1), (2, 'y', 7), (3, 'c', 3) "
        "ON DUPLICATE KEY UPDATE `rank` = VALUES(`rank`)"
    )
    assert zoo.told() == [("update", "club", 2, ("rank",)), ("insert", "club", 3)]
    after = zoo.meta("club")
    assert after[0] == before[0]
    assert after[1].stamp > before[1].stamp
    assert after[2].life == 1


def test_an_upsert_that_meets_another_unique_key_changes_that_row(zoo: Zoo, sql: Session) -> None:
    """The row that is hit is noted, not the one that was named."""
    sql.run("INSERT INTO club (number, name) VALUES (1, 'a')")
    zoo.forget()
    sql.run("INSERT INTO club (number, name) VALUES (9, 'a') ON DUPLICATE KEY UPDATE `rank` = 5")
    assert zoo.told() == [("update", "club", 1, ("rank",))]


def test_an_upsert_may_move_the_key(zoo: Zoo, sql: Session) -> None:
    """ON DUPLICATE KEY UPDATE of the key is a death and a birth."""
    sql.run("INSERT INTO club (number, name) VALUES (1, 'a')")
    zoo.forget()
    sql.run("INSERT INTO club (number, name) VALUES (1, 'a') ON DUPLICATE KEY UPDATE number = 5")
    assert zoo.told() == [("delete", "club", 1), ("insert", "club", 5)]


def test_rows_that_an_ignoring_insert_leaves_out_leave_no_trace(zoo: Zoo, sql: Session) -> None:
    """INSERT IGNORE: refused by the key, a unique key, a foreign key; the others are noted."""
    sql.run("INSERT INTO club (number, name) VALUES (1, 'a')")
    zoo.forget()
    before = zoo.meta("club")
    sql.run("INSERT IGNORE INTO club (number, name) VALUES (1, 'z'), (2, 'a'), (3, 'c')")
    sql.run("INSERT IGNORE INTO team (number, club_number) VALUES (1, 77), (2, 1)")
    assert zoo.told() == [("insert", "club", 3), ("insert", "team", 2)]
    assert zoo.meta("club", "number = 1") == before
    assert zoo.dead("club") == []


def test_replacing_a_row_is_a_death_and_a_birth(zoo: Zoo, sql: Session) -> None:
    """REPLACE: the old values are in the graveyard, and the newborn is noted after the death."""
    sql.run("INSERT INTO club (number, name, `rank`) VALUES (1, 'a', 5)")
    zoo.forget()
    sql.run("REPLACE INTO club (number, name) VALUES (1, 'b'), (2, 'c')")
    notes = zoo.notes()
    assert [note.what for note in notes] == [
        *(("delete", "club", 1), ("insert", "club", 1), ("insert", "club", 2))
    ]
    assert [note.life for note in notes] == [2, 1, 1]
    assert zoo.dead("club", "number, name, `rank`, herdbook_life") == [(1, "a", 5, 2)]


def test_replacing_takes_what_stands_in_the_way_by_any_unique_key(zoo: Zoo, sql: Session) -> None:
    """One new row meets two others: both die, by their own keys."""
    sql.run("INSERT INTO club (number, name) VALUES (1, 'a'), (2, 'b')")
    zoo.forget()
    sql.run("REPLACE INTO club (number, name) VALUES (1, 'b')")
    told = zoo.told()
    assert sorted(told[:2]) == [("delete", "club", 1), ("delete", "club", 2)]
    assert told[2:] == [("insert", "club", 1)]
    assert zoo.dead("club", "number, name") == [(1, "a"), (2, "b")]
    assert zoo.rows("club") == [(1, "b", 0)]


def test_replacing_a_parent_is_never_unseen_by_its_children(zoo: Zoo, sql: Session) -> None:
    """The server refuses, and nothing is left; or the children go, and each is noted."""
    sql.run("INSERT INTO club (number, name) VALUES (1, 'a')")
    sql.run("INSERT INTO team (number, club_number) VALUES (5, 1), (6, 1)")
    zoo.forget()
    before = zoo.meta("team")
    refused = sql.attempt("REPLACE INTO club (number, name) VALUES (1, 'b')")
    assert refused in (None, STILL_REFERRED, NO_PARENT)
    if refused is not None:
        assert zoo.told() == []
        assert zoo.dead("club") == zoo.dead("team") == []
        assert zoo.meta("team") == before
    else:
        assert zoo.rows("team") == []
        assert sorted(zoo.told()) == [
            *(("delete", "club", 1), ("delete", "team", 5), ("delete", "team", 6)),
            ("insert", "club", 1),
        ]
        assert zoo.dead("team", "number, club_number") == [(5, 1), (6, 1)]


def test_a_refused_insert_leaves_nothing(zoo: Zoo, sql: Session) -> None:
    """A statement whose third row is refused is undone as a whole, its notes too."""
    sql.run("INSERT INTO club (number, name) VALUES (3, 'c')")
    zoo.forget()
    insert = "INSERT INTO club (number, name) VALUES (1, 'a'), (2, 'b'), (4, 'c')"
    assert sql.refused(insert) == DUPLICATE
    assert zoo.told() == []
    assert len(zoo.rows("club")) == 1
