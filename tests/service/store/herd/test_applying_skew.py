"""One node has a column that the other does not have yet."""

from __future__ import annotations

from records import Integer, Record, Text
from records.catalogue import catalogue_of
from schema.direct import create_tables
from service.database_url import DatabaseUrl
from service.herd.held import REFUSED, SCHEMA
from tests.service.store.herd.herds import Member, quiet
from tests.service.store.herd.test_applying_refusals import retry

SHOWN = "SELECT number, name, brand, extra, herdbook_life, herdbook_stamp FROM ranch ORDER BY 1"
DEAD = "SELECT number, name, extra FROM herdbook_dead_ranch"
FEWER = "SELECT number, name, brand FROM ranch ORDER BY 1"


class Ranch(Record):
    """The ranch with one more column."""

    number = Integer(primary=True, bits=32)
    name = Text(length=40, default="")
    brand = Text(length=12, unique=True, allow_none=True)
    extra = Integer(bits=32, default=5)


def migrate(member: Member) -> None:
    """Add the column, and capture it."""
    member.sql(
        "ALTER TABLE ranch ADD COLUMN extra INT NOT NULL DEFAULT 5",
        "ALTER TABLE herdbook_dead_ranch ADD COLUMN extra INT NULL",
    )
    create_tables(DatabaseUrl.parse(member.url).as_sqlalchemy(), catalogue_of([Ranch]))


def test_an_unknown_column_waits_for_the_migration(one: Member, other: Member) -> None:
    """The others are written at once; what waits is passed on, and written after it."""
    one.sql("INSERT INTO ranch (number, name) VALUES (1, 'a'), (2, 'b')")
    quiet(one, other)
    migrate(one)
    one.sql(
        "INSERT INTO ranch (number, name, extra) VALUES (3, 'c', 7)",
        "UPDATE ranch SET extra = 8, brand = 'X' WHERE number = 1",
    )
    one.tell(other)
    assert {(h.row.key, h.reason, h.row.whole) for h in other.held()} == {
        ((1,), SCHEMA, False), ((3,), SCHEMA, False),
    }  # fmt: skip
    assert other.rows(FEWER) == one.rows(FEWER)
    other.sql("UPDATE ranch SET name = 'c2' WHERE number = 3")
    one.sql("UPDATE ranch SET extra = 9 WHERE number = 1")
    quiet(one, other)
    migrate(other)
    retry(other)
    assert other.held() == []
    assert other.rows(SHOWN) == one.rows(SHOWN)
    assert [extra for *_row, extra, _life, _stamp in other.rows(SHOWN)] == [9, 5, 7]
    quiet(one, other)


def test_a_value_that_a_deleted_row_never_showed_dies_with_it(one: Member, other: Member) -> None:
    """After the migration the value is refused, and the row is deleted on both nodes."""
    quiet(one, other)
    migrate(one)
    one.sql("INSERT INTO ranch (number, name, extra) VALUES (3, 'c', 7)")
    one.tell(other)
    migrate(other)
    other.sql("ALTER TABLE ranch ADD CONSTRAINT few CHECK (extra < 6)")
    retry(other)
    assert [(each.reason, each.row.whole) for each in other.held()] == [(REFUSED, True)]
    for member in (one, other):
        member.sql("DELETE FROM ranch WHERE number = 3")
    retry(other)
    assert other.held() == []
    quiet(one, other)
    assert other.rows(DEAD) == one.rows(DEAD) == [(3, "c", 7)]


def test_a_column_that_the_sender_does_not_have_gets_its_default(
    one: Member, other: Member
) -> None:
    """In a newborn row, and in one that was born again meanwhile; else it keeps its value."""
    one.sql("INSERT INTO ranch (number, name) VALUES (1, 'a'), (2, 'b')")
    quiet(one, other)
    migrate(other)
    other.sql("UPDATE ranch SET extra = 9")
    one.sql(
        "INSERT INTO ranch (number, name) VALUES (3, 'c')",
        "UPDATE ranch SET name = 'a2' WHERE number = 1",
        "DELETE FROM ranch WHERE number = 2",
        "INSERT INTO ranch (number, name) VALUES (2, 'again')",
    )
    one.tell(other)
    assert other.rows(FEWER) == one.rows(FEWER)
    assert other.rows("SELECT extra FROM ranch ORDER BY number") == [(9,), (5,), (5,)]
