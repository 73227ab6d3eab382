"""What waits for rows is written when they come, some at a time, and what does not is not read."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from service.herd.deltas import Delta
from service.herd.held import PARENT, Held
from service.store.herd import waking
from service.store.herd.applier import Applier
from service.store.herd.held import held_under
from service.store.herd.waits import waiting_for
from service.store.herd.waking import waiting
from service.store.transaction import Transaction
from tests.service.store.herd.herds import Member, quiet
from tests.service.store.herd.test_applying import same

WAITS = "SELECT COUNT(*) FROM herdbook_wait"


def stables(one: Member, ranches: int, each: int) -> Delta:
    """Some ranches with some stables each, all of them."""
    one.sql(
        "INSERT INTO ranch (number, name) VALUES "
        + ", ".join(f"({number}, 'r')" for number in range(ranches)),
        "INSERT INTO stable (number, ranch_number, sign) VALUES "
        + ", ".join(
            f"({ranch * each + number}, {ranch}, 's{ranch}-{number}')"
            for ranch in range(ranches)
            for number in range(each)
        ),
    )
    return one.delta({})


def only(delta: Delta, *keep: str | int) -> Delta:
    """Those rows of a delta that are of a table, or have a key; it covers nothing."""
    rows = tuple(row for row in delta.rows if row.table in keep or row.key[0] in keep)
    return delta._replace(rows=rows, covers={}, entries=())


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Few are tried at once; how many held rows each look has read."""
    counts: list[int] = []
    monkeypatch.setattr(waking, "AT_ONCE", 3)
    monkeypatch.setattr(waking, "MOST_BELOW", 6)

    def counted(tx: Transaction, places: Sequence[bytes]) -> list[tuple[bytes, Held]]:
        found = list(held_under(tx, places))
        counts.append(len(found))
        return found

    monkeypatch.setattr(waking, "held_under", counted)
    return counts


def test_only_what_waits_for_the_rows_that_came_is_read(
    one: Member, other: Member, read: list[int]
) -> None:
    """Of sixty rows that wait, the six of one parent: three at a time, though all are written."""
    whole = stables(one, 10, 6)
    other.apply(only(whole, "stable"))
    assert len(other.held()) == 60
    assert other.rows(WAITS) == [(60,)]
    read.clear()
    other.apply(whole._replace(rows=tuple(r for r in whole.rows if r.place == ("ranch", (4,)))))
    assert (sum(read), max(read)) == (6, 3)
    assert other.rows("SELECT COUNT(*) FROM stable WHERE ranch_number = 4") == [(6,)]
    assert len(other.held()) == 54
    assert other.rows(WAITS) == [(54,)]


def test_all_that_waits_is_written_a_few_at_a_time(
    one: Member, other: Member, read: list[int]
) -> None:
    """With the last part of a delta, whose earlier parts brought the parents."""
    whole = stables(one, 5, 5)
    other.apply(only(whole, "stable"))
    read.clear()

    first = only(whole, "ranch")._replace(entries=whole.entries, last=False)
    other.apply(first)
    assert read == []
    last = first._replace(rows=(), entries=(), last=True)
    other.do(lambda tx: Applier(other.known).apply(tx, last, parts_before=True))
    assert other.held() == []
    assert other.rows(WAITS) == [(0,)]
    assert max(read) == 3
    same(one, other)


def horses(one: Member, count: int) -> Delta:
    """A stable with horses, each the mother of the next."""
    one.sql(
        "INSERT INTO ranch (number, name) VALUES (1, 'r')",
        "INSERT INTO stable (number, ranch_number, sign) VALUES (1, 1, 's')",
        *(
            "INSERT INTO horse (number, stable_number, mother_number, chip) VALUES "
            f"({number}, 1, {number - 1 or 'NULL'}, {number})"
            for number in range(1, count + 1)
        ),
    )
    return one.delta({})


def test_rows_that_wait_for_each_other_are_written_together(
    one: Member, other: Member, read: list[int]
) -> None:
    """In a circle none of them can be written without the others."""
    horses(one, 7)
    one.sql("UPDATE horse SET mother_number = 7 WHERE number = 1")
    whole = one.delta({})
    other.apply(only(whole, "horse"))
    assert [held.reason for held in other.held()] == [PARENT] * 7
    other.apply(whole._replace(rows=tuple(row for row in whole.rows if row.table != "horse")))
    assert other.held() == []
    same(one, other)


def test_one_generation_wakes_the_next(one: Member, other: Member, read: list[int]) -> None:
    """Where less goes along with a row than waits for it."""
    whole = horses(one, 12)
    other.apply(only(whole, "horse"))
    read.clear()
    others = tuple(row for row in whole.rows if row.table != "horse")
    other.apply(whole._replace(rows=others))
    assert other.held() == []
    assert max(read) <= 9
    same(one, other)


def test_what_waits_is_read_in_pages_that_hold_everything_once(
    one: Member, other: Member, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However few are read at once."""
    whole = stables(one, 4, 4)
    other.apply(only(whole, "stable"))
    monkeypatch.setattr(waking, "AT_ONCE", 3)
    groups = other.do(lambda tx: list(waiting(tx)))
    assert [len(group) for group in groups] == [3, 3, 3, 3, 3, 1]
    assert {held.row.place for group in groups for held in group} == {
        held.row.place for held in other.held()
    }
    other.apply(whole)
    quiet(one, other)
    same(one, other)


@pytest.mark.parametrize("most", [1, 2, 3, 50])
def test_pages_of_what_waits_leave_nothing_out(one: Member, most: int) -> None:
    """Several parents, with many, few and no children; some of which wait for two."""
    pairs = {(1, 1), (1, 2), (1, 3), (1, 4), (1, 5), (2, 1), (4, 6), (5, 2), (5, 7), (6, 8)}
    names = [number.to_bytes(32, "big") for number in range(9)]

    def work(tx: Transaction) -> list[list[bytes]]:
        for parent, place in pairs:
            tx.execute(
                "INSERT INTO herdbook_wait (parent, place) VALUES (?, ?)",
                (names[parent], names[place]),
            )
        return list(waiting_for(tx, names[1:6], most))

    pages = one.do(work)
    assert max(map(len, pages)) <= most
    found = sorted(place for page in pages for place in page)
    assert found == sorted(names[place] for parent, place in pairs if parent < 6)
