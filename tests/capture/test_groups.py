"""Fields that are written together get one version, whichever of them a statement changes."""

from __future__ import annotations

from typing import Any

import pytest

from schema.capture.clock import NEVER, Clock, Slot, Version
from tests.capture.witness import Session, Zoo

TOGETHER = ("amount", "currency", "rate")
ELSEWHERE = 0xA0B0C0D0


@pytest.fixture
def fee(zoo: Zoo, sql: Session) -> Version:
    """One fee that nobody changed yet; the version of its birth."""
    sql.run("INSERT INTO fee (number, amount, currency, rate) VALUES (1, 5, 'EUR', 0)")
    zoo.forget()
    (born,) = zoo.meta("fee")
    return Version(born.stamp, born.origin)


def numbers(zoo: Zoo, *columns: str) -> list[int]:
    """The numbers of some columns of a fee."""
    return [zoo.number("fee", column) for column in columns]


@pytest.mark.parametrize(
    "change",
    ["amount = 6", "currency = 'eur'", "rate = NULL", "amount = 6, currency = 'CHF', rate = 2"],
)
def test_a_change_of_one_is_a_change_of_all(
    zoo: Zoo, sql: Session, fee: Version, change: str
) -> None:
    """They are noted and stamped with one version; the field between them is not."""
    sql.run(f"UPDATE fee SET {change}")
    assert zoo.told() == [("update", "fee", 1, TOGETHER)]
    (after,) = zoo.meta("fee")
    slot = Slot(Version(after.stamp, zoo.origin()))
    assert after.clock == Clock(fee, dict.fromkeys(numbers(zoo, *TOGETHER), slot))
    assert after.stamp > fee.stamp


def test_another_field_is_alone(zoo: Zoo, sql: Session, fee: Version) -> None:
    """Before and after the group was written; the group keeps its version."""
    (note,) = numbers(zoo, "note")
    sql.run("UPDATE fee SET note = 'x'")
    assert zoo.told() == [("update", "fee", 1, ("note",))]
    sql.run("UPDATE fee SET amount = 6")
    (before,) = zoo.meta("fee")
    sql.run("UPDATE fee SET note = 'y', amount = 6, currency = 'EUR'")
    (after,) = zoo.meta("fee")
    assert zoo.told()[1:] == [("update", "fee", 1, ("note",))]
    assert before.clock is not None
    assert after.clock is not None
    assert after.clock.version_of(note) > before.clock.version_of(note)
    for number in numbers(zoo, *TOGETHER):
        assert after.clock.slots[number] == before.clock.slots[number]


def test_both_in_one_statement_are_noted_in_one_entry(zoo: Zoo, sql: Session, fee: Version) -> None:
    """All have the one version of the statement."""
    sql.run("UPDATE fee SET note = 'x', rate = 7")
    ((*_update, fields),) = zoo.told()
    assert sorted(fields) == sorted((*TOGETHER, "note"))
    (after,) = zoo.meta("fee")
    slot = Slot(Version(after.stamp, zoo.origin()))
    assert after.clock == Clock(fee, dict.fromkeys(numbers(zoo, *TOGETHER, "note"), slot))


def test_an_update_that_changes_none_of_them_is_no_change(
    zoo: Zoo, sql: Session, fee: Version
) -> None:
    """Neither noted nor stamped."""
    sql.run("UPDATE fee SET amount = 5, currency = 'EUR', rate = rate")
    assert zoo.told() == []
    (after,) = zoo.meta("fee")
    assert (after.stamp, after.clock) == (fee.stamp, None)


def test_what_a_sibling_wrote_is_beneath_each_of_them(zoo: Zoo, sql: Session) -> None:
    """Each keeps what it overwrote itself, also where the versions before were several."""
    amount, currency, rate = numbers(zoo, *TOGETHER)
    theirs = Clock(
        Version(5, ELSEWHERE),
        {amount: Slot(Version(9, ELSEWHERE)), currency: Slot(Version(8, zoo.origin()))},
    )
    with zoo.session() as applier:
        applier.run("SET @herdbook_applying = 1")
        applier.run(
            "INSERT INTO fee (number, amount, currency, herdbook_life, herdbook_stamp, "
            "herdbook_origin, herdbook_clock) VALUES (1, 5, 'EUR', 1, 9, %s, %s)",
            ELSEWHERE,
            theirs.as_bytes,
        )
    sql.run("UPDATE fee SET rate = 3")
    (after,) = zoo.meta("fee")
    version = Version(after.stamp, zoo.origin())
    assert after.clock is not None
    assert after.clock.slots == {
        amount: Slot(version, Version(9, ELSEWHERE)),
        currency: Slot(version, NEVER),
        rate: Slot(version, Version(5, ELSEWHERE)),
    }


@pytest.mark.parametrize("key", [(1, "b"), (2, "a"), (None, None)])
def test_a_reference_of_several_columns_is_written_whole(
    zoo: Zoo, sql: Session, key: tuple[Any, Any]
) -> None:
    """Half of one parent's key and half of another's mean nobody."""
    sql.run("INSERT INTO pair (`left`, `right`) VALUES (1, 'a'), (1, 'b'), (2, 'a')")
    sql.run(
        "INSERT INTO fee (number, amount, currency, pair_left, pair_right) "
        "VALUES (1, 5, 'EUR', 1, 'a')"
    )
    zoo.forget()
    sql.run("UPDATE fee SET pair_left = %s, pair_right = %s", *key)
    assert zoo.told() == [("update", "fee", 1, ("pair_left", "pair_right"))]


def test_a_parent_that_goes_lets_go_of_the_whole_reference(zoo: Zoo, sql: Session) -> None:
    """As the trigger of the parent does it."""
    sql.run("INSERT INTO pair (`left`, `right`) VALUES (1, 'a')")
    sql.run("INSERT INTO fee VALUES (1, 5, '', 'EUR', NULL, 1, 'a')")
    zoo.forget()
    sql.run("DELETE FROM pair")
    assert zoo.told()[0] == ("update", "fee", 1, ("pair_left", "pair_right"))
