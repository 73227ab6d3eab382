"""A death that beats a birth which it had not seen is told again; any other is not."""

from __future__ import annotations

from records.states import RowState
from service.herd.deltas import DELETE, INSERT, Delta, LogEntry
from service.herd.journal import OTHER_LIFE
from service.herd.planning.plan import Plan
from service.herd.vectors import Vector
from tests.service.herd.bench import (
    OTHERS,
    OURS,
    THEIRS,
    dead,
    delta,
    entry,
    name,
    place,
    planned,
    row,
    shape,
    shapes,
    tables_with,
    whole,
)

CITIES = shapes(shape("city"))
THE_CITY = place("city 1")
DEAD = dead(row(at=10, origin=OTHERS, name="Hof"))
MADE_HERE = row(at=20, origin=OURS, name="Ulm")
MADE_THERE = row(at=20, origin=THEIRS, name="Ulm")
DIED = LogEntry(OTHERS, 2, *THE_CITY, DELETE, (), DEAD.life, 50, "somebody")


def _planned(ours: RowState, here: list[LogEntry], came: Delta, **vector: int) -> Plan:
    tables = tables_with(CITIES, {"city 1": ours})
    for each in here:
        tables.keep(each)
    return planned(CITIES, tables, came, **vector)


def _born(state: RowState, position: int) -> LogEntry:
    return entry("city 1", state, position)


def _dies_again(made: Plan) -> bool:
    """Whether the row dies of a write of this node, above all lives it had."""
    state = made.rows.get(THE_CITY)
    told = [(each.origin, each.place, each.kind, each.life) for each in made.noted]
    if state is None or state.life == DEAD.life:
        assert told == []
        return False
    assert (state.life, told) == (4, [(OURS, THE_CITY, DELETE, 4)])
    assert state._replace(life=DEAD.life) == DEAD
    return True


def test_a_birth_that_meets_a_dead_row_here() -> None:
    """Who has forgotten the death lets the newcomer live, and must hear of it."""
    came = delta(whole("city 1", MADE_THERE), entries=(_born(MADE_THERE, 1),))
    made = _planned(DEAD, [DIED], came, _3=2)
    assert _dies_again(made)
    assert [(note.rule, name(note.place)) for note in made.journal] == [(OTHER_LIFE, "city 1")]


def test_a_birth_here_that_meets_a_death_from_there() -> None:
    """Others may have had the birth from here already."""
    came = delta(whole("city 1", DEAD), entries=(DIED,))
    made = _planned(MADE_HERE, [_born(MADE_HERE, 1)], came, _1=1)
    assert _dies_again(made)
    assert [(note.rule, name(note.place)) for note in made.journal] == [(OTHER_LIFE, "city 1")]


def test_a_birth_that_is_told_under_a_new_origin() -> None:
    """The row has the former one in its version; the stamp tells that it is the same birth."""
    former = row(at=20, origin=9, name="Ulm")
    told = LogEntry(OURS, 1, *THE_CITY, INSERT, (), former.life, 20, "somebody")
    came = delta(whole("city 1", DEAD), entries=(DIED,))
    assert _dies_again(_planned(former, [told], came, _1=1))


def test_a_death_that_had_seen_the_birth_is_not_told_again() -> None:
    """Whatever was pruned where the row still lives, or here."""
    lived = DEAD._replace(life=1, death=None)
    snapshot = delta(whole("city 1", lived))._replace(floors={OTHERS: 9})
    died = LogEntry(OURS, 1, *THE_CITY, DELETE, (), DEAD.life, 50, "somebody")
    assert not _dies_again(_planned(DEAD, [died], snapshot, _1=1))


def test_a_death_of_a_birth_that_it_had_seen_is_told_once() -> None:
    """An ordinary deletion: the sender has the birth of the row that it deletes."""
    covers: Vector = {OURS: 1, OTHERS: 2}
    came = delta(whole("city 1", DEAD), entries=(DIED,))._replace(covers=covers)
    assert not _dies_again(_planned(MADE_HERE, [_born(MADE_HERE, 1)], came, _1=1))


def test_a_birth_that_was_here_before_its_death_is_no_news() -> None:
    """It comes along as an old entry, from somebody who has not heard of the death."""
    came = delta(whole("city 1", MADE_THERE), entries=(_born(MADE_THERE, 1),))
    assert not _dies_again(_planned(DEAD, [DIED], came, _2=1, _3=2))


def test_a_later_write_to_a_row_that_died_is_no_birth() -> None:
    """Its node had not heard of the death; it is journalled, and nobody lets the row live."""
    update = entry("city 1", MADE_THERE, 1, "name")
    came = delta(whole("city 1", MADE_THERE), entries=(update,))
    assert not _dies_again(_planned(DEAD, [DIED], came, _3=2))


def test_a_snapshot_brings_births_whose_entries_were_pruned() -> None:
    """The sender has forgotten when the row was born, and this node was away since before."""
    came = delta(whole("city 1", MADE_THERE))._replace(floors={THEIRS: 7}, covers={THEIRS: 9})
    assert _dies_again(_planned(DEAD, [DIED], came, _3=2))
    assert not _dies_again(_planned(DEAD, [DIED], came, _2=7, _3=2))


def test_a_row_that_dies_again_does_so_once() -> None:
    """What the first node has written is a death like any other for the second one."""
    again = DEAD._replace(life=4)
    told = LogEntry(THEIRS, 3, *THE_CITY, DELETE, (), 4, 50, "somebody")
    made = _planned(DEAD, [DIED], delta(whole("city 1", again), entries=(told,)), _3=2)
    assert (made.rows, made.noted) == ({THE_CITY: again}, ())
