"""Rows that are born again get the life after the dead one's, in the tables and the changelog."""

from __future__ import annotations

import random
from typing import Any

import pytest

from tests.service.store.sealing.tools import (
    changelog,
    check_lives,
    inbox,
    open_transaction,
    run,
    seal_all,
    sealing,
    told,
)
from tests.service.store.tools import ask, raw_connection, read

ROW = "INSERT INTO plot (number, name) VALUES (1, 'a')"
GONE = "DELETE FROM plot WHERE number = 1"


def standing(url: str, table: str = "plot") -> tuple[list[Any], list[Any]]:
    """The lives of the rows and of the dead ones."""
    live = read(url, f"SELECT herdbook_life FROM {table}")
    return [life for (life,) in live], [
        life for (life,) in read(url, f"SELECT herdbook_life FROM herdbook_dead_{table}")
    ]


def test_a_row_that_comes_again_has_the_next_life(plots: str) -> None:
    """Its death was sealed before; the dead row leaves the graveyard."""
    with sealing(plots) as sealer:
        run(plots, ROW, GONE)
        sealer.seal()
        assert standing(plots) == ([], [2])
        run(plots, ROW)
        sealer.seal()
    assert standing(plots) == ([3], [])
    assert told(plots) == [("insert", "1", 1), ("delete", "1", 2), ("insert", "1", 3)]


@pytest.mark.parametrize("entries", [1, 2, 3, 5_000])
def test_a_life_that_nobody_saw_is_counted(plots: str, entries: int) -> None:
    """Born and dead again and again before anything is sealed, however the passes cut it."""
    with sealing(plots, entries=entries) as sealer:
        run(plots, ROW, GONE)
        seal_all(sealer)
        run(plots, ROW, "UPDATE plot SET name = 'b'", GONE, ROW, GONE, ROW)
        run(plots, "UPDATE plot SET name = 'c'")
        seal_all(sealer)
        run(plots, "UPDATE plot SET name = 'd'")
        seal_all(sealer)
    assert told(plots) == [
        ("insert", "1", 1), ("delete", "1", 2), ("insert", "1", 3), ("update", "1", 3),
        ("delete", "1", 4), ("insert", "1", 5), ("delete", "1", 6), ("insert", "1", 7),
        ("update", "1", 7), ("update", "1", 7),
    ]  # fmt: skip
    assert standing(plots) == ([7], [])


def test_replace_is_a_death_and_a_birth(plots: str) -> None:
    """Several at once, and of the same row in one statement."""
    run(plots, ROW, "REPLACE INTO plot VALUES (1, 'b'), (1, 'c'), (2, 'x')")
    with sealing(plots) as sealer:
        sealer.seal()
    assert read(plots, "SELECT number, herdbook_life FROM plot ORDER BY number") == [(1, 5), (2, 1)]
    check_lives(plots)


def test_a_key_that_moves_onto_a_dead_one_is_a_birth_there(plots: str) -> None:
    """The old key dies; the new one has the life after the dead row's. Also back again."""
    with sealing(plots) as sealer:
        run(
            plots, "INSERT INTO plot VALUES (1, 'a'), (2, 'b')", "DELETE FROM plot WHERE number = 2"
        )
        sealer.seal()
        run(plots, "UPDATE plot SET number = 2", "UPDATE plot SET number = 1")
        sealer.seal()
    assert read(plots, "SELECT number, herdbook_life FROM plot") == [(1, 3)]
    assert read(plots, "SELECT number, herdbook_life FROM herdbook_dead_plot") == [(2, 4)]
    check_lives(plots)


def test_an_unsealed_birth_that_moves_away_leaves_a_later_dead_row(plots: str) -> None:
    """A key that dies, lives and moves before anything is sealed dies with the next life."""
    run(plots, ROW, GONE, ROW, "UPDATE plot SET number = 5")
    with sealing(plots) as sealer:
        sealer.seal()
    assert told(plots)[:4] == [
        ("insert", "1", 1), ("delete", "1", 2), ("insert", "1", 3), ("delete", "1", 4),
    ]  # fmt: skip
    check_lives(plots)


def test_a_death_counts_on_whatever_the_session_had_read_before(plots: str) -> None:
    """A session with an old snapshot deletes a row that died and came again since."""
    with raw_connection(plots, autocommit=False) as old, sealing(plots) as sealer:
        ask(old, "SELECT COUNT(*) FROM herdbook_dead_plot")
        run(plots, ROW, GONE, ROW)
        ask(old, GONE)
        old.commit()
        sealer.seal()
    assert [life for _kind, _key, life in told(plots)] == [1, 2, 3, 4]
    check_lives(plots)


def test_births_of_several_sessions_follow_each_other(plots: str) -> None:
    """Each session takes the key over when the one before has committed its death."""
    sessions = 3
    for _turn in range(sessions):
        with raw_connection(plots, autocommit=False) as session:
            ask(session, ROW)
            ask(session, GONE)
            session.commit()
    with sealing(plots) as sealer:
        sealer.seal()
    assert [life for _kind, _key, life in told(plots)] == [1, 2, 3, 4, 5, 6]
    check_lives(plots)


def test_keys_that_spell_alike_are_one_place(plots: str) -> None:
    """Death as 'foo', birth as 'FOO', another spelling while alive, and death again."""
    run(
        plots,
        "INSERT INTO word (word) VALUES ('foo')",
        "DELETE FROM word",
        "INSERT INTO word (word) VALUES ('FOO')",
        "UPDATE word SET word = 'Foo'",
        "UPDATE word SET note = 1",
    )
    with sealing(plots) as sealer:
        sealer.seal()
        assert standing(plots, "word") == ([5], [])
        run(plots, "DELETE FROM word WHERE word = 'foo'", "INSERT INTO word (word) VALUES ('fOO')")
        sealer.seal()
    assert standing(plots, "word") == ([7], [])
    assert told(plots) == [
        ("insert", "foo", 1), ("delete", "foo", 2), ("insert", "FOO", 3), ("delete", "FOO", 4),
        ("insert", "Foo", 5), ("update", "Foo", 5), ("delete", "Foo", 6), ("insert", "fOO", 7),
    ]  # fmt: skip


def test_keys_of_every_form_are_found(plots: str) -> None:
    """A date, a decimal of thirty digits, text, a timestamp, bits and bytes in one key."""
    row = (
        "INSERT INTO booking VALUES (DATE '2026-01-31', 12345678901234567890.0000000001, 'x''y', "
        "'2026-01-31 12:00:00', b'101', X'00010203040506070809000000000000', 0)"
    )
    run(plots, "SET time_zone = '+00:00'", row, "DELETE FROM booking", row)
    with sealing(plots) as sealer:
        made, _nothing = sealer.seal()
    assert made.drained
    assert standing(plots, "booking") == ([3], [])
    assert [line.life for line in changelog(plots)] == [1, 2, 3]


def test_a_birth_whose_row_is_held_waits_and_all_else_goes_on(plots: str) -> None:
    """Somebody holds the row born again; other rows are sealed meanwhile, this one after."""
    with sealing(plots) as sealer:
        run(plots, ROW, GONE)
        sealer.seal()
        run(plots, ROW, "UPDATE plot SET name = 'committed'")
        with open_transaction(plots, "UPDATE plot SET name = 'open' WHERE number = 1") as holder:
            run(plots, "INSERT INTO plot VALUES (2, 'b')")
            made, _nothing = sealer.seal()
            assert (made.sealed, made.held, made.drained) == (1, 2, False)
            assert inbox(plots) == 2
            holder.commit()
        made, _nothing = sealer.seal()
        assert (made.sealed, made.held, made.drained) == (3, 0, True)
    assert told(plots) == [
        ("insert", "1", 1), ("delete", "1", 2), ("insert", "2", 1), ("insert", "1", 3),
        ("update", "1", 3), ("update", "1", 3),
    ]  # fmt: skip
    check_lives(plots)


def test_held_births_do_not_fill_the_passes(plots: str) -> None:
    """More of them than fit a pass, and what comes behind them is sealed all the same."""
    rows = ", ".join(f"({number}, '')" for number in range(10))
    with sealing(plots, entries=4) as sealer:
        run(plots, f"INSERT INTO plot VALUES {rows}", "DELETE FROM plot")
        seal_all(sealer)
        run(plots, f"INSERT INTO plot VALUES {rows}")
        with open_transaction(plots, "UPDATE plot SET name = 'open'"):
            run(plots, "INSERT INTO word (word) VALUES ('77')")
            for _turn in range(10):
                sealer.seal()
            assert told(plots)[-1] == ("insert", "77", 1)
            assert inbox(plots) == 10
        seal_all(sealer)
    check_lives(plots)


def test_a_birth_whose_dead_row_is_held_waits(plots: str) -> None:
    """Somebody reads the graveyard with a lock."""
    with sealing(plots) as sealer:
        run(plots, ROW, GONE, ROW)
        with open_transaction(plots, "SELECT * FROM herdbook_dead_plot FOR UPDATE"):
            assert sealer.seal()[0].held == 1
        assert sealer.seal()[0].drained
    check_lives(plots)


def test_a_birth_that_changes_while_it_is_sealed_waits_for_the_next_pass(plots: str) -> None:
    """Between the snapshot and the lock somebody deletes the row, or brings it back anew."""
    for after in ("UPDATE plot SET name = 'z'", GONE, f"{GONE}; {ROW}"):
        run(plots, "DELETE FROM plot", ROW, GONE, ROW)
        with sealing(plots) as sealer, pytest.MonkeyPatch.context() as patch:
            _interrupt(patch, lambda after=after: run(plots, *after.split("; ")))
            assert sealer.seal()[0].held == 1
            patch.undo()
            assert sealer.seal()[0].drained
        check_lives(plots)


def _interrupt(patch: pytest.MonkeyPatch, happen: Any) -> None:
    """Let something happen before rows born again are locked."""
    from service.store.sealing import births

    lock = births._lock

    def late(*given: Any) -> Any:
        happen()
        return lock(*given)

    patch.setattr(births, "_lock", late)


def test_stamps_of_a_row_grow_also_when_the_clock_is_set_back(plots: str) -> None:
    """An hour back: each change has a later stamp than the one before, and all is sealed."""
    with raw_connection(plots) as session, sealing(plots) as sealer:
        ask(session, ROW)
        ask(session, "UPDATE plot SET name = 'b'")
        ask(session, "SET timestamp = UNIX_TIMESTAMP() - 3600")
        ask(session, "UPDATE plot SET name = 'c'")
        ask(session, "UPDATE plot SET name = 'd'")
        assert sealer.seal()[0].sealed == 4
        ask(session, GONE)
        ask(session, ROW)
        assert sealer.seal()[0].drained
    stamps = read(plots, "SELECT stamp FROM herdbook_changelog ORDER BY `position` LIMIT 4")
    assert stamps == sorted(set(stamps))
    assert len(stamps) == 4
    check_lives(plots)


@pytest.mark.parametrize("seed", range(3))
def test_any_sequence_of_writes_leaves_lives_in_order(plots: str, seed: int) -> None:
    """Births, deaths, replacements and moves among few keys, sealed at any moment, in pieces."""
    chance = random.Random(seed)
    statements = (
        "INSERT IGNORE INTO plot VALUES ({a}, 'x')",
        "REPLACE INTO plot VALUES ({a}, 'x'), ({b}, 'y')",
        "DELETE FROM plot WHERE number = {a}",
        "UPDATE plot SET name = CONCAT(LEFT(name, 9), 'u') WHERE number IN ({a}, {b})",
        "UPDATE IGNORE plot SET number = {b} WHERE number = {a}",
    )
    with sealing(plots, entries=chance.choice([1, 2, 3, 7])) as sealer:
        for _turn in range(120):
            statement = chance.choice(statements)
            run(plots, statement.format(a=chance.randrange(4), b=chance.randrange(4)))
            if chance.random() < 0.2:
                sealer.seal()
        assert seal_all(sealer).drained
    check_lives(plots)
