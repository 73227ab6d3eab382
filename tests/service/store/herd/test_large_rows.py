"""A row that no statement has room for is held, named with its size; everything else goes on."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from service.herd.held import DROPPED, PARENT, REFUSED
from service.store.herd.applier import Applier
from service.store.transaction import Transaction
from tests.service.store.herd.asides import call, entries
from tests.service.store.herd.herds import Member, all_held, quiet
from tests.service.store.herd.test_applying import same
from tests.service.store.tools import raw_connection, read

PACKET = 2**18
"""What the server takes while packets are small."""

LARGE = 3 * PACKET
PIECES = "SELECT COUNT(*) FROM herdbook_piece"
LENGTHS = "SELECT number, LENGTH(name) FROM ranch ORDER BY number"


@pytest.fixture
def small(one: Member, other: Member) -> Iterator[Callable[[int], None]]:
    """Sets what the server takes in one packet; names of ranches may be long on both nodes."""
    for member in (one, other):
        for table in ("ranch", "herdbook_dead_ranch"):
            member.sql(f"ALTER TABLE {table} MODIFY name LONGTEXT")
    ((usual,),) = one.rows("SELECT @@GLOBAL.max_allowed_packet")

    def set_packet(size: int) -> None:
        with raw_connection(other.url) as connection:
            connection.cursor().execute(f"SET GLOBAL max_allowed_packet = {size}")

    yield set_packet
    set_packet(usual)


@contextmanager
def as_one_session(member: Member) -> Iterator[Callable[[Callable[[Transaction], object]], None]]:
    """Runs units of work on one connection, as a node does."""
    worker = member.worker()
    try:
        yield lambda work: worker.run(lambda tx: (work(tx), None)[1])
    finally:
        worker.close()


def ranches(one: Member) -> None:
    """Three ranches, the second larger than a packet; a stable at each."""
    one.sql(
        f"INSERT INTO ranch (number, name) VALUES (1, 'a'), (2, REPEAT('x', {LARGE})), (3, 'c')",
        "INSERT INTO stable (number, ranch_number, sign) VALUES (1, 1, 's'), (2, 2, 't')",
    )


def test_a_row_larger_than_a_packet_is_held_and_nothing_else_waits(
    one: Member, other: Member, small: Callable[[int], None]
) -> None:
    """What is told names its size and the setting; what needs it waits, the vector moves."""
    ranches(one)
    delta = one.delta({})
    small(PACKET)
    other.apply(delta)
    assert other.rows("SELECT number FROM ranch ORDER BY 1") == [(1,), (3,)]
    assert other.rows("SELECT number FROM stable") == [(1,)]
    assert other.vector()[one.origin()] == one.vector()[one.origin()]
    told = {held.row.place: (held.reason, held.text) for held in other.held()}
    assert {place: reason for place, (reason, _text) in told.items()} == {
        ("ranch", (2,)): REFUSED, ("stable", (2,)): PARENT,
    }  # fmt: skip
    text = told["ranch", (2,)][1]
    assert "max_allowed_packet" in text
    assert str(PACKET) in text
    sizes = [int(word) for word in text.split() if word.isdigit()]
    assert LARGE < sizes[0] < LARGE + 1_000
    assert other.rows(PIECES)[0][0] > LARGE // PACKET


def test_what_is_held_in_pieces_is_written_once_packets_are_larger(
    one: Member, other: Member, small: Callable[[int], None]
) -> None:
    """By a retry, also on the connection that knew the smaller ones; no piece is left."""
    ranches(one)
    delta = one.delta({})
    small(PACKET)
    with as_one_session(other) as run:
        run(lambda tx: Applier(other.known).apply(tx, delta))
        run(lambda tx: Applier(other.known).retry(tx, all_held(tx)))
        assert {held.reason for held in other.held()} == {REFUSED, PARENT}
        small(16 * LARGE)
        run(lambda tx: Applier(other.known).retry(tx, all_held(tx)))
    assert other.held() == []
    assert other.rows(PIECES) == [(0,)]
    same(one, other)
    quiet(one, other)
    same(one, other)


def test_what_is_held_in_pieces_is_listed_and_travels_on(
    one: Member, other: Member, small: Callable[[int], None]
) -> None:
    """With all of its value: a third node could get it from here."""
    ranches(one)
    delta = one.delta({})
    small(PACKET)
    other.apply(delta)
    (ranch,) = call(other, "held.list", reason="refused")["held"]
    values = {value["field"]: value["value"] for value in ranch["values"]}
    assert values["name"] == "x" * LARGE
    counted = call(other, "herd.status")["held"]
    assert {reason: count for reason, count in counted.items() if count} == {
        "refused": 1, "parent": 1,
    }  # fmt: skip
    passed_on = {row.place: row for row in other.delta({}).rows}
    assert passed_on["ranch", (2,)].state == delta.rows[1].state


def test_a_later_value_takes_the_place_of_one_in_pieces(
    one: Member, other: Member, small: Callable[[int], None]
) -> None:
    """A shorter one lets the row be written; its pieces are gone, and it has not lost anything."""
    ranches(one)
    first = one.delta({})
    small(PACKET)
    other.apply(first)
    small(16 * LARGE)
    one.sql(f"UPDATE ranch SET name = REPEAT('y', {2 * LARGE}) WHERE number = 2")
    longer = one.delta(other.vector())
    small(PACKET)
    other.apply(longer)
    (ranch,) = [held for held in other.held() if held.reason == REFUSED]
    assert ranch.row.state.values == {**ranch.row.state.values, "2": "y" * (2 * LARGE)}
    one.sql("UPDATE ranch SET name = 'short' WHERE number = 2")
    one.tell(other)
    assert other.held() == []
    assert other.rows(PIECES) == [(0,)]
    same(one, other)


def test_an_entry_of_the_journal_larger_than_a_packet_is_noted_in_pieces(
    one: Member, other: Member, small: Callable[[int], None]
) -> None:
    """Both values of a conflict come back whole, and the entry can be restored."""
    one.sql("INSERT INTO ranch (number, name, brand) VALUES (1, 'a', 'A')")
    quiet(one, other)
    other.sql(f"UPDATE ranch SET name = REPEAT('ä', {LARGE}) WHERE number = 1")
    one.sql("UPDATE ranch SET name = 'later' WHERE number = 1")
    delta = one.delta(other.vector())
    small(PACKET)
    other.apply(delta)
    assert other.rows(LENGTHS) == [(1, 5)]
    (entry,) = entries(other)
    (value,) = entry["values"]
    assert (value["lost"], value["kept"]) == ("ä" * LARGE, "later")
    assert other.rows(PIECES)[0][0] > 0
    small(16 * LARGE)
    call(other, "journal.restore", number=entry["number"])
    assert other.rows(LENGTHS) == [(1, 2 * LARGE)]


def test_what_is_held_in_pieces_can_be_given_up(
    one: Member, other: Member, small: Callable[[int], None]
) -> None:
    """Its value goes into the journal, which takes it in pieces too; it stays held as given up."""
    ranches(one)
    delta = one.delta({})
    small(PACKET)
    other.apply(delta)
    number = call(other, "held.drop", record="ranch", key=2)["entry"]
    assert {held.row.place[0]: held.reason for held in other.held()} == {
        "ranch": DROPPED, "stable": PARENT,
    }  # fmt: skip
    (entry,) = [each for each in entries(other) if each["number"] == number]
    assert {v["field"]: v["lost"] for v in entry["values"]}["name"] == "x" * LARGE
    parts = "SELECT DISTINCT part_of FROM herdbook_piece ORDER BY part_of"
    assert read(other.url, parts) == [("held",), ("journal",)]


def test_many_rows_that_fit_are_written_though_one_statement_has_no_room_for_all(
    one: Member, other: Member, small: Callable[[int], None]
) -> None:
    """A packet of the smallest size that servers know: births, changes, conflicts, held rows."""
    one.sql(
        "INSERT INTO ranch (number, name) VALUES "
        + ", ".join(f"({number}, REPEAT('v', 1500))" for number in range(300))
    )
    births = one.delta({})
    small(1024)
    other.apply(births)
    assert other.held() == []
    small(64 * LARGE)
    other.sql("UPDATE ranch SET name = REPEAT('w', 1400)")
    one.sql("UPDATE ranch SET name = REPEAT(CHAR(65 + number MOD 20), 1500 + number)")
    other.sql("ALTER TABLE ranch ADD CONSTRAINT odd CHECK (number MOD 2 = 1 OR name LIKE 'w%')")
    changes = one.delta({})
    small(1024)
    other.apply(changes)
    assert len(other.held()) == 150
    assert len(entries(other, limit=1000)) == 300
    small(64 * LARGE)
    other.sql("ALTER TABLE ranch DROP CONSTRAINT odd")
    other.do(lambda tx: Applier(other.known).retry(tx, all_held(tx)))
    assert other.held() == []
    assert one.rows(LENGTHS) == other.rows(LENGTHS)


def test_a_call_that_is_too_large_leaves_its_connection_as_it_was(
    one: Member, small: Callable[[int], None]
) -> None:
    """The server would hang up, and with the connection went what it had to say."""
    small(PACKET)
    with as_one_session(one) as run:
        ids: list[int] = []

        def look(tx: Transaction) -> None:
            ids.append(tx.rows("SELECT CONNECTION_ID()")[0][0])

        def write(tx: Transaction) -> None:
            look(tx)
            tx.execute("INSERT INTO ranch (number, name) VALUES (1, ?)", ("x" * LARGE,))

        with pytest.raises(Exception, match="too large"):
            run(write)
        run(look)
    assert len(set(ids)) == 1
