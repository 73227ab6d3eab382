"""What a session does besides writing: transactions, variables, switches; and what it is told."""

from __future__ import annotations

import pytest

from tests.capture.witness import Session, Zoo

CACHED_TABLES = 40
"""Sessions after which each of MySQL's sixteen table caches was used; it goes by the session."""


def test_what_is_rolled_back_leaves_nothing(zoo: Zoo) -> None:
    """No note, no dead, no stamp; neither whole transactions nor parts of them."""
    with zoo.session(autocommit=False) as session:
        session.run("INSERT INTO club (number, name) VALUES (1, 'a'), (2, 'b')")
        session.connection.commit()
        zoo.forget()
        before = zoo.meta("club")
        session.run("UPDATE club SET `rank` = 5")
        session.run("DELETE FROM club WHERE number = 1")
        session.run("INSERT INTO club (number, name) VALUES (3, 'c')")
        session.connection.rollback()
    assert zoo.told() == []
    assert (zoo.meta("club"), zoo.dead("club")) == (before, [])


def test_what_a_savepoint_takes_back_leaves_nothing(zoo: Zoo) -> None:
    """The rest of the transaction is told."""
    with zoo.session(autocommit=False) as session:
        session.run("INSERT INTO club (number, name) VALUES (1, 'a')")
        session.run("SAVEPOINT here")
        session.run("INSERT INTO club (number, name) VALUES (2, 'b')")
        session.run("UPDATE club SET `rank` = 5")
        session.run("DELETE FROM club WHERE number = 1")
        session.run("ROLLBACK TO SAVEPOINT here")
        session.run("INSERT INTO club (number, name) VALUES (3, 'c')")
        session.connection.commit()
    assert zoo.told() == [("insert", "club", 1), ("insert", "club", 3)]
    assert zoo.dead("club") == []
    assert [(meta.life, meta.clock) for meta in zoo.meta("club")] == [(1, None), (1, None)]


def test_a_session_that_applies_is_quiet(zoo: Zoo, sql: Session) -> None:
    """It writes the invisible columns itself; nothing is told, buried or done to children."""
    sql.run("INSERT INTO club (number, name) VALUES (1, 'a')")
    zoo.forget()
    with zoo.session() as applier:
        applier.run("SET @herdbook_applying = 1")
        applier.run("UPDATE club SET `rank` = 2, herdbook_stamp = 5, herdbook_origin = 6")
        applier.run("INSERT INTO club (number, name, herdbook_life) VALUES (2, 'b', 7)")
        metas = zoo.meta("club")
        assert [(meta.stamp, meta.origin) for meta in metas] == [(5, 6), (0, 0)]
        assert metas[1].life == 7
        applier.run("DELETE FROM club")
        assert zoo.told() == []
        assert zoo.dead("club") == []
        applier.run("SET @herdbook_applying = NULL")
        applier.run("INSERT INTO club (number, name) VALUES (3, 'c')")
    assert zoo.told() == [("insert", "club", 3)]


def _write_once(session: Session, number: int) -> None:
    """A birth, a change and a death."""
    session.run("INSERT INTO club (number, name) VALUES (%s, %s)", number, str(number))
    session.run("UPDATE club SET `rank` = 1 WHERE number = %s", number)
    session.run("DELETE FROM club WHERE number = %s", number)


@pytest.mark.parametrize(
    "setting", ["@herdbook_applying = 1", "@herdbook_principal = 'me'", "@herdbook_moment = 77"]
)
def test_what_one_session_sets_is_its_own(own_zoo: Zoo, setting: str) -> None:
    """Triggers are read once and used by every session; the first one must not decide for all."""
    zoo = own_zoo
    with zoo.session() as session:
        session.run("FLUSH TABLES")
    with zoo.session() as first:
        first.run(f"SET {setting}")
        _write_once(first, 1)
    zoo.forget()
    with zoo.session() as later:
        account = later.ask("SELECT USER()")[0][0]
    for number in range(2, CACHED_TABLES):
        with zoo.session() as later:
            _write_once(later, number)
        notes = zoo.notes()
        assert [note.kind for note in notes] == ["insert", "update", "delete"], number
        assert {note.writer for note in notes} == {f"sql:{account}"}
        assert zoo.dead("club", "herdbook_died", f"number = {number}") == [(notes[-1].stamp,)]


@pytest.mark.parametrize(
    "setting", ["@herdbook_applying = 1", "@herdbook_principal = 'me'", "@herdbook_moment = 77"]
)
def test_what_the_first_session_did_not_set_others_can(own_zoo: Zoo, setting: str) -> None:
    """The other way round: plain sessions first, then one that sets something, in every cache."""
    zoo = own_zoo
    for number in range(CACHED_TABLES):
        with zoo.session() as plain:
            _write_once(plain, number)
    zoo.forget()
    for number in range(100, 100 + CACHED_TABLES):
        with zoo.session() as session:
            session.run(f"SET {setting}")
            _write_once(session, number)
        notes = zoo.notes()
        if "applying" in setting:
            assert notes == []
            continue
        assert len(notes) == 3
        if "principal" in setting:
            assert {note.writer for note in notes} == {"me"}
        else:
            assert zoo.dead("club", "herdbook_died", f"number = {number}") == [(77,)]


def test_who_wrote_is_noted(zoo: Zoo, sql: Session) -> None:
    """The account of plain SQL; or whom the session writes for, cut to what there is room for."""
    account = sql.ask("SELECT USER()")[0][0]
    sql.run("INSERT INTO club (number, name) VALUES (1, 'a')")
    sql.run("SET @herdbook_principal = %s", "api:äöü€𝄞")
    sql.run("UPDATE club SET `rank` = 1")
    sql.run("SET @herdbook_principal = %s", "é" * 500)
    sql.run("DELETE FROM club")
    assert [note.writer for note in zoo.notes()] == [f"sql:{account}", "api:äöü€𝄞", "é" * 120]
    assert zoo.dead("club", "herdbook_writer") == [("é" * 120,)]


def test_each_account_is_noted_as_itself(own_zoo: Zoo) -> None:
    """Triggers are shared between sessions; who writes is not."""
    with own_zoo.session() as session:
        session.run("CREATE USER 'clerk'@'localhost'")
        session.run("GRANT ALL ON *.* TO 'clerk'@'localhost'")
    try:
        for number in range(CACHED_TABLES):
            for user in ("root", "clerk"):
                with own_zoo.session(user=user) as session:
                    _write_once(session, number)
                assert {note.writer for note in own_zoo.notes()} == {f"sql:{user}@localhost"}
    finally:
        with own_zoo.session() as session:
            session.run("DROP USER 'clerk'@'localhost'")


def test_a_deletion_of_several_statements_has_one_moment(zoo: Zoo, sql: Session) -> None:
    """Rows that die with the same moment went together."""
    sql.run("INSERT INTO club (number, name) VALUES (1, 'a'), (2, 'b'), (3, 'c')")
    sql.run("SET @herdbook_moment = 1234567")
    sql.run("DELETE FROM club WHERE number = 1")
    sql.run("DELETE FROM club WHERE number = 2")
    sql.run("SET @herdbook_moment = NULL")
    sql.run("DELETE FROM club WHERE number = 3")
    first, second, third = (row[0] for row in zoo.dead("club", "herdbook_died"))
    assert first == second == 1234567 < third


def test_all_that_one_statement_takes_along_has_one_moment(zoo: Zoo, sql: Session) -> None:
    """Also where triggers take it."""
    sql.run("INSERT INTO club (number, name) VALUES (1, 'a'), (2, 'b')")
    sql.run("INSERT INTO team (number, club_number) VALUES (1, 1), (2, 2)")
    sql.run("INSERT INTO player (number, team_number) VALUES (1, 1), (2, 1), (3, 2)")
    sql.run("DELETE FROM club")
    tables = ("club", "team", "player")
    assert len({row for table in tables for row in zoo.dead(table, "herdbook_died")}) == 1


def test_rows_behind_switched_off_foreign_keys_are_told_but_not_their_children(
    zoo: Zoo, sql: Session
) -> None:
    """The rows themselves and what triggers do are seen; that a parent is missing is not."""
    sql.run("SET foreign_key_checks = 0")
    sql.run("INSERT INTO team (number, club_number) VALUES (1, 77)")
    sql.run("INSERT INTO player (number, team_number) VALUES (1, 1)")
    sql.run("INSERT INTO medal (number, player_number) VALUES (1, 1)")
    sql.run("DELETE FROM player")
    assert zoo.told() == [
        *(("insert", "team", 1), ("insert", "player", 1), ("insert", "medal", 1)),
        ("delete", "player", 1),
    ]
    assert zoo.rows("medal") == [(1, 1)]


def test_truncate_is_not_seen(own_zoo: Zoo) -> None:
    """No trigger fires: the rows are gone, and neither told nor buried."""
    with own_zoo.session() as session:
        session.run("INSERT INTO boot (number) VALUES (1), (2)")
        own_zoo.forget()
        session.run("TRUNCATE TABLE boot")
    assert own_zoo.told() == []
    assert (own_zoo.rows("boot"), own_zoo.dead("boot")) == ([], [])


def test_the_application_is_told_what_it_was_told_before(own_zoo: Zoo) -> None:
    """LAST_INSERT_ID, ROW_COUNT and warnings are those of its own statements."""
    with own_zoo.session() as session:
        session.run("ALTER TABLE boot MODIFY number INT NOT NULL AUTO_INCREMENT")
        session.run("INSERT INTO boot VALUES (41, NULL)")
        with session.connection.cursor() as cursor:
            cursor.execute("INSERT INTO boot (player_number) VALUES (NULL), (NULL)")
            assert (cursor.lastrowid, cursor.rowcount) == (42, 2)
        assert session.ask("SELECT LAST_INSERT_ID(), ROW_COUNT()")[0][0] == 42
        session.run("INSERT INTO club (number, name) VALUES (1, 'a'), (2, 'b')")
        assert session.ask("SELECT ROW_COUNT(), LAST_INSERT_ID()") == [(2, 42)]
        with session.connection.cursor() as cursor:
            cursor.execute("UPDATE club SET `rank` = number - 1")
            assert (cursor.lastrowid, cursor.rowcount) == (0, 1)
        assert session.ask("SELECT ROW_COUNT()") == [(1,)]
        session.run("DELETE FROM club")
        assert session.ask("SELECT ROW_COUNT()") == [(2,)]
        session.run("SELECT 1")
        session.run("INSERT INTO club (number, name, `rank`) VALUES (3, 'c', 1)")
        session.run("UPDATE club SET `rank` = 2, name = 'd'")
        assert session.ask("SHOW WARNINGS") == []
        session.run("SET sql_mode = ''")
        session.run("INSERT INTO club (number, name) VALUES (4, %s)", "x" * 50)
        assert [row[1] for row in session.ask("SHOW WARNINGS")] == [1265]
        session.run("DELETE FROM club")
        assert session.ask("SHOW WARNINGS") == []


def test_a_lax_session_is_captured_as_well(zoo: Zoo) -> None:
    """Another sql_mode, another character set, another isolation: told the same, byte for byte."""
    for number, settings in enumerate(
        (
            "sql_mode = 'ANSI_QUOTES,PIPES_AS_CONCAT,NO_BACKSLASH_ESCAPES'",
            "NAMES latin1",
            "character_set_client = 'utf8mb4', character_set_connection = 'cp932'",
            "SESSION TRANSACTION ISOLATION LEVEL READ UNCOMMITTED",
            "SESSION TRANSACTION ISOLATION LEVEL SERIALIZABLE",
            "sql_mode = 'NO_UNSIGNED_SUBTRACTION,NO_ZERO_DATE,PAD_CHAR_TO_FULL_LENGTH'",
        )
    ):
        with zoo.session() as session:
            session.run(f"SET {settings}")
            session.run(
                f"INSERT INTO word (word, label) VALUES (CONVERT(X'C3A9{number + 48:02X}' "
                "USING utf8mb4), 'x')"
            )
            session.run("UPDATE word SET label = NULL")
            session.run("DELETE FROM word")
        key = f"é{number}"
        assert zoo.told() == [
            ("insert", "word", key),
            ("update", "word", key, ("label",)),
            ("delete", "word", key),
        ]
