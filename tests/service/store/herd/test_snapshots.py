"""Snapshots: a node that lacks what was pruned gets all rows, and loses what died meanwhile."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pytest

from schema.capture.triggers import QUIET
from service.herd.deltas import Delta, DeltaRow
from service.herd.messages import Portion
from service.herd.planning.forgetting import left_out
from service.herd.port import Sibling
from service.herd.shapes import Place
from service.herd.vectors import Vector
from service.store.herd import leaving, siblings
from service.store.herd.applier import Applier
from service.store.herd.arrivals import Arrivals
from service.store.herd.delta_parts import Sizes
from service.store.herd.described import Descriptions
from service.store.herd.floors import floors_of
from service.store.herd.held import held_at
from service.store.herd.reading import Bounds
from service.store.retention import Pruner, Retention
from tests.service.store.herd.deltas import parts_of, reader_at
from tests.service.store.herd.herds import Member
from tests.service.store.herd.test_applying import family
from tests.service.store.herd.test_applying_order import HORSE
from tests.service.store.sealing.tools import worker_at
from tests.service.store.tools import raw_connection

SMALL = Bounds(sizes=Sizes(most_rows=2))
EVERYTHING = {
    table: f"SELECT *, herdbook_life, herdbook_stamp, herdbook_origin FROM {table} ORDER BY 1"
    for table in ("ranch", "stable", "horse", "ticket")
}


def tell(
    one: Member,
    other: Member,
    number: int = 1,
    until: int | None = None,
    above: Vector | None = None,
) -> list[Vector]:
    """One tells the other what it lacks, in small parts, or some; the vectors after each.

    It takes the other to be at a vector, where one is given.
    """
    one.seal()
    other.seal()
    arrivals, worker = Arrivals(Applier(Descriptions())), other.worker()
    reading = reader_at(one.url, held_of=held_at, bounds=SMALL).read(above or other.vector())
    vectors = []
    for at, part in enumerate(parts_of(reading)):
        if until is not None and at >= until:
            reading.close()
            break
        vectors.append(arrivals.apply(worker, 1, Portion(number, at, part)))
    worker.close()
    other.seal()
    return vectors


def prune(one: Member) -> int:
    """Forget whatever may be forgotten; how many entries."""
    one.seal()
    worker = worker_at(one.url)
    gone, _more = Pruner(worker, "one", Retention(30, 0), lambda: 0).prune()
    worker.close()
    return gone


def rows(one: Member) -> dict[str, list[object]]:
    """All live rows, with their lives and versions."""
    return {table: one.rows(query) for table, query in EVERYTHING.items()}


def note(one: Member, other: Member, vector: Vector) -> None:
    """What the other surely has, as one knows it."""
    one.do(lambda tx: siblings.note(tx, (Sibling(other.origin(), "other", vector),)))


def test_nothing_is_forgotten_while_a_sibling_has_what_is_not_here(
    one: Member, other: Member
) -> None:
    """It may be a birth of a key whose death the sibling has had after it."""
    family(one)
    one.sql("DELETE FROM horse WHERE number = 2")
    tell(one, other)
    other.sql("INSERT INTO ranch (number, name) VALUES (9, 'of the other')")
    other.seal()
    note(one, other, other.vector())
    assert prune(one) == 0
    tell(other, one)
    note(one, other, other.vector())
    assert prune(one) > 0


def test_an_empty_node_joins_an_old_herd(one: Member, other: Member) -> None:
    """It gets rows of which there is no entry any more, and can be asked in its turn."""
    family(one)
    one.sql(HORSE + "(3, 1, NULL, NULL, 13)", "DELETE FROM horse WHERE number = 3")
    assert prune(one) > 0
    one.sql("INSERT INTO ranch (number, name) VALUES (77, 'young')")
    vectors = tell(one, other)
    assert len(vectors) > 2
    assert [one.origin() in vector for vector in vectors] == [False] * (len(vectors) - 1) + [True]
    assert rows(other) == rows(one)
    floors = "SELECT origin, `position` FROM herdbook_pruned"
    assert other.rows(floors) == one.rows(floors)


def test_a_snapshot_that_broke_off_begins_again(one: Member, other: Member) -> None:
    """What was written in between comes along, and what died in between does not stay."""
    family(one)
    prune(one)
    tell(one, other, until=2)
    assert rows(other) != rows(one)
    one.sql(HORSE + "(8, 1, NULL, NULL, 18)", "DELETE FROM horse WHERE number = 2")
    one.sql("DELETE FROM horse WHERE number <> 8")
    prune(one)
    tell(one, other, number=2)
    assert rows(other) == rows(one)


def test_what_an_active_sibling_lacks_is_not_pruned(one: Member, other: Member) -> None:
    """However silent it is; what it has is; and nothing is needed by one that is retired."""
    one.sql(*(f"INSERT INTO ranch (number) VALUES ({number})" for number in range(1, 5)))
    one.seal()
    note(one, other, {})
    assert prune(one) == 0
    note(one, other, {one.origin(): 2})
    assert prune(one) == 2
    assert one.rows("SELECT `position` FROM herdbook_pruned") == [(2,)]
    one.sql("UPDATE herdbook_sibling SET state = 'retired'")
    assert prune(one) == 2


def _away(one: Member, other: Member, meanwhile: Callable[[], None]) -> None:
    """The other was away: rows went, and were forgotten; then both tell each other."""
    family(one)
    one.sql(HORSE + "(5, 1, NULL, NULL, 15), (6, 1, NULL, NULL, 16)")
    tell(one, other)
    meanwhile()
    assert prune(one) > 0
    for number in range(2, 5):
        tell(other, one, number)
        tell(one, other, number)


def test_who_was_away_for_too_long_brings_nothing_back_and_loses_nothing(
    one: Member, other: Member
) -> None:
    """Rows died elsewhere; it has written new ones, and to one that is no more."""

    def meanwhile() -> None:
        one.sql("DELETE FROM horse WHERE number IN (5, 6)")
        other.sql(
            HORSE + "(9, 1, NULL, NULL, 19)",
            "UPDATE horse SET name = 'late' WHERE number = 6",
            "UPDATE ranch SET name = 'mine' WHERE number = 1",
        )

    _away(one, other, meanwhile)
    assert rows(one) == rows(other)
    numbers = one.rows("SELECT number FROM horse WHERE number > 4")
    assert numbers == [(9,)]
    assert one.rows("SELECT name FROM ranch WHERE number = 1") == [("mine",)]
    assert other.rows("SELECT rule, table_name FROM herdbook_journal") == [("other life", "horse")]
    assert other.rows("SELECT * FROM herdbook_dead_horse") == []


def test_a_parent_that_was_forgotten_lives_again_for_its_new_child(
    one: Member, other: Member
) -> None:
    """A horse that was born on the node that was away holds on to its stable."""

    def meanwhile() -> None:
        one.sql("DELETE FROM horse WHERE number = 2", "DELETE FROM horse", "DELETE FROM stable")
        other.sql(HORSE + "(9, 1, NULL, NULL, 19)")

    _away(one, other, meanwhile)
    assert rows(one) == rows(other)
    assert one.rows("SELECT number FROM horse") == [(9,)]
    assert one.rows("SELECT number FROM stable") == [(1,)]


@pytest.mark.parametrize("first", [True, False])
def test_a_key_that_is_born_again_where_it_was_forgotten_lives_everywhere(
    one: Member, other: Member, first: bool
) -> None:
    """Its life begins at 1 again; the other still knows the dead row, or forgets it too."""
    family(one)
    one.sql("INSERT INTO ranch (number, name) VALUES (50, 'old')")
    one.sql("DELETE FROM ranch WHERE number = 50")
    tell(one, other)
    note(one, other, other.vector())
    assert prune(one) > 0
    if not first:
        note(other, one, one.vector())
        assert prune(other) > 0
    one.sql("INSERT INTO ranch (number, name) VALUES (50, 'new')")
    tell(one, other)
    tell(other, one)
    assert rows(one) == rows(other)
    assert one.rows("SELECT name FROM ranch WHERE number = 50") == [("new",)]
    assert other.rows("SELECT * FROM herdbook_dead_ranch") == []


def test_rows_of_a_class_that_the_sender_has_dropped_live_on(one: Member, other: Member) -> None:
    """It knows nothing of them any more; what it still has a table for dies as before."""

    def meanwhile() -> None:
        one.sql(
            "INSERT INTO ranch (number, name) VALUES (60, 'here')",
            "DELETE FROM ranch WHERE number = 2",
            "DROP TABLE horse",
            "DROP TABLE herdbook_dead_horse",
            "DELETE FROM herdbook_capture WHERE table_name = 'horse'",
        )

    family(one)
    tell(one, other)
    other.sql("DELETE FROM horse WHERE number = 2", HORSE + "(7, 1, NULL, NULL, 17)")
    dead = "SELECT number FROM herdbook_dead_horse ORDER BY 1"
    before = other.rows("SELECT number FROM horse ORDER BY 1"), other.rows(dead)
    meanwhile()
    assert prune(one) > 0
    tell(one, other, 2)
    assert (other.rows("SELECT number FROM horse ORDER BY 1"), other.rows(dead)) == before
    assert other.rows("SELECT number FROM ranch ORDER BY 1") == [(1,), (60,)]


def test_a_row_that_nobody_has_heard_of_lives_on(one: Member, other: Member) -> None:
    """It came past the triggers, and is to be adopted: it was not deleted anywhere."""

    def meanwhile() -> None:
        one.sql("INSERT INTO ranch (number, name) VALUES (62, 'missed')")
        _past_the_triggers(other)

    _away(one, other, meanwhile)
    assert other.rows("SELECT number FROM ranch WHERE number = 62") == [(62,)]
    assert other.rows("SELECT number, herdbook_stamp FROM ranch WHERE number = 61") == [(61, 0)]


def _past_the_triggers(member: Member) -> None:
    with raw_connection(member.url) as connection:
        cursor = connection.cursor()
        cursor.execute(f"SET {QUIET} = 1")
        cursor.execute("INSERT INTO ranch (number, name) VALUES (61, 'loaded')")


def test_rows_that_a_snapshot_lets_die_are_taken_a_few_at_a_time(
    one: Member, other: Member, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Parents, children and mothers, all gone; only what a new child holds on to lives again."""
    monkeypatch.setattr(leaving, "AT_ONCE", 2)
    at_once: list[int] = []

    def counted(delta: Delta, places: Sequence[Place], *more: Any) -> tuple[DeltaRow, ...]:
        at_once.append(len(places))
        return left_out(delta, places, *more)

    monkeypatch.setattr(leaving, "left_out", counted)

    def meanwhile() -> None:
        one.sql(
            "DELETE FROM horse WHERE number >= 30",
            "DELETE FROM horse WHERE number = 2",
            "DELETE FROM horse",
            "DELETE FROM stable",
            "DELETE FROM ranch WHERE number > 2",
        )
        other.sql(HORSE + "(40, 20, NULL, NULL, 140)")

    one.sql(
        *(f"INSERT INTO ranch (number, name) VALUES ({n}, 'r')" for n in range(20, 25)),
        *(f"INSERT INTO stable (number, ranch_number, sign) VALUES ({n}, {n}, 't{n}')"
          for n in range(20, 25)),
        *(HORSE + f"({n}, {n}, NULL, NULL, {100 + n})" for n in range(20, 25)),
        *(HORSE + f"({n}, 20, NULL, {n - 10}, {100 + n})" for n in range(30, 35)),
    )  # fmt: skip
    _away(one, other, meanwhile)
    assert rows(one) == rows(other)
    assert other.rows("SELECT number FROM horse") == [(40,)]
    assert other.rows("SELECT number FROM stable") == [(20,)]
    assert other.rows("SELECT number FROM ranch ORDER BY 1") == [(1,), (2,), (20,)]
    assert other.rows("SELECT * FROM herdbook_dead_stable") == []
    assert sum(at_once) > 20
    assert max(at_once) == 2


@pytest.mark.parametrize(("lives_more", "stays"), [(0, []), (2, [(61,)])])
def test_a_dead_row_is_forgotten_unless_a_repair_wrote_to_it(
    one: Member, lives_more: int, stays: list[Any]
) -> None:
    """The repair's entry goes to others, and there must be a row that it tells of."""
    one.sql("INSERT INTO ranch (number, name) VALUES (61, 'r')", "DELETE FROM ranch")
    (dead,) = (row for row in one.delta({}).rows if row.place == ("ranch", (61,)))
    after = {dead.place: dead.state._replace(life=dead.state.life + lives_more)}
    one.do(lambda tx: leaving.forget_deaths(tx, one.known.of(tx), [dead], after))
    assert one.rows("SELECT number FROM herdbook_dead_ranch WHERE number = 61") == stays


def test_a_dead_row_stays_where_the_entry_of_its_death_is(one: Member, other: Member) -> None:
    """Though the sender of a snapshot, which was asked for before that came, has forgotten it."""
    one.sql("INSERT INTO ranch (number, name) VALUES (61, 'r')")
    tell(one, other)
    before = other.vector()
    one.sql("DELETE FROM ranch")
    tell(one, other)
    note(one, other, other.vector())
    assert prune(one) == 2
    one.sql("INSERT INTO ranch (number, name) VALUES (62, 'new')")
    tell(one, other, above=before)
    assert other.rows("SELECT number FROM ranch") == [(62,)]
    assert other.rows("SELECT number FROM herdbook_dead_ranch") == [(61,)]
    assert other.do(floors_of) == {}


def test_who_lacked_what_was_pruned_has_the_floors_of_the_sender(
    one: Member, other: Member
) -> None:
    """Of itself as well: its dead rows are gone, though it has the entries."""
    other.sql("INSERT INTO ranch (number, name) VALUES (61, 'r')", "DELETE FROM ranch")
    tell(other, one)
    one.sql("INSERT INTO ranch (number, name) VALUES (62, 'r')", "DELETE FROM ranch")
    assert prune(one) == 4
    tell(one, other)
    assert other.rows("SELECT number FROM herdbook_dead_ranch") == []
    assert other.do(floors_of) == one.do(floors_of)
    assert other.do(floors_of)[other.origin()] == 2
