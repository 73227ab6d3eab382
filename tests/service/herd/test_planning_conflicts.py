"""A conflict is a value put aside by who had not seen it, and nothing else."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Set

from records.stamps import Version
from records.states import RowState
from service.herd.deltas import Delta, LogEntry
from service.herd.journal import LATER_WRITE, OTHER_LIFE
from service.herd.shapes import Place, Shapes
from service.herd.vectors import Vector
from service.simulation.memory import MemoryTables
from tests.service.herd.bench import (
    OTHERS,
    OURS,
    THEIRS,
    dead,
    delta,
    entry,
    name,
    part,
    planned,
    row,
    shape,
    shapes,
    tables_with,
    whole,
    written,
)

CITIES = shapes(shape("city", groups="start end"))
BIRTH = row(at=10, origin=OTHERS, name="Hof", mayor="Ada", start=1, end=2)


def _journal(
    ours: RowState, entries: list[LogEntry], came: Delta, **vector: int
) -> list[tuple[str, str, dict[str, object]]]:
    """What planning puts aside: rule, row and values. `entries` are in the changelog here."""
    tables = tables_with(CITIES, {"city 1": ours})
    for each in entries:
        tables.keep(each)
    made = planned(CITIES, tables, came, _3=1, **vector)
    return [
        (note.rule, name(note.place), {loss.column: loss.value for loss in note.losses})
        for note in made.journal
    ]


def _update(state: RowState, position: int, column: str) -> LogEntry:
    return entry("city 1", state, position, column)


OURS_AT_20 = written(BIRTH, 20, OURS, mayor="Bea")
THEIRS_AT_30 = written(BIRTH, 30, THEIRS, mayor="Cleo")
CLEO_CAME = delta(
    part("city 1", THEIRS_AT_30, "mayor"), entries=(_update(THEIRS_AT_30, 1, "mayor"),)
)


def test_a_value_of_ours_that_they_had_not_seen_is_kept() -> None:
    """The later write stands, and the journal has ours."""
    found = _journal(OURS_AT_20, [_update(OURS_AT_20, 1, "mayor")], CLEO_CAME)
    assert found == [(LATER_WRITE, "city 1", {"mayor": "Bea"})]


def test_a_value_of_theirs_that_does_not_come_to_stand_is_kept() -> None:
    """Ours was written later, and the journal has theirs."""
    later = written(BIRTH, 40, OURS, mayor="Bea")
    found = _journal(later, [_update(later, 1, "mayor")], CLEO_CAME)
    assert found == [(LATER_WRITE, "city 1", {"mayor": "Cleo"})]


def test_what_they_had_seen_is_no_conflict() -> None:
    """Their vector says that they had our write when they sent theirs."""
    upon = written(OURS_AT_20, 30, THEIRS, mayor="Cleo")
    came = delta(part("city 1", upon, "mayor"), entries=(_update(upon, 1, "mayor"),))
    assert _journal(OURS_AT_20, [_update(OURS_AT_20, 1, "mayor")], came) == []
    # Written without having seen ours, but ours has got there in the meantime: they noted it.
    noted = CLEO_CAME._replace(covers={OURS: 1, THEIRS: 1})
    assert _journal(OURS_AT_20, [_update(OURS_AT_20, 1, "mayor")], noted) == []


class _Unasked(MemoryTables):
    """Tables whose changelog must not be read."""

    def unseen(self, vector: Vector, places: Collection[Place]) -> Mapping[Place, Set[Version]]:
        """See the port."""
        raise AssertionError(f"asked for {places}")


def _expect_plan_unasked(of: Shapes, ours: RowState, came: Delta) -> None:
    tables = _Unasked(of)
    tables.put(("city", (1,)), ours)
    assert planned(of, tables, came).journal == ()


def test_who_overwrites_what_they_name_is_believed_without_a_look_at_the_changelog() -> None:
    """Ordinary updates are most of all, and must cost nothing."""
    upon = written(OURS_AT_20, 30, THEIRS, mayor="Cleo")
    again = written(upon, 40, THEIRS, mayor="Dora")
    for state in (upon, again):
        came = delta(part("city 1", state, "mayor"), entries=(_update(state, 1, "mayor"),))
        _expect_plan_unasked(CITIES, OURS_AT_20, came)


def test_two_writes_of_one_origin_are_no_conflict() -> None:
    """What a node wrote after its own write it wrote upon it."""
    first = written(BIRTH, 20, THEIRS, mayor="Bea")
    again = written(first, 30, THEIRS, mayor="Cleo")
    came = delta(part("city 1", again, "mayor"), entries=(_update(again, 2, "mayor"),))
    _expect_plan_unasked(CITIES, first, came)


def test_naming_an_older_version_is_no_proof_of_having_seen_ours() -> None:
    """They overwrote the birth; our write came between."""
    assert THEIRS_AT_30.slots["mayor"].over == BIRTH.born
    found = _journal(OURS_AT_20, [_update(OURS_AT_20, 1, "mayor")], CLEO_CAME)
    assert found != []


def test_what_we_had_from_them_before_is_not_kept_again() -> None:
    """An entry at or below our vector is no news."""
    later = written(BIRTH, 40, OURS, mayor="Bea")
    assert _journal(later, [_update(later, 1, "mayor")], CLEO_CAME, _2=1) == []


def test_writes_of_different_columns_or_of_the_same_value_are_no_conflict() -> None:
    """Both stand."""
    other_column = written(BIRTH, 20, OURS, name="Hof-Saale")
    assert _journal(other_column, [_update(other_column, 1, "name")], CLEO_CAME) == []
    same_value = written(BIRTH, 20, OURS, mayor="Cleo")
    assert _journal(same_value, [_update(same_value, 1, "mayor")], CLEO_CAME) == []


def test_a_group_is_lost_as_a_whole() -> None:
    """Whoever writes one of them has written both: our hours are put aside for theirs."""
    ours = written(BIRTH, 20, OURS, start=5, end=2)
    theirs = written(BIRTH, 30, THEIRS, start=1, end=9)
    came = delta(part("city 1", theirs, "start", "end"), entries=(_update(theirs, 1, "end"),))
    found = _journal(ours, [_update(ours, 1, "start")], came)
    assert found == [(LATER_WRITE, "city 1", {"start": 5, "end": 2})]


def test_what_was_written_to_a_row_that_was_deleted_elsewhere_is_kept() -> None:
    """On either side."""
    gone = dead(BIRTH)
    deletion = entry("city 1", gone, 1)._replace(origin=THEIRS)
    came = delta(whole("city 1", gone), entries=(deletion,))
    found = _journal(OURS_AT_20, [_update(OURS_AT_20, 1, "mayor")], came)
    assert found == [(OTHER_LIFE, "city 1", {"mayor": "Bea"})]
    assert _journal(gone, [], CLEO_CAME) == [(OTHER_LIFE, "city 1", {"mayor": "Cleo"})]


def test_a_row_that_was_deleted_after_it_was_seen_is_not_kept() -> None:
    """Whoever deletes what they see loses nothing that others would miss."""
    gone = dead(OURS_AT_20)
    deletion = entry("city 1", gone, 1)._replace(origin=THEIRS)
    came = delta(whole("city 1", gone), entries=(deletion,))
    seen = came._replace(covers={OURS: 1, THEIRS: 1})
    assert _journal(OURS_AT_20, [_update(OURS_AT_20, 1, "mayor")], seen) == []


def test_what_was_written_to_a_life_that_is_forgotten_here_is_kept() -> None:
    """Its node had not heard that the row died; here its key lives anew, or not at all."""
    third = row(at=10, origin=OTHERS, life=3, name="Hof", mayor="Ada")
    update = written(third, 30, THEIRS, mayor="Cleo")
    came = delta(
        part("city 1", update, "mayor"), entries=(entry("city 1", update, 1, "mayor"),)
    )._replace(covers={THEIRS: 1, OTHERS: 4})
    anew = row(at=20, origin=OTHERS, name="Ulm", mayor="Ada")
    for here in ({"city 1": anew}, {}):
        tables = tables_with(CITIES, here)
        tables.pruned[OTHERS] = 4
        made = planned(CITIES, tables, came, _3=5)
        found = [
            (note.rule, note.life, [loss.value for loss in note.losses]) for note in made.journal
        ]
        assert (found, made.rows) == ([(OTHER_LIFE, 3, ["Cleo"])], {})
        assert planned(CITIES, tables, came, _3=5, _2=1).journal == ()
