"""Whatever the order in which rows must be written, no constraint is broken on the way."""

from __future__ import annotations

import pytest

from tests.service.store.herd.herds import Member
from tests.service.store.herd.test_applying import family, same
from tests.service.store.tools import ask, raw_connection

HORSE = "INSERT INTO horse (number, stable_number, owner_number, mother_number, chip) VALUES "


def told(one: Member, other: Member, *statements: str) -> None:
    """The other node has the family; then one writes, in one transaction, and tells it."""
    family(one)
    one.tell(other)
    with raw_connection(one.url, autocommit=False) as connection:
        for statement in statements:
            ask(connection, statement)
        connection.commit()
    one.tell(other)
    same(one, other)
    assert other.rows("SELECT COUNT(*) FROM herdbook_journal") == [(0,)]
    assert other.held() == []


@pytest.mark.parametrize(
    "statements",
    [
        # Text, and a NOT NULL integer; the temporary values are the application's own.
        ("UPDATE horse SET chip = 99 WHERE number = 1",
         "UPDATE horse SET chip = 11 WHERE number = 2",
         "UPDATE horse SET chip = 12 WHERE number = 1"),
        (HORSE + "(3, 1, NULL, NULL, 13)", "UPDATE horse SET chip = 99 WHERE number = 1",
         "UPDATE horse SET chip = 11 WHERE number = 2",
         "UPDATE horse SET chip = 14 WHERE number = 3",
         "UPDATE horse SET chip = 12 WHERE number = 3"),
        ("UPDATE ranch SET brand = NULL", "UPDATE ranch SET brand = 'B' WHERE number = 1",
         "UPDATE ranch SET brand = 'A' WHERE number = 2"),
    ],
)  # fmt: skip
def test_unique_values_are_exchanged(one: Member, other: Member, statements: tuple[str]) -> None:
    """Each row ends with the value that the other had."""
    told(one, other, *statements)


def test_a_unique_value_goes_from_a_dead_row_to_a_newborn_one(one: Member, other: Member) -> None:
    """Though births are written before deaths."""
    told(one, other, "DELETE FROM horse WHERE number = 2", HORSE + "(5, 1, NULL, NULL, 12)")


def test_three_texts_go_round(one: Member, other: Member) -> None:
    """Of columns that may not be empty."""
    family(one)
    one.sql(
        "INSERT INTO stable (number, ranch_number, sign) VALUES (2, 1, 'north'), (3, 1, 'west')"
    )
    one.tell(other)
    one.sql(
        "UPDATE stable SET sign = CONCAT(sign, '!')",
        "UPDATE stable SET sign = CASE number WHEN 1 THEN 'north' WHEN 2 THEN 'west' "
        "ELSE 'south' END",
    )
    one.tell(other)
    same(one, other)


def test_a_value_that_was_only_put_aside_comes_back(one: Member, other: Member) -> None:
    """Of a unique key over two columns one changes, and the other is free for the moment."""
    for member in (one, other):
        member.sql("ALTER TABLE horse ADD UNIQUE pair (stable_number, name)")
    one.sql(
        "INSERT INTO ranch (number) VALUES (1), (2)",
        "INSERT INTO stable (number, ranch_number, sign) VALUES "
        "(1, 1, 'a'), (2, 1, 'b'), (3, 1, 'c')",
        HORSE.replace("chip)", "chip, name)") + "(1, 1, 2, NULL, 1, 'x'), (2, 2, 2, NULL, 2, 'x')",
    )
    one.tell(other)
    one.sql(
        "UPDATE horse SET stable_number = 3 WHERE number = 1",
        "UPDATE horse SET stable_number = 1 WHERE number = 2",
        "UPDATE horse SET stable_number = 2 WHERE number = 1",
    )
    one.tell(other)
    same(one, other)
    assert other.held() == []


def test_newborn_rows_refer_to_each_other_in_a_circle(one: Member, other: Member) -> None:
    """The references are filled in when all are there; also one of a row to itself."""
    told(
        one, other,
        HORSE + "(7, 1, NULL, NULL, 71), (8, 1, NULL, 7, 81), (9, 1, NULL, 8, 91)",
        "UPDATE horse SET mother_number = 9 WHERE number = 7",
        HORSE + "(6, 1, NULL, NULL, 61)", "UPDATE horse SET mother_number = 6 WHERE number = 6",
    )  # fmt: skip


def test_a_chain_dies_whose_numbers_run_either_way(one: Member, other: Member) -> None:
    """A foreign key is checked row by row, also one of a circle, or of a row to itself."""
    family(one)
    one.sql(
        HORSE + "(20, 1, NULL, NULL, 20), (19, 1, NULL, 20, 19), (21, 1, NULL, 20, 21), "
        "(22, 1, NULL, 21, 22), (18, 1, NULL, 19, 18), (30, 1, NULL, NULL, 30), "
        "(31, 1, NULL, 30, 31), (40, 1, NULL, NULL, 40)",
        "UPDATE horse SET mother_number = 31 WHERE number = 30",
        "UPDATE horse SET mother_number = 40 WHERE number = 40",
    )
    one.tell(other)
    one.sql(
        "UPDATE horse SET mother_number = NULL WHERE number IN (30, 40)",
        *(f"DELETE FROM horse WHERE number = {number}" for number in (18, 19, 22, 21, 20, 40)),
        "DELETE FROM horse WHERE number = 31",
        "DELETE FROM horse WHERE number = 30",
    )
    one.tell(other)
    same(one, other)
    assert other.rows("SELECT COUNT(*) FROM horse") == [(2,)]


def test_a_row_moves_from_a_dying_parent_to_a_newborn_one(one: Member, other: Member) -> None:
    """And the newborn one has the dead one's unique value."""
    told(
        one, other,
        "UPDATE stable SET sign = 'old' WHERE number = 1",
        "INSERT INTO stable (number, ranch_number, sign) VALUES (2, 2, 'south')",
        "UPDATE horse SET stable_number = 2", "DELETE FROM stable WHERE number = 1",
    )  # fmt: skip


def test_a_row_that_is_born_again_leaves_the_graveyard(one: Member, other: Member) -> None:
    """With the life after that of its death."""
    told(one, other, "DELETE FROM horse WHERE number = 2")
    one.sql(HORSE + "(2, 1, NULL, NULL, 12)")
    one.tell(other)
    same(one, other)
    assert other.rows("SELECT herdbook_life FROM horse WHERE number = 2") == [(3,)]
    assert other.rows("SELECT COUNT(*) FROM herdbook_dead_horse") == [(0,)]


def test_a_row_died_and_was_born_again_meanwhile(one: Member, other: Member) -> None:
    """It is there all the time here, and gets the new life with all its values."""
    told(one, other, "DELETE FROM horse WHERE number = 2", HORSE + "(2, 1, NULL, NULL, 77)")
    assert other.rows("SELECT herdbook_life FROM horse WHERE number = 2") == [(3,)]


def test_a_death_past_the_triggers_leaves_the_row_of_here_in_the_graveyard(
    one: Member, other: Member
) -> None:
    """The sender has no values of it."""
    family(one)
    one.tell(other)
    one.seal()
    with raw_connection(one.url) as connection:
        ask(connection, "SET @herdbook_applying = 1")
        ask(connection, "DELETE FROM horse WHERE number = 2")
        ask(connection, "DELETE FROM herdbook_dead_horse")
    one.sql(
        "INSERT INTO herdbook_inbox (table_name, row_key, kind, life, origin, stamp, writer) "
        "SELECT 'horse', '2', 'delete', 2, origin, 9000000000000000, 'recapture' FROM herdbook_node"
    )
    one.tell(other)
    assert other.rows("SELECT number FROM horse") == [(1,)]
    dead = "SELECT number, chip, name, herdbook_life, herdbook_died FROM herdbook_dead_horse"
    assert other.rows(dead) == [(2, 12, "y", 2, 9000000000000000)]


def test_the_time_of_change_is_the_one_that_came(one: Member, other: Member) -> None:
    """Not that of the writing here."""
    for member in (one, other):
        timed = "MODIFY brand TIMESTAMP(6) NULL DEFAULT NULL"
        member.sql(
            f"ALTER TABLE ranch {timed} ON UPDATE CURRENT_TIMESTAMP(6)",
            f"ALTER TABLE herdbook_dead_ranch {timed}",
        )
    one.sql("INSERT INTO ranch (number, name, brand) VALUES (1, 'a', '2020-01-01'), (2, 'b', NULL)")
    one.tell(other)
    one.sql("UPDATE ranch SET name = 'new', brand = brand WHERE number = 1")
    one.sql("UPDATE ranch SET name = 'new' WHERE number = 2")
    one.tell(other)
    same(one, other)
    assert other.rows("SELECT name, YEAR(brand) FROM ranch WHERE number = 1") == [("new", 2020)]
