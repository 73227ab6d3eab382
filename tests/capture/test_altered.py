"""Tables that somebody changed by hand: writes fail rather than escape."""

from __future__ import annotations

import pytest

from tests.capture.witness import Session, Zoo

NO_COLUMN, NO_DEFINER = 1054, 1449
WRITES = (
    "INSERT INTO club (number, name) VALUES (9, 'z')",
    "UPDATE club SET name = 'y' WHERE number = 1",
    "DELETE FROM club WHERE number = 1",
)


@pytest.mark.parametrize(
    "change",
    [
        "DROP COLUMN `rank`",
        "CHANGE `rank` `place` INT NOT NULL DEFAULT 0",
        "DROP COLUMN herdbook_stamp",
        "RENAME COLUMN number TO id",
    ],
)
def test_no_write_passes_a_table_whose_captured_column_is_gone(own_zoo: Zoo, change: str) -> None:
    """Updates and deletes fail, and inserts too where what they note is gone; nothing is written.

    A birth that names only the key is noted as before.
    """
    with own_zoo.session() as session:
        session.run("INSERT INTO club (number, name) VALUES (1, 'a')")
        own_zoo.forget()
        session.run(f"ALTER TABLE club {change}")
        for write in WRITES[1:] if "rank" in change else WRITES:
            if "TO id" in change:
                write = write.replace("number", "id")
            assert session.refused(write) == NO_COLUMN, write
        assert session.ask("SELECT name FROM club") == [("a",)]
        assert own_zoo.told() == []
        if "rank" in change:
            session.run(WRITES[0])
            assert own_zoo.told() == [("insert", "club", 9)]


def test_a_column_that_was_added_by_hand_is_not_captured(own_zoo: Zoo) -> None:
    """A change of it alone is no change; the row's birth and death are told."""
    with own_zoo.session() as session:
        session.run("ALTER TABLE club ADD COLUMN colour VARCHAR(9) NOT NULL DEFAULT ''")
        session.run("INSERT INTO club (number, name, colour) VALUES (1, 'a', 'red')")
        session.run("UPDATE club SET colour = 'blue'")
        session.run("DELETE FROM club")
    assert own_zoo.told() == [("insert", "club", 1), ("delete", "club", 1)]


def test_no_write_passes_triggers_whose_definer_is_gone(own_zoo: Zoo) -> None:
    """The account that made them was dropped: every write fails."""
    with own_zoo.session() as session:
        session.run("CREATE USER 'maker'@'localhost'")
        try:
            _make_again_as(session, "'maker'@'localhost'")
            session.run("GRANT ALL ON *.* TO 'maker'@'localhost'")
            session.run("INSERT INTO club (number, name) VALUES (1, 'a')")
            own_zoo.forget()
        finally:
            # MySQL asks for more rights to drop an account that something is made by.
            session.run("DROP USER 'maker'@'localhost'")
        for write in WRITES:
            assert session.refused(write) == NO_DEFINER
    assert own_zoo.told() == []
    assert own_zoo.rows("club") == [(1, "a", 0)]


def _make_again_as(session: Session, account: str) -> None:
    """The triggers of the clubs, made by another account."""
    found = session.ask(
        "SELECT trigger_name, action_timing, event_manipulation, action_statement "
        "FROM information_schema.triggers "
        "WHERE trigger_schema = DATABASE() AND event_object_table = 'club'"
    )
    for name, timing, event, body in found:
        session.run(f"DROP TRIGGER `{name}`")
        session.run(
            f"CREATE DEFINER = {account} TRIGGER `{name}` {timing} {event} ON club "
            f"FOR EACH ROW {body}"
        )


def test_what_the_tables_own_triggers_change_in_the_row_is_captured(own_zoo: Zoo) -> None:
    """A trigger of the application's that runs before ours and writes another column."""
    with own_zoo.session() as session:
        _add_first(session, "club_ranks", "BEFORE UPDATE", "SET NEW.`rank` = NEW.`rank` + 1")
        session.run("INSERT INTO club (number, name) VALUES (1, 'a')")
        own_zoo.forget()
        session.run("UPDATE club SET name = 'b'")
        assert own_zoo.told() == [("update", "club", 1, ("name", "rank"))]
        session.run("UPDATE club SET name = 'b'")
        assert own_zoo.told() == [("update", "club", 1, ("rank",))]


def test_what_the_tables_own_triggers_write_elsewhere_is_captured(own_zoo: Zoo) -> None:
    """Before and after ours, into other captured tables that have triggers too; each told once.

    The columns that are told are those of each table, though the writes stand within each other.
    """
    with own_zoo.session() as session:
        _add_first(
            session,
            "club_words",
            "BEFORE UPDATE",
            "UPDATE word SET label = NEW.name WHERE word = 'last'",
        )
        session.run(
            "CREATE TRIGGER club_after AFTER UPDATE ON club FOR EACH ROW "
            "UPDATE pair SET note = NEW.name, `right` = `right` WHERE `left` = NEW.number"
        )
        session.run(
            "CREATE TRIGGER club_born AFTER INSERT ON club FOR EACH ROW "
            "INSERT INTO pair (`left`, `right`) VALUES (NEW.number, 'made')"
        )
        session.run("INSERT INTO word (word, label) VALUES ('last', '-')")
        own_zoo.forget()
        session.run("INSERT INTO club (number, name) VALUES (1, 'a')")
        assert sorted(own_zoo.told()) == [
            ("insert", "club", 1),
            ("insert", "pair", 1, "made"),
        ]
        session.run("UPDATE club SET `rank` = 5, name = 'b'")
        assert sorted(own_zoo.told()) == [
            ("update", "club", 1, ("name", "rank")),
            ("update", "pair", 1, "made", ("note",)),
            ("update", "word", "last", ("label",)),
        ]


def test_a_row_that_the_tables_own_trigger_refuses_leaves_nothing(own_zoo: Zoo) -> None:
    """SIGNAL before or after ours: the statement is undone, notes and all."""
    refuse = "SIGNAL SQLSTATE '45000'"
    with own_zoo.session() as session:
        _add_first(session, "no_bad", "BEFORE INSERT", f"IF NEW.name = 'bad' THEN {refuse}; END IF")
        session.run(
            "CREATE TRIGGER no_worse AFTER INSERT ON club FOR EACH ROW "
            f"IF NEW.name = 'worse' THEN {refuse}; END IF"
        )
        for name in ("bad", "worse"):
            insert = f"INSERT INTO club (number, name) VALUES (1, 'a'), (2, '{name}')"
            assert session.refused(insert) == 1644
    assert own_zoo.told() == []
    assert own_zoo.rows("club") == []


def _add_first(session: Session, name: str, event: str, body: str) -> None:
    """A trigger on the clubs that runs before ours."""
    timing, kind = event.split()
    ((ours,),) = session.ask(
        "SELECT trigger_name FROM information_schema.triggers WHERE trigger_schema = DATABASE() "
        "AND event_object_table = 'club' AND action_timing = %s AND event_manipulation = %s",
        timing,
        kind,
    )
    session.run(f"CREATE TRIGGER {name} {event} ON club FOR EACH ROW PRECEDES `{ours}` {body}")
