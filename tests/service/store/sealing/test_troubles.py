"""What is wrong with one table, row or key keeps nothing else from being sealed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from service.store.retention import Pruner, Retention
from service.store.sealing import passes
from service.store.sealing.keys import TableKeys
from service.store.sealing.troubles import BIRTH_SECONDS
from service.store.settings import SQL_MODE
from tests.service.store.sealing.tools import (
    Clock,
    changelog,
    check_lives,
    inbox,
    open_transaction,
    run,
    seal_all,
    sealing,
    told,
    worker_at,
)
from tests.service.store.tools import ask, raw_connection, read

ROW = "INSERT INTO plot (number, name) VALUES (1, 'a')"
GONE = "DELETE FROM plot WHERE number = 1"
BOOKING = (
    "INSERT INTO booking (day, amount, code, moment, flags, token) VALUES "
    "('{day}', 1, 'c', '{moment}', b'101', X'00010203040506070809000000000000')"
)
NOON = "2026-01-31 12:00:00"
OLD_KEY = (
    "INSERT INTO herdbook_inbox (table_name, row_key, kind, life, origin, stamp, writer) "
    "VALUES ('plot', 'old-key', '{kind}', {life}, 1, 1, 'x')"
)
READ_ONLY = "SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'plots do not change'"


def app_trigger(url: str, timing: str, body: str, *, order: str = "PRECEDES") -> None:
    """A trigger of the application's on updates of plots, before Herdbook's or after it."""
    names = read(
        url,
        "SELECT trigger_name FROM information_schema.triggers WHERE trigger_schema = DATABASE() "
        "AND event_object_table = 'plot' AND event_manipulation = 'UPDATE' AND action_timing = %s",
        (timing,),
    )
    place = f"FOR EACH ROW {order} {names[0][0]}"
    run(url, f"CREATE TRIGGER application {timing} UPDATE ON plot {place} {body}")


@contextmanager
def lax(url: str) -> Iterator[Any]:
    """A session that takes dates that no calendar has."""
    with raw_connection(url) as session:
        ask(session, "SET sql_mode = 'ALLOW_INVALID_DATES', time_zone = '+00:00'")
        yield session


@pytest.mark.parametrize(
    ("day", "moment"),
    [("0000-00-00", NOON), ("2026-02-30", NOON), ("2026-01-31", "0000-00-00 00:00:00")],
)
def test_a_key_that_the_server_does_not_compare_stops_nothing(
    plots: str, day: str, moment: str
) -> None:
    """It is sealed, and so are the keys beside it and all other tables."""
    odd, good = (
        BOOKING.format(day=day, moment=moment),
        BOOKING.format(day="2026-01-01", moment=NOON),
    )
    with lax(plots) as session, sealing(plots) as sealer:
        for _turn in range(2):
            ask(session, odd)
            run(plots, good, ROW)
            assert seal_all(sealer).drained
            ask(session, "DELETE FROM booking")
            run(plots, GONE)
            assert seal_all(sealer).drained
    assert [line.life for line in changelog(plots) if line.table == "plot"] == [1, 2, 3, 4]
    bookings = [line for line in changelog(plots) if line.table == "booking"]
    for here in (True, False):
        lives = [line.life for line in bookings if (b"2026-01-01" in line.key) is here]
        assert lives == [1, 2, 3, 4]


@pytest.mark.parametrize("day", ["0000-00-00", "2026-02-30"])
def test_a_key_that_cannot_be_asked_for_is_sealed_as_it_is_written(
    plots: str, day: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the sealer's session were as strict as others: MySQL then refuses to compare."""
    monkeypatch.setattr("service.store.sealing.session.TRIGGER_MODE", SQL_MODE)
    odd, good = BOOKING.format(day=day, moment=NOON), BOOKING.format(day="2026-01-01", moment=NOON)
    with lax(plots) as session, sealing(plots) as sealer:
        for _turn in range(2):
            ask(session, odd)
            run(plots, good, ROW)
            seal_all(sealer)
            ask(session, "DELETE FROM booking")
            run(plots, GONE)
            assert seal_all(sealer).drained
    assert [line.life for line in changelog(plots) if line.table == "plot"] == [1, 2, 3, 4]
    assert [line.life for line in changelog(plots) if b"2026-01-01" in line.key] == [1, 2, 3, 4]


def test_a_key_of_another_shape_leaves_the_other_keys_their_lives(
    plots: str, caplog: pytest.LogCaptureFixture
) -> None:
    """One of before the primary key changed stands among births over dead rows; the log names it.

    As its bytes are, since it is no number.
    """
    with sealing(plots) as sealer:
        run(plots, ROW, GONE)
        seal_all(sealer)
        run(plots, ROW, OLD_KEY.format(kind="insert", life=1))
        assert seal_all(sealer).drained
    assert told(plots)[2:] == [("insert", "1", 3), ("insert", "old-key", 1)]
    assert "plot cannot be asked for the key old-key: " in caplog.text
    assert read(plots, "SELECT herdbook_life FROM plot") == [(3,)]


def test_a_key_of_another_shape_leaves_no_dead_rows_behind(plots: str) -> None:
    """Retention takes the dead rows of the other keys."""
    run(plots, ROW, GONE, OLD_KEY.format(kind="delete", life=2))
    with sealing(plots) as sealer:
        seal_all(sealer)
    worker = worker_at(plots)
    try:
        assert Pruner(worker, "one", Retention(0, 0), lambda: 10**18).prune() == (3, False)
    finally:
        worker.close()
    assert read(plots, "SELECT COUNT(*) FROM herdbook_dead_plot") == [(0,)]


def test_a_table_that_cannot_be_asked_waits_alone(plots: str) -> None:
    """Whatever the server says against it."""
    with sealing(plots) as sealer, pytest.MonkeyPatch.context() as patch:
        run(plots, ROW, "INSERT INTO word (word) VALUES ('w')")
        expression = TableKeys.expression

        def refused(keys: TableKeys, alias: str) -> str:
            return "no_such(1)" if keys.table == "plot" else expression(keys, alias)

        patch.setattr(TableKeys, "expression", refused)
        made, _nothing = sealer.seal()
        assert (made.sealed, made.held, made.drained) == (1, 1, False)
        patch.undo()
        assert sealer.seal()[0].drained


def test_a_row_that_does_not_take_its_life_waits_alone(
    plots: str, caplog: pytest.LogCaptureFixture
) -> None:
    """A trigger forbids every update; of many births one is named once, and later they are born."""
    clock = Clock()
    body = f"BEGIN IF NEW.number = 1 THEN {READ_ONLY}; END IF; END"
    app_trigger(plots, "BEFORE", body)
    rows = "INSERT INTO plot (number) VALUES (1), (2), (3)"
    with sealing(plots, clock=clock) as sealer:
        run(plots, rows, "DELETE FROM plot", rows)
        for turn in range(3):
            made, _nothing = sealer.seal()
            assert (made.held, made.drained, made.more) == (1, False, False)
            assert made.sealed == (0 if turn else 8)
        (said,) = (one for one in caplog.messages if "does not take its life" in one)
        assert said.startswith("plot: the row with the key 1 was born again and waits")
        run(plots, "DROP TRIGGER application")
        clock.now += BIRTH_SECONDS
        assert sealer.seal()[0].drained
    check_lives(plots)


def test_a_birth_that_waits_for_its_life_may_die(plots: str) -> None:
    """Then it is sealed with the life that it died with."""
    app_trigger(plots, "BEFORE", READ_ONLY, order="FOLLOWS")
    with sealing(plots) as sealer:
        run(plots, ROW, GONE, ROW)
        assert sealer.seal()[0].held == 1
        run(plots, GONE)
        assert sealer.seal()[0].drained
    assert [life for _kind, _key, life in told(plots)] == [1, 2, 3, 4]
    check_lives(plots)


def test_a_check_that_a_row_fails_keeps_its_birth_alone(plots: str) -> None:
    """MariaDB alone lets a session write such a row."""
    if "mariadb" not in read(plots, "SELECT VERSION()")[0][0].lower():
        pytest.skip("MySQL cannot be told to look away")
    run(plots, "ALTER TABLE plot ADD CONSTRAINT c CHECK (name <> 'bad')", ROW, GONE)
    with sealing(plots) as sealer, raw_connection(plots) as session:
        ask(session, "SET check_constraint_checks = 0")
        ask(session, "INSERT INTO plot (number, name) VALUES (1, 'bad'), (2, 'x')")
        made, _nothing = sealer.seal()
        assert (made.sealed, made.held) == (3, 1)


def test_what_triggers_do_with_a_row_that_takes_its_life_is_captured(plots: str) -> None:
    """One changes the row itself, one writes to another table: both are entries of a later pass."""
    app_trigger(plots, "BEFORE", "SET NEW.name = CONCAT(NEW.name, '+')")
    run(
        plots,
        "CREATE TRIGGER audit AFTER UPDATE ON plot FOR EACH ROW "
        "INSERT INTO word (word) VALUES (CONCAT('audit', NEW.number, NEW.name))",
    )
    with sealing(plots) as sealer:
        run(plots, ROW, GONE, ROW)
        made, _nothing = sealer.seal()
        assert (made.sealed, made.held, made.drained, made.more) == (3, 0, False, True)
        made, _nothing = sealer.seal()
        assert (made.sealed, made.drained, made.more) == (2, True, False)
    assert told(plots)[2:] == [("insert", "1", 3), ("update", "1", 3), ("insert", "audit1a+", 1)]
    assert read(plots, "SELECT name, herdbook_life FROM plot") == [("a+", 3)]
    assert inbox(plots) == 0
    check_lives(plots)


@pytest.mark.parametrize("first", ["plot", "word"])
def test_rows_that_triggers_take_away_meanwhile_keep_their_lives(plots: str, first: str) -> None:
    """A row of another table that is deleted as a plot takes its life, judged before or after."""
    app_trigger(plots, "AFTER", "DELETE FROM word WHERE word = 'x'")
    births_of = {"plot": ROW, "word": "INSERT INTO word (word) VALUES ('x')"}
    with sealing(plots) as sealer:
        run(plots, ROW, GONE)
        seal_all(sealer)
        run(plots, births_of.pop(first), *births_of.values())
        assert seal_all(sealer).drained
    assert [life for _kind, key, life in told(plots) if key == "x"] == [1, 2]
    check_lives(plots)


def test_an_application_cannot_set_a_life(plots: str) -> None:
    """Only the sealer may: in other sessions it is as if nothing had been written."""
    run(
        plots,
        ROW,
        "UPDATE plot SET herdbook_life = 7",
        "UPDATE plot SET herdbook_life = 9, name = 'b'",
    )
    assert read(plots, "SELECT herdbook_life FROM plot") == [(1,)]


@pytest.mark.parametrize("entries", [1, 5_000])
def test_a_key_that_is_spelled_anew_does_not_repeat_a_life(plots: str, entries: int) -> None:
    """A pass ends between its birth over a dead row and its new spelling."""
    with sealing(plots, entries=entries) as sealer:
        run(plots, "INSERT INTO word (word) VALUES ('A')", "DELETE FROM word")
        seal_all(sealer)
        run(plots, "INSERT INTO word (word) VALUES ('A')", "UPDATE word SET word = 'a'")
        seal_all(sealer)
    assert told(plots) == [
        ("insert", "A", 1), ("delete", "A", 2), ("insert", "A", 3), ("delete", "A", 4),
        ("insert", "a", 5),
    ]  # fmt: skip


def test_more_held_births_than_are_read_at_once_stop_nothing(plots: str) -> None:
    """What comes behind them is sealed in the first pass, and no pass is asked for in vain."""
    rows = ", ".join(f"({number})" for number in range(25))
    with sealing(plots, entries=4) as sealer, pytest.MonkeyPatch.context() as patch:
        patch.setattr(passes, "MOST_HELD", 5)
        run(plots, f"INSERT INTO plot (number) VALUES {rows}", "DELETE FROM plot")
        seal_all(sealer)
        run(plots, f"INSERT INTO plot (number) VALUES {rows}")
        with open_transaction(plots, "UPDATE plot SET name = 'open'"):
            run(plots, "INSERT INTO word (word) VALUES ('77')")
            made, _nothing = sealer.seal()
            assert (made.sealed, made.held) == (1, 25)
            made, _nothing = sealer.seal()
            assert (made.sealed, made.held, made.more) == (0, 25, False)
        seal_all(sealer)
    check_lives(plots)
