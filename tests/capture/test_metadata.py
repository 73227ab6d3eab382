"""The invisible columns: nobody sees them, nobody forges them, and stamps only grow."""

from __future__ import annotations

import itertools

import pytest

from schema.capture.clock import NEVER, Clock, Slot, Version
from tests.capture.witness import Session, Zoo

HOUR = 3600 * 10**6
ELSEWHERE = 0xA0B0C0D0


def test_the_application_does_not_see_them(zoo: Zoo, sql: Session) -> None:
    """SELECT *, INSERT without a list of columns, INSERT … SELECT *: as before."""
    sql.run("INSERT INTO club VALUES (1, 'a', 5)")
    assert sql.ask("SELECT * FROM club") == [(1, "a", 5)]
    sql.run("INSERT INTO boot SELECT number, NULL FROM club")
    sql.run("CREATE TEMPORARY TABLE copied AS SELECT * FROM club")
    assert sql.ask("SELECT * FROM copied") == [(1, "a", 5)]
    assert zoo.told() == [("insert", "club", 1), ("insert", "boot", 1)]


def test_what_is_written_into_them_by_hand_does_not_count(zoo: Zoo, sql: Session) -> None:
    """Not in an insert, not in an update with a change beside it, not in one without."""
    forged = "herdbook_life = 9, herdbook_stamp = 1, herdbook_origin = 7, herdbook_clock = 'x'"
    sql.run(f"INSERT INTO club SET number = 1, name = 'a', {forged}")
    (born,) = zoo.meta("club")
    assert (born.life, born.origin, born.clock) == (1, zoo.origin(), None)
    assert born.stamp > HOUR
    zoo.forget()
    sql.run(f"UPDATE club SET {forged}")
    assert zoo.meta("club") == [born]
    assert zoo.told() == []
    sql.run(f"UPDATE club SET `rank` = 5, {forged}")
    (changed,) = zoo.meta("club")
    assert (changed.life, changed.origin) == (1, zoo.origin())
    assert changed.stamp > born.stamp
    assert changed.clock is not None
    assert zoo.told() == [("update", "club", 1, ("rank",))]


def test_the_clock_holds_a_version_for_each_column_that_changed(zoo: Zoo, sql: Session) -> None:
    """By the columns' numbers, in whatever order they changed; the birth's version stays."""
    here, name, rank = zoo.origin(), zoo.number("club", "name"), zoo.number("club", "rank")
    sql.run("INSERT INTO club (number, name) VALUES (1, 'a')")
    (born,) = zoo.meta("club")
    sql.run("UPDATE club SET `rank` = 1")
    (first,) = zoo.meta("club")
    assert first.clock == Clock(Version(born.stamp, here), {rank: Slot(Version(first.stamp, here))})
    sql.run("UPDATE club SET name = 'b'")
    sql.run("UPDATE club SET name = 'c', `rank` = 2")
    (last,) = zoo.meta("club")
    version = Version(last.stamp, here)
    assert last.clock == Clock(
        Version(born.stamp, here), {rank: Slot(version), name: Slot(version)}
    )


def test_the_clock_keeps_the_last_foreign_version_it_overwrote(zoo: Zoo, sql: Session) -> None:
    """What a sibling wrote, and was overwritten here, is remembered while this origin goes on."""
    here, name, rank = zoo.origin(), zoo.number("club", "name"), zoo.number("club", "rank")
    theirs = Clock(Version(5, ELSEWHERE), {name: Slot(Version(9, ELSEWHERE), Version(6, here))})
    with zoo.session() as applier:
        applier.run("SET @herdbook_applying = 1")
        applier.run(
            "INSERT INTO club (number, name, herdbook_life, herdbook_stamp, herdbook_origin, "
            "herdbook_clock) VALUES (1, 'a', 3, 9, %s, %s)",
            ELSEWHERE,
            theirs.as_bytes,
        )
    for value in ("b", "c"):
        sql.run("UPDATE club SET name = %s, `rank` = `rank` + 1", value)
        (meta,) = zoo.meta("club")
        version = Version(meta.stamp, here)
        assert meta.clock == Clock(
            Version(5, ELSEWHERE),
            {
                name: Slot(version, Version(9, ELSEWHERE)),
                rank: Slot(version, Version(5, ELSEWHERE)),
            },
        )
        assert (meta.life, meta.origin) == (3, here)
    assert [note.origin for note in zoo.notes()] == [here, here]


def test_a_row_born_elsewhere_without_a_clock_gets_one(zoo: Zoo, sql: Session) -> None:
    """Its stamp and origin are the birth's version, and what the first change here overwrote."""
    here, rank = zoo.origin(), zoo.number("club", "rank")
    with zoo.session() as applier:
        applier.run("SET @herdbook_applying = 1")
        applier.run(
            "INSERT INTO club (number, name, herdbook_life, herdbook_stamp, herdbook_origin) "
            f"VALUES (1, 'a', 1, 77, {ELSEWHERE})"
        )
    sql.run("UPDATE club SET `rank` = 1")
    (meta,) = zoo.meta("club")
    born = Version(77, ELSEWHERE)
    assert meta.clock == Clock(born, {rank: Slot(Version(meta.stamp, here), born)})


def test_every_number_of_a_column_is_found_in_the_clock(zoo: Zoo, sql: Session) -> None:
    """Stamps and origins may hold the bytes of a number by chance; slots are met at their places.

    The versions here are made of the very bytes that the numbers of columns have.
    """
    here = zoo.origin()
    columns = ("plain", "general", "exact", "story")
    numbers = [zoo.number("leaf", column) for column in columns]
    tricky = int.from_bytes(bytes([0x80, numbers[1], 0x80, numbers[2]] * 2), "big")
    low = int.from_bytes(bytes([0x80, numbers[3]] * 2), "big")
    theirs = Clock(
        Version(tricky, low),
        {numbers[0]: Slot(Version(tricky, low), Version(tricky, low + 1))},
    )
    with zoo.session() as applier:
        applier.run("SET @herdbook_applying = 1")
        applier.run(
            "INSERT INTO leaf (number, herdbook_life, herdbook_stamp, herdbook_origin, "
            "herdbook_clock) VALUES (1, 1, %s, %s, %s)",
            tricky,
            low,
            theirs.as_bytes,
        )
    expected = theirs
    for turn in range(3):
        for column, number in reversed(list(zip(columns, numbers, strict=True))):
            sql.run(f"UPDATE leaf SET `{column}` = %s", str(turn))
            (meta,) = zoo.meta("leaf")
            expected = expected.ticked([number], Version(meta.stamp, here))
            assert meta.clock == expected
            assert meta.stamp > tricky


@pytest.mark.parametrize("place", [0, 1, 2])
def test_a_column_that_changes_alone_is_stamped_as_one_of_many(
    zoo: Zoo, sql: Session, place: int
) -> None:
    """Wherever its slot stands: what a sibling wrote last is kept, once and for all turns."""
    here, columns = zoo.origin(), ("plain", "general", "exact")
    numbers = [zoo.number("leaf", column) for column in columns]
    theirs = Clock(
        Version(5, ELSEWHERE),
        {number: Slot(Version(9, ELSEWHERE + number), Version(6, here)) for number in numbers},
    )
    with zoo.session() as applier:
        applier.run("SET @herdbook_applying = 1")
        applier.run(
            "INSERT INTO leaf (number, herdbook_life, herdbook_stamp, herdbook_origin, "
            "herdbook_clock) VALUES (1, 1, 9, %s, %s)",
            ELSEWHERE,
            theirs.as_bytes,
        )
    expected = theirs
    for turn in range(2):
        sql.run(f"UPDATE leaf SET `{columns[place]}` = %s", str(turn))
        (meta,) = zoo.meta("leaf")
        expected = expected.ticked([numbers[place]], Version(meta.stamp, here))
        assert meta.clock == expected
    assert [note.fields for note in zoo.notes()] == [(columns[place],)] * 2


def test_stamps_grow_by_one_at_least_whatever_the_clock_says(zoo: Zoo, sql: Session) -> None:
    """The session's time is set back by an hour, to the beginning, and to the same moment."""
    sql.run("INSERT INTO club (number, name) VALUES (1, 'a')")
    stamps = [zoo.meta("club")[0].stamp]
    for moment in ("UNIX_TIMESTAMP() - 3600", "1", "1", "1000000000", "DEFAULT"):
        sql.run(f"SET TIMESTAMP = {moment}")
        sql.run("UPDATE club SET `rank` = `rank` + 1")
        stamps.append(zoo.meta("club")[0].stamp)
    sql.run("SET TIMESTAMP = 1")
    sql.run("UPDATE club SET number = 2")
    stamps.append(zoo.meta("club")[0].stamp)
    assert all(later > earlier for earlier, later in itertools.pairwise(stamps))
    assert stamps[1] == stamps[0] + 1
    assert [note.stamp for note in zoo.notes() if note.kind != "delete"] == stamps


def test_stamps_are_utc_whatever_the_time_zone(zoo: Zoo) -> None:
    """Two sessions half a day apart stamp within the same minute."""
    for number, zone in ((1, "+13:00"), (2, "-12:00")):
        with zoo.session() as session:
            session.run(f"SET time_zone = '{zone}'")
            session.run("INSERT INTO club (number, name) VALUES (%s, %s)", number, zone)
    first, second = (meta.stamp for meta in zoo.meta("club"))
    assert 0 <= second - first < HOUR / 60


@pytest.mark.parametrize("zone", ["+00:00", "-12:00"])
def test_the_moment_of_a_death_is_utc_and_not_before_the_row(
    zoo: Zoo, sql: Session, zone: str
) -> None:
    """As a stamp of the same clock."""
    sql.run(f"SET time_zone = '{zone}'")
    sql.run("INSERT INTO club (number, name) VALUES (1, 'a')")
    (alive,) = zoo.meta("club")
    sql.run("DELETE FROM club")
    ((died,),) = zoo.dead("club", "herdbook_died")
    assert 0 <= died - alive.stamp < HOUR / 60


def test_a_column_that_never_overwrote_anything_foreign_says_so(zoo: Zoo, sql: Session) -> None:
    """Zeros in the clock."""
    sql.run("INSERT INTO club (number, name) VALUES (1, 'a')")
    sql.run("UPDATE club SET name = 'b'")
    (meta,) = zoo.meta("club")
    assert meta.clock is not None
    assert {slot.overwrote for slot in meta.clock.slots.values()} == {NEVER}
