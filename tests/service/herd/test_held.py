"""A row's state is what its table has, joined with what is held of it."""

from __future__ import annotations

from records.states import RowState
from service.herd.deltas import DeltaRow
from service.herd.held import PARENT, REFUSED, SCHEMA, Held, state_to_send
from tests.service.herd.bench import NOW, OURS, THEIRS, dead, part, row, whole, written

HOF = row(at=10, origin=THEIRS, name="Hof", mayor="Ada")
SEEN = written(HOF, 20, THEIRS, mayor="Bea", area=7)


def held(of: DeltaRow, reason: str = REFUSED) -> Held:
    """Something that waits."""
    return Held(of, reason, "")


def narrow(state: RowState) -> RowState:
    """What a table has of a row that does not know the area."""
    return part("city 1", state, "name", "mayor").state


AREA = held(part("city 1", SEEN, "area"), SCHEMA)


def test_without_anything_held_a_row_is_what_the_table_has() -> None:
    """And if that is nothing, it is not there."""
    assert state_to_send(HOF, None) is HOF
    assert state_to_send(None, None) is None


def test_a_row_that_is_held_and_not_here_travels_as_it_waits() -> None:
    """Whoever asks this node gets it."""
    assert state_to_send(None, held(whole("city 1", SEEN), PARENT)) == SEEN


def test_held_columns_complete_the_row() -> None:
    """With their versions."""
    assert state_to_send(narrow(SEEN), AREA) == SEEN


def test_what_was_written_here_meanwhile_merges_with_what_waits() -> None:
    """Column by column the later write stands, as if both had met on another node."""
    ours = written(HOF, NOW, OURS, name="Hof an der Saale")
    joined = state_to_send(ours, held(whole("city 1", SEEN)))
    assert joined is not None
    assert joined.values == {"name": "Hof an der Saale", "mayor": "Bea", "area": 7}


def test_a_default_that_a_migration_put_in_says_nothing() -> None:
    """What waits is the value, also where both have the version of the birth."""
    migrated = row(at=10, origin=THEIRS, name="Hof", mayor="Ada", area=0)
    born_with = row(at=10, origin=THEIRS, name="Hof", mayor="Ada", area=5)
    for state in (SEEN, born_with):
        for waits in (part("city 1", state, "area"), whole("city 1", state)):
            joined = state_to_send(migrated, held(waits, SCHEMA))
            assert joined is not None
            assert joined.values["area"] == state.values["area"]


def test_a_value_that_was_written_after_a_migration_counts() -> None:
    """It is no default."""
    migrated = row(at=10, origin=THEIRS, name="Hof", mayor="Ada", area=0)
    joined = state_to_send(written(migrated, 30, OURS, area=9), AREA)
    assert joined is not None
    assert joined.values["area"] == 9


def test_held_columns_die_with_their_row() -> None:
    """As they would in the table; who revives the row has them."""
    assert state_to_send(dead(narrow(SEEN)), AREA) == dead(SEEN)


def test_what_a_deleted_row_never_showed_dies_with_it() -> None:
    """Where all of it waited: a new column, and one that shows the default of a migration.

    Else nodes that know the value and delete the row too would have another dead one.
    """
    born_with = row(at=10, origin=THEIRS, name="Hof", mayor="Ada", area=5)
    for shown in (narrow(born_with), row(at=10, origin=THEIRS, name="Hof", mayor="Ada", area=0)):
        assert state_to_send(dead(shown), held(whole("city 1", born_with))) == dead(born_with)


def test_a_later_write_that_waits_is_lost_when_the_row_is_deleted() -> None:
    """As it would be if it came after the death; the new column that it wrote stays."""
    joined = state_to_send(dead(HOF), held(whole("city 1", SEEN)))
    assert joined is not None
    assert joined.values == {"name": "Hof", "mayor": "Ada", "area": 7}


def test_a_column_that_came_with_a_migration_after_the_death_shows_nothing() -> None:
    """Tables of dead rows get new columns without a value; the one that waits is that of others."""
    migrated = dead(row(at=10, origin=THEIRS, name="Hof", mayor="Ada", area=None))
    joined = state_to_send(migrated, held(whole("city 1", SEEN)))
    assert joined is not None
    assert joined.values == {"name": "Hof", "mayor": "Ada", "area": 7}


def test_of_an_earlier_life_nothing_waits_any_more() -> None:
    """A row that lives anew, or another one that died, is as the table has it."""
    for waiting in (held(whole("city 1", SEEN)), AREA):
        anew = row(at=90, life=3, name="New")
        assert state_to_send(anew, waiting) == anew
        assert state_to_send(dead(anew), waiting) == dead(anew)
    namesake = dead(row(at=50, name="New"))
    assert state_to_send(namesake, held(whole("city 1", SEEN))) == namesake


def test_a_later_life_that_waits_is_the_row() -> None:
    """Though the table still shows the dead one."""
    reborn = row(at=90, origin=THEIRS, life=3, name="Hof")
    assert state_to_send(dead(HOF), held(whole("city 1", reborn))) == reborn
