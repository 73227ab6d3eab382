"""What the database does not take is held, and everything else goes on."""

from __future__ import annotations

import pytest
from storm.exceptions import IntegrityError

from schema.direct import create_tables
from service.database_url import DatabaseUrl
from service.herd.held import BLOCKED, PARENT, REFUSED, SCHEMA
from service.store.herd.applier import Applier
from service.store.transaction import Transaction
from tests.service.store.herd.herds import Member, all_held, quiet
from tests.service.store.herd.ranch import CATALOGUE
from tests.service.store.herd.test_applying import family, same
from tests.service.store.herd.test_applying_order import HORSE


def retry(member: Member) -> None:
    """Try all that is held."""

    def work(tx: Transaction) -> None:
        Applier(member.known).retry(tx, all_held(tx))

    member.do(work)


def test_a_row_that_a_check_refuses_is_held(one: Member, other: Member) -> None:
    """Its vector moves all the same; once the rule is gone it is written."""
    other.sql("ALTER TABLE ranch ADD CONSTRAINT short CHECK (CHAR_LENGTH(name) < 3)")
    one.sql("INSERT INTO ranch (number, name) VALUES " + ", ".join(
        f"({number}, '{'long' if number in (7, 33) else 'ok'}')" for number in range(1, 60)
    ))  # fmt: skip
    one.sql("INSERT INTO stable (number, ranch_number, sign) VALUES (1, 7, 's'), (2, 8, 't')")
    one.tell(other)
    assert other.rows("SELECT COUNT(*) FROM ranch") == [(57,)]
    assert other.rows("SELECT number FROM stable") == [(2,)]
    assert {(h.row.place, h.reason) for h in other.held()} == {
        (("ranch", (7,)), REFUSED), (("ranch", (33,)), REFUSED), (("stable", (1,)), PARENT),
    }  # fmt: skip
    assert {h.text for h in other.held() if h.reason == REFUSED} == {
        "the CHECK short does not hold"
    }
    assert all("SELECT" not in held.text and "INSERT" not in held.text for held in other.held())
    assert other.vector()[one.origin()] == one.vector()[one.origin()]
    other.sql("ALTER TABLE ranch DROP CONSTRAINT short")
    retry(other)
    assert other.held() == []
    same(one, other)
    quiet(one, other)
    same(one, other)


def test_the_database_itself_checks_what_is_applied(one: Member) -> None:
    """A plan that were wrong could not leave an orphan behind."""
    orphan = "INSERT INTO stable (number, ranch_number, sign) VALUES (1, 9, 's')"
    with pytest.raises(IntegrityError, match="1452"):
        one.do(lambda tx: tx.execute(orphan))
    assert one.rows("SELECT * FROM stable") == []


def test_a_row_that_a_trigger_refuses_is_held_with_its_words(one: Member, other: Member) -> None:
    """A change and a death as well as a birth."""
    family(one)
    one.sql(HORSE + "(3, 1, NULL, NULL, 33)")
    one.tell(other)
    for event, row in (("INSERT", "NEW"), ("UPDATE", "NEW"), ("DELETE", "OLD")):
        other.sql(
            f"CREATE TRIGGER no_{event} BEFORE {event} ON horse FOR EACH ROW BEGIN "
            f"IF {row}.number IN (1, 2, 4) THEN SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'no!'; "
            "END IF; END"
        )
    one.sql(
        HORSE + "(4, 1, NULL, NULL, 44), (5, 1, NULL, NULL, 55)",
        "DELETE FROM horse WHERE number = 2",
        "UPDATE horse SET name = 'new'",
    )
    one.tell(other)
    told = {(h.row.key, h.reason, h.text) for h in other.held()}
    refused = "a trigger refuses it: no!"
    assert told == {((number,), REFUSED, refused) for number in (1, 2, 4)}
    assert other.rows("SELECT number, name FROM horse ORDER BY 1") == [
        (1, "x"), (2, "y"), (3, "new"), (5, "new"),
    ]  # fmt: skip
    other.sql("DROP TRIGGER no_INSERT", "DROP TRIGGER no_UPDATE", "DROP TRIGGER no_DELETE")
    retry(other)
    assert other.held() == []
    same(one, other)


def test_a_value_that_does_not_fit_is_held(one: Member, other: Member) -> None:
    """The row keeps its old one."""
    other.sql(
        "ALTER TABLE ranch MODIFY name VARCHAR(3) NOT NULL DEFAULT ''",
        "ALTER TABLE horse MODIFY chip TINYINT NOT NULL",
    )
    family(one)
    one.tell(other)
    one.sql("UPDATE ranch SET name = 'abcdef' WHERE number = 2", HORSE + "(3, 1, NULL, NULL, 999)")
    one.tell(other)
    assert {h.row.place for h in other.held()} == {("ranch", (2,)), ("horse", (3,))}
    assert other.rows("SELECT name FROM ranch ORDER BY number") == [("a",), ("b",)]
    one.sql("UPDATE ranch SET name = 'abc', brand = 'Q' WHERE number = 2")
    one.tell(other)
    assert {h.row.place for h in other.held()} == {("horse", (3,))}
    assert other.rows("SELECT name, brand FROM ranch WHERE number = 2") == [("abc", "Q")]


def test_a_child_waits_for_its_parent_and_is_woken_by_it(one: Member, other: Member) -> None:
    """Held where its parent never came; written in the transaction that brings it."""
    family(one)
    one.sql("INSERT INTO horse (number, stable_number, chip) VALUES (9, 1, 99)")
    whole = one.delta({})
    without = tuple(row for row in whole.rows if row.table != "stable")
    other.apply(whole._replace(rows=without, covers={}))
    assert {h.reason for h in other.held()} == {PARENT}
    assert other.rows("SELECT COUNT(*) FROM horse") == [(0,)]
    other.apply(whole._replace(rows=tuple(row for row in whole.rows if row.table == "stable")))
    assert other.held() == []
    same(one, other)


def test_what_has_no_table_here_waits_for_the_migration(one: Member, other: Member) -> None:
    """A whole class; its entries are passed on meanwhile."""
    family(one)
    other.sql(
        "DROP TABLE horse", "DROP TABLE herdbook_dead_horse",
        "DELETE FROM herdbook_capture WHERE table_name = 'horse'",
    )  # fmt: skip
    one.tell(other)
    assert {(h.row.table, h.reason) for h in other.held()} == {("horse", SCHEMA)}
    create_tables(DatabaseUrl.parse(other.url).as_sqlalchemy(), CATALOGUE)
    retry(other)
    assert other.held() == []
    same(one, other)
    quiet(one, other)


def test_a_repair_that_is_refused_holds_what_needs_it(one: Member, other: Member) -> None:
    """A child may not be taken along here, so its parent's death waits with it."""
    family(one)
    quiet(one, other)
    other.sql(
        HORSE + "(3, 1, NULL, 1, 13)",
        "CREATE TRIGGER stays BEFORE DELETE ON horse FOR EACH ROW BEGIN IF OLD.number = 3 "
        "THEN SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'it stays'; END IF; END",
    )
    one.sql("DELETE FROM horse WHERE number = 2", "DELETE FROM horse WHERE number = 1")
    one.tell(other)
    assert other.rows("SELECT number FROM horse ORDER BY 1") == [(1,), (3,)]
    assert [(held.row.key, held.reason) for held in other.held()] == [((1,), BLOCKED)]
    other.sql("DROP TRIGGER stays")
    retry(other)
    assert other.held() == []
    quiet(one, other)
    same(one, other)
    assert other.rows("SELECT COUNT(*) FROM horse") == [(0,)]
