"""While changes are applied others write: no constraint is broken, and nothing is lost."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from service.errors import Busy
from service.store.herd import applier, carrying
from service.store.herd.tables import StoredTables
from tests.live.units import Side, until_a_lock_is_waited_for
from tests.service.store.herd.herds import Member, quiet
from tests.service.store.herd.test_applying import family, same
from tests.service.store.herd.test_applying_order import HORSE
from tests.service.store.sealing.tools import sealing
from tests.service.store.tools import ask, raw_connection


@pytest.fixture
def interrupted(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[], Any]], list[Any]]:
    """Lets somebody write once, between a plan and its being carried out."""

    def interrupt(write: Callable[[], Any]) -> list[Any]:
        done: list[Any] = []
        carry_out = carrying.carry_out

        def interrupted_carry_out(*arguments: Any) -> None:
            if not done:
                done.append(True)
                write()
            carry_out(*arguments)

        monkeypatch.setattr(applier, "carry_out", interrupted_carry_out)
        return done

    return interrupt


def orphans(member: Member) -> int:
    """Horses without a stable, mother or owner, and stables without a ranch."""
    ((count,),) = member.rows(
        "SELECT (SELECT COUNT(*) FROM horse h LEFT JOIN stable s ON s.number = h.stable_number "
        "WHERE s.number IS NULL) + (SELECT COUNT(*) FROM stable s LEFT JOIN ranch r "
        "ON r.number = s.ranch_number WHERE r.number IS NULL)"
    )
    return int(count)


@pytest.mark.parametrize(
    ("there", "here"),
    [
        # A key, and a unique value, that both take.
        (HORSE + "(5, 1, NULL, NULL, 55)", HORSE + "(5, 1, NULL, NULL, 66)"),
        (HORSE + "(5, 1, NULL, NULL, 55)", HORSE + "(6, 1, NULL, NULL, 55)"),
        ("INSERT INTO stable (number, ranch_number, sign) VALUES (5, 1, 'new')",
         "INSERT INTO stable (number, ranch_number, sign) VALUES (6, 1, 'new')"),
        # A parent that goes.
        (HORSE + "(5, 1, 2, NULL, 55)", "DELETE FROM ranch WHERE number = 2"),
        (HORSE + "(5, 1, NULL, 3, 55)", "DELETE FROM horse WHERE number = 3"),
        # A key that was born and died meanwhile.
        (HORSE + "(5, 1, NULL, NULL, 55)",
         HORSE + "(5, 1, NULL, NULL, 66)|DELETE FROM horse WHERE number = 5"),
    ],
)  # fmt: skip
def test_somebody_writes_between_a_plan_and_its_carrying_out(
    one: Member, other: Member, interrupted: Any, there: str, here: str
) -> None:
    """It is planned again with what was written."""
    family(one)
    one.sql(HORSE + "(3, 1, NULL, NULL, 33)")
    quiet(one, other)
    one.sql(there)
    delta = one.delta(other.vector())
    done = interrupted(lambda: other.sql(*here.split("|")))
    other.apply(delta)
    assert done
    assert orphans(other) == 0
    assert other.held() == []
    quiet(one, other)
    same(one, other)


@pytest.mark.parametrize("seals", [True, False])
@pytest.mark.parametrize("again", [False, True])
def test_a_key_that_comes_dead_is_used_meanwhile(
    one: Member, other: Member, interrupted: Any, seals: bool, again: bool
) -> None:
    """There is no row to lock. Whether the birth is sealed by then or not, both nodes agree."""
    family(one)
    if again:
        one.sql(HORSE + "(5, 1, NULL, NULL, 55)", "DELETE FROM horse WHERE number = 5")
    quiet(one, other)
    one.sql(HORSE + "(5, 1, NULL, NULL, 55)", "DELETE FROM horse WHERE number = 5")
    delta = one.delta(other.vector())

    def write() -> None:
        other.sql(HORSE + "(5, 1, NULL, NULL, 66)")
        if seals:
            other.seal()

    done = interrupted(write)
    other.apply(delta)
    assert done
    quiet(one, other)
    same(one, other)
    assert other.rows("SELECT * FROM horse WHERE number = 5") == []
    assert ("other life",) in other.rows("SELECT rule FROM herdbook_journal")


def test_a_key_that_comes_dead_is_used_when_all_is_written(
    one: Member, other: Member, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever bears it then waits to be sealed, and lives after the dead one."""
    family(one)
    quiet(one, other)
    one.sql(HORSE + "(5, 1, NULL, NULL, 55)", "DELETE FROM horse WHERE number = 5")
    delta = one.delta(other.vector())
    hold_sealing = StoredTables.hold_sealing

    with sealing(other.url) as sealer:

        def then_write(tables: StoredTables, buried: Any) -> bool:
            held = hold_sealing(tables, buried)
            other.sql(HORSE + "(5, 1, NULL, NULL, 66)")
            with pytest.raises(Busy):
                sealer.seal()
            return held

        monkeypatch.setattr(StoredTables, "hold_sealing", then_write)
        other.apply(delta)
    monkeypatch.setattr(StoredTables, "hold_sealing", hold_sealing)
    quiet(one, other)
    same(one, other)
    assert one.rows("SELECT chip, herdbook_life FROM horse WHERE number = 5") == [(66, 3)]


def test_a_key_is_used_just_before_sealing_is_held(
    one: Member, other: Member, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After all else was done: nothing is applied then, and it can be tried again."""
    family(one)
    quiet(one, other)
    one.sql(HORSE + "(5, 1, NULL, NULL, 55)", "DELETE FROM horse WHERE number = 5")
    delta, before = one.delta(other.vector()), other.vector()
    hold_sealing = StoredTables.hold_sealing

    def written_before(tables: StoredTables, buried: Any) -> bool:
        other.sql(HORSE + "(5, 1, NULL, NULL, 66)")
        return hold_sealing(tables, buried)

    monkeypatch.setattr(StoredTables, "hold_sealing", written_before)
    with pytest.raises(Busy):
        other.apply(delta)
    assert other.vector() == before
    monkeypatch.setattr(StoredTables, "hold_sealing", hold_sealing)
    other.apply(delta)
    quiet(one, other)
    same(one, other)
    assert other.rows("SELECT * FROM horse WHERE number = 5") == []


def test_a_child_is_inserted_while_its_parent_dies(one: Member, other: Member) -> None:
    """The transaction that inserts it holds the parent: it is waited for, and the parent lives."""
    family(one)
    quiet(one, other)
    one.sql("DELETE FROM horse WHERE number = 2", "DELETE FROM horse", "DELETE FROM stable")
    delta = one.delta(other.vector())
    with raw_connection(other.url, autocommit=False) as application:
        ask(application, HORSE + "(7, 1, NULL, NULL, 77)")
        side = Side(lambda: other.apply(delta))
        until_a_lock_is_waited_for(other.url)
        application.commit()
    side.join()
    assert other.rows("SELECT number, herdbook_life FROM stable") == [(1, 3)]
    assert orphans(other) == 0
    quiet(one, other)
    same(one, other)


def test_a_row_is_written_while_it_is_merged(one: Member, other: Member) -> None:
    """The application's write is seen, and both stand or one is in the journal."""
    family(one)
    quiet(one, other)
    one.sql("UPDATE ranch SET name = 'there' WHERE number = 1")
    delta = one.delta(other.vector())
    with raw_connection(other.url, autocommit=False) as application:
        ask(application, "UPDATE ranch SET name = 'here', brand = 'H' WHERE number = 1")
        side = Side(lambda: other.apply(delta))
        until_a_lock_is_waited_for(other.url)
        application.commit()
    side.join()
    quiet(one, other)
    same(one, other)
    assert one.rows("SELECT name, brand FROM ranch WHERE number = 1") == [("here", "H")]
    rules = [*one.rows("SELECT rule FROM herdbook_journal"),
             *other.rows("SELECT rule FROM herdbook_journal")]  # fmt: skip
    assert ("later write",) in rules


def test_a_row_that_a_repair_changes_is_written_meanwhile(
    one: Member, other: Member, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It was only looked at: before it is killed it is locked, and was another one already."""
    family(one)
    quiet(one, other)
    one.sql("DELETE FROM horse WHERE number = 2", "DELETE FROM horse WHERE number = 1")
    other.sql(HORSE + "(3, 1, NULL, 1, 13)")
    delta = one.delta(other.vector())
    require = StoredTables.require_unchanged
    done: list[bool] = []

    def interrupted(tables: StoredTables, places: Any) -> None:
        if not done:
            done.append(True)
            other.sql("UPDATE horse SET mother_number = NULL WHERE number = 3")
        require(tables, places)

    monkeypatch.setattr(StoredTables, "require_unchanged", interrupted)
    other.apply(delta)
    assert done
    assert other.rows("SELECT number FROM horse") == [(3,)]
    quiet(one, other)
    same(one, other)
