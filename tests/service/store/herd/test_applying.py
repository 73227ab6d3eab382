"""What a sibling wrote is written here, with its versions, and passed on."""

from __future__ import annotations

from random import Random

import pytest

from service.herd.planning.draft import DeltaRefused
from service.herd.vectors import Vector
from service.store.herd.applier import Applier
from service.store.transaction import Transaction
from tests.service.store.herd.herds import Member, quiet
from tests.service.store.tools import read

EVERYTHING = "SELECT {0}.*, herdbook_life, herdbook_stamp, herdbook_origin FROM {0} ORDER BY 1"
TABLES = ("ranch", "stable", "horse", "herdbook_dead_ranch", "herdbook_dead_stable",
          "herdbook_dead_horse")  # fmt: skip


def family(member: Member) -> None:
    """A ranch with a stable and two horses."""
    member.sql(
        "INSERT INTO ranch (number, name, brand) VALUES (1, 'a', 'A'), (2, 'b', 'B')",
        "INSERT INTO stable (number, ranch_number, sign) VALUES (1, 1, 'south')",
        "INSERT INTO horse (number, stable_number, owner_number, mother_number, chip, name) VALUES "
        "(1, 1, 2, NULL, 11, 'x'), (2, 1, 2, 1, 12, 'y')",
    )


def same(one: Member, other: Member) -> None:
    """Both nodes have the same rows, live and dead."""
    for table in TABLES:
        statement = EVERYTHING.format(table)
        assert one.rows(statement) == other.rows(statement), table


def test_rows_come_with_their_versions(one: Member, other: Member) -> None:
    """Births, changes and deaths; the entries go on to others under their own positions."""
    family(one)
    one.tell(other)
    same(one, other)
    one.sql("UPDATE horse SET name = 'z', chip = chip + 10", "DELETE FROM horse WHERE number = 2")
    one.tell(other)
    same(one, other)
    other.seal()
    came = "SELECT kind, origin, at_origin FROM herdbook_changelog ORDER BY `position`"
    theirs = [(kind, one.origin(), at) for kind, _origin, at in other.rows(came)]
    assert other.rows(came) == theirs
    assert other.vector()[one.origin()] == one.vector()[one.origin()]


def test_applied_twice_is_applied_once(one: Member, other: Member) -> None:
    """A delta that comes again changes nothing."""
    family(one)
    delta = one.delta({})
    other.apply(delta)
    other.apply(delta)
    same(one, other)
    quiet(one, other)
    same(one, other)
    assert read(other.url, "SELECT COUNT(*) FROM herdbook_changelog") == [(5,)]


@pytest.mark.slow
def test_a_thousand_times_and_in_the_worst_order_is_once(one: Member, other: Member) -> None:
    """Whole deltas, and those between any two moments, the newest first, again and again."""
    family(one)
    vectors: list[Vector] = [{}]
    for number in range(4):
        vectors.append(one.delta({}).covers)
        one.sql(f"UPDATE horse SET name = 'n{number}'", "DELETE FROM horse WHERE number = 2")
        one.sql(
            "INSERT INTO horse (number, stable_number, owner_number, chip, name) "
            f"VALUES (2, 1, 2, 12, 'again {number}')"
        )
    deltas = [one.delta(vector) for vector in vectors]
    whole = deltas[0]
    assert [len(delta.entries) for delta in deltas] == [21, 16, 12, 8, 4]
    for delta in reversed(deltas[1:]):
        with pytest.raises(DeltaRefused, match="has more than this one"):
            other.apply(delta)
    chance = Random(30)

    def many_times(tx: Transaction) -> None:
        applier = Applier(other.known)
        applier.apply(tx, whole)
        for _ in range(1_000):
            applier.apply(tx, chance.choice(deltas))

    other.do(many_times)
    same(one, other)
    quiet(one, other)
    same(one, other)
    assert other.rows("SELECT COUNT(*) FROM herdbook_changelog") == [(21,)]
    assert other.rows("SELECT * FROM herdbook_journal") == other.held() == []


def test_what_was_written_before_a_death_that_came_is_sealed_with_the_life_before_it(
    one: Member, other: Member
) -> None:
    """Though it is sealed after it, when the row is dead."""
    family(one)
    quiet(one, other)
    other.sql("UPDATE horse SET name = 'unsealed' WHERE number = 2")
    one.sql("DELETE FROM horse WHERE number = 2")
    one.tell(other)
    other.seal()
    last = "SELECT kind, life FROM herdbook_changelog ORDER BY `position` DESC LIMIT 2"
    assert other.rows(last) == [("delete", 2), ("update", 1)]
