"""An applier that is killed at any moment has applied all of a delta or nothing."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import pytest

from service.errors import ServiceError
from service.herd.deltas import Delta
from service.store.herd.applier import Applier
from service.store.work import RetryPolicy
from tests.service.store.herd.herds import Member
from tests.service.store.herd.test_applying import TABLES, family, same
from tests.service.store.herd.test_applying_order import HORSE
from tests.service.store.sealing.killing import Killer

MOST_STATEMENTS = 80
NOTED = ("inbox", "vector", "journal", "held")


def everything(member: Member) -> list[Any]:
    """All that an applier writes."""
    names = (*TABLES, *(f"herdbook_{name}" for name in NOTED))
    return [member.rows(f"SELECT * FROM {name} ORDER BY 1") for name in names]


def writes(member: Member, turn: int) -> None:
    """Births, changes, deaths, a swap, a circle and a row that is born again."""
    at = 100 + 10 * turn
    member.sql(
        HORSE + f"({at}, 1, NULL, NULL, {at}), ({at + 1}, 1, NULL, {at}, {at + 1})",
        f"UPDATE horse SET mother_number = {at + 1} WHERE number = {at}",
        f"DELETE FROM horse WHERE number = {2 + turn % 2}",
        HORSE + f"({3 - turn % 2}, 1, NULL, NULL, {5000 + turn})",
        "UPDATE horse SET chip = -1 WHERE number = 1",
        f"UPDATE ranch SET name = 'turn {turn}', brand = CONCAT(brand, '+')",
        f"UPDATE ranch SET brand = '{'AB'[turn % 2]}' WHERE number = 1",
        f"UPDATE ranch SET brand = '{'BA'[turn % 2]}' WHERE number = 2",
        f"UPDATE horse SET chip = {9000 + turn} WHERE number = 1",
    )


def struck(killer: Killer) -> bool:
    """Whether it has killed."""
    return killer.chosen is None


def apply_once(member: Member, delta: Delta) -> None:
    """Apply a delta without trying again."""
    member.do(lambda tx: Applier(member.known).apply(tx, delta), RetryPolicy(1))


def test_an_applier_that_is_killed_before_any_statement_has_written_nothing(
    one: Member, other: Member, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before each of its statements, and before its COMMIT; after it everything."""
    family(one)
    one.tell(other)
    killer = Killer(other.url, monkeypatch)
    moments: list[int | str] = ["before", "after", 0]
    turn = 0
    while moments:
        moment = moments.pop()
        writes(one, turn)
        delta = one.delta(other.vector())
        before = everything(other)
        killer.statements.clear()
        killer.chosen = moment
        with suppress(ServiceError):
            apply_once(other, delta)
        if struck(killer) and moment != "after":
            assert everything(other) == before
            if isinstance(moment, int):
                moments.append(moment + 1)
        killer.chosen = None
        other.apply(delta)
        same(one, other)
        turn += 1
    assert 25 < turn < MOST_STATEMENTS
