"""A pass moves what is committed into the changelog, in order, at the next positions."""

from __future__ import annotations

import threading
from functools import partial
from typing import Any

import MySQLdb
import pytest

from service.store.sealing.entries import EntriesGone, Entry, Sealed
from service.store.sealing.keys import KnownKeys
from service.store.sealing.lease import Lease, NotHolder
from service.store.sealing.passes import Pass
from service.store.sealing.troubles import TABLE_SECONDS, Troubles
from service.store.transaction import Transaction
from tests.live.units import Side
from tests.service.store.sealing.tools import (
    Clock,
    candidate,
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

DEADLOCK = 1213
CELLS = "INSERT INTO plot (number, name) VALUES "


def test_entries_move_into_the_changelog_in_order(plots: str) -> None:
    """Insert, update and delete, at positions from 1 on; nothing stays behind."""
    run(plots, f"{CELLS} (1, 'a'), (2, 'b')", "UPDATE plot SET name = 'c' WHERE number = 1")
    run(plots, "DELETE FROM plot WHERE number = 2")
    with sealing(plots) as sealer:
        made, _nothing = sealer.seal()
    assert (made.sealed, made.position, made.drained) == (4, 4, True)
    assert told(plots) == [
        ("insert", "1", 1), ("insert", "2", 1), ("update", "1", 1), ("delete", "2", 2),
    ]  # fmt: skip
    assert inbox(plots) == 0


def test_an_idle_pass_changes_nothing(plots: str) -> None:
    """There is nothing to seal, and so it says."""
    with sealing(plots) as sealer:
        before = read(plots, "SELECT * FROM herdbook_sealer")
        made, _nothing = sealer.seal()
    assert (made.sealed, made.position, made.drained) == (0, 0, True)
    assert read(plots, "SELECT * FROM herdbook_sealer") == before


def test_what_an_entry_says_is_kept(plots: str) -> None:
    """Fields, origin, stamp and writer are what the trigger wrote."""
    run(plots, f"{CELLS} (1, 'a')", "UPDATE plot SET name = 'b'")
    columns = "entry, table_name, row_key, kind, fields, life, origin, stamp, writer"
    before = read(plots, f"SELECT {columns} FROM herdbook_inbox ORDER BY entry")
    with sealing(plots) as sealer:
        sealer.seal()
    assert read(plots, f"SELECT {columns} FROM herdbook_changelog ORDER BY `position`") == before
    assert len(before) == 2


def test_more_than_fits_a_pass_takes_several(plots: str) -> None:
    """Each says whether there is more; positions go on without a gap."""
    run(plots, f"{CELLS} {', '.join(f'({number}, 0)' for number in range(25))}")
    with sealing(plots, entries=10) as sealer:
        first, _nothing = sealer.seal()
        assert (first.sealed, first.more, first.drained) == (10, True, False)
        last = seal_all(sealer)
    assert (last.position, last.drained) == (25, True)
    assert [line.key for line in changelog(plots)] == [b"%d" % number for number in range(25)]


def test_what_is_read_in_a_pass_is_sealed_and_of_its_snapshot(plots: str) -> None:
    """A write in the midst of it is neither seen nor sealed; the next pass has both."""
    run(plots, f"{CELLS} (1, 'a')")

    def look(tx: Transaction, made: Pass) -> tuple[int, int, int]:
        assert (made.sealed, made.drained) == (1, True)
        run(plots, f"{CELLS} (2, 'b')")
        counts = [
            tx.rows(f"SELECT COUNT(*) FROM {table}")[0][0]
            for table in ("plot", "herdbook_changelog", "herdbook_inbox")
        ]
        return counts[0], counts[1], counts[2]

    with sealing(plots) as sealer:
        assert sealer.seal(look)[1] == (1, 1, 0)
        made, _nothing = sealer.seal()
    assert made.sealed == 1
    assert len(changelog(plots)) == 2


def test_reading_that_fails_seals_nothing(plots: str) -> None:
    """The pass is one transaction; the next one seals."""
    run(plots, f"{CELLS} (1, 'a')")

    def fail(_tx: Transaction, _made: Pass) -> None:
        raise LookupError("of its own")

    with sealing(plots) as sealer:
        with pytest.raises(LookupError):
            sealer.seal(fail)
        assert changelog(plots) == []
        assert sealer.seal()[0].sealed == 1


def test_only_the_holder_seals(plots: str) -> None:
    """Whoever lost the lease is told, and what it would have sealed stays."""
    run(plots, f"{CELLS} (1, 'a')")
    with sealing(plots, "one") as one, sealing(plots, "two") as two:
        with pytest.raises(NotHolder):
            one.seal()
        with pytest.raises(NotHolder):
            one.beat()
        one.release()
        assert inbox(plots) == 1
        assert two.seal()[0].sealed == 1


def test_a_lease_that_was_given_back_is_free(plots: str) -> None:
    """The next one sees that nobody holds it."""
    with sealing(plots, "one") as one, candidate(plots, "two") as two:
        one.release()
        lease, _position = two.lease()
        assert lease.holder == ""
        assert two.take(lease)
        two.beat()


def test_a_lease_is_taken_only_as_it_was_seen(plots: str) -> None:
    """If the holder has shown a sign of life since, or works right now, it is not."""
    with sealing(plots, "one") as one, candidate(plots, "two") as two:
        seen, _position = two.lease()
        one.beat()
        assert not two.take(seen)
        assert not two.take(Lease("three", seen.beat + 1))
        now, _position = two.lease()
        taken: list[bool] = []
        one.seal(lambda _tx, _made: taken.append(two.take(now)))
        assert taken == [False]
        assert two.take(now)


def test_numbers_that_start_anew_are_sealed(plots: str) -> None:
    """Low entries after high ones, as after TRUNCATE of the inbox."""
    run(plots, f"{CELLS} (1, 'a'), (2, 'b')")
    with sealing(plots) as sealer:
        sealer.seal()
        run(plots, "TRUNCATE herdbook_inbox", f"{CELLS} (3, 'c')")
        assert sealer.seal()[0].sealed == 1
    lines = changelog(plots)
    assert lines[-1].entry < lines[-2].entry
    assert [line.key for line in lines] == [b"1", b"2", b"3"]


def test_entries_that_somebody_deletes_stop_a_pass(plots: str) -> None:
    """Nothing is sealed whose entry vanished in between."""
    run(plots, f"{CELLS} (1, 'a')", "INSERT INTO plot (number) VALUES (2)")

    def judge(
        _tx: Transaction,
        _known: KnownKeys,
        _troubles: Troubles,
        entries: list[Entry],
        more: bool,
    ) -> list[Sealed]:
        run(plots, "DELETE FROM herdbook_inbox LIMIT 1")
        return [(entry, entry.life) for entry in entries]

    with sealing(plots) as sealer, pytest.MonkeyPatch.context() as patch:
        patch.setattr("service.store.sealing.passes.judge", judge)
        with pytest.raises(EntriesGone):
            sealer.seal()
    assert changelog(plots) == []


def test_tables_that_are_not_there_or_not_known_do_not_stop_sealing(plots: str) -> None:
    """Their entries are sealed as they were written; those of others as ever."""
    run(
        plots,
        f"{CELLS} (1, 'a')",
        "INSERT INTO word (word) VALUES ('w')",
        "INSERT INTO booking VALUES (DATE '2026-01-01', 1, 'a', '2026-01-01', b'1', 'x', 0)",
        "DROP TABLE word",
        "DELETE FROM herdbook_capture WHERE table_name = 'booking'",
    )
    with sealing(plots) as sealer:
        assert sealer.seal()[0].drained
    assert [(line.table, line.life) for line in changelog(plots)] == [
        ("plot", 1), ("word", 1), ("booking", 1),
    ]  # fmt: skip


def test_a_table_that_is_being_changed_waits_and_others_do_not(plots: str) -> None:
    """While a DDL statement waits for somebody's transaction, the rest is sealed."""
    run(plots, f"{CELLS} (1, 'a')", "INSERT INTO word (word) VALUES ('w')")
    clock = Clock()
    with sealing(plots, clock=clock) as sealer:
        with open_transaction(plots, "SELECT * FROM word") as reader:
            side = Side(lambda: run(plots, "ALTER TABLE word ADD COLUMN herdbook_x INT"))
            waiting = "SELECT COUNT(*) FROM information_schema.processlist WHERE state LIKE %s"
            for _turn in range(1_000):
                if read(plots, waiting, ("Waiting for table metadata lock%",))[0][0]:
                    break
                threading.Event().wait(0.01)
            made, _nothing = sealer.seal()
            assert (made.sealed, made.held) == (1, 1)
            # To ask takes a second: it is not asked again at once.
            with pytest.MonkeyPatch.context() as patch:
                patch.setattr("service.store.sealing.judge._of_table", None)
                assert sealer.seal()[0].held == 1
            reader.rollback()
            side.join()
        clock.now += TABLE_SECONDS
        assert sealer.seal()[0].drained
    assert [line.table for line in changelog(plots)] == ["plot", "word"]


def test_positions_hold_under_concurrent_writers(plots: str) -> None:
    """Four writers, some of whose transactions are slow or undone: each change once, in order."""

    def write(which: int) -> None:
        with raw_connection(plots, autocommit=False) as connection:
            for turn in range(60):
                try:
                    write_some(connection, which, turn)
                except MySQLdb.OperationalError as error:
                    if error.args[0] != DEADLOCK:
                        raise
                    connection.rollback()

    def write_some(connection: Any, which: int, turn: int) -> None:
        number = 100 * (turn % 5) + which % 2
        ask(connection, f"INSERT IGNORE INTO plot VALUES ({number}, '')")
        ask(connection, f"UPDATE plot SET name = '{which}-{turn}' WHERE number = {number}")
        if turn % 3 == 2:
            ask(connection, f"DELETE FROM plot WHERE number = {number}")
        connection.rollback() if turn % 7 == 6 else connection.commit()

    sides = [Side(partial(write, which)) for which in range(4)]
    with sealing(plots, attempts=5) as sealer:
        while any(side.running for side in sides):
            sealer.seal()
        for side in sides:
            side.join()
        assert seal_all(sealer).drained
    lines = changelog(plots)
    assert len({line.entry for line in lines}) == len(lines) > 100
    check_lives(plots)
