"""Rows of which this node does not know the class, or some columns, or that lack some."""

from __future__ import annotations

from dataclasses import replace

from service.herd.held import BLOCKED, SCHEMA, Held
from service.herd.shapes import Unique
from service.simulation.memory import MemoryTables
from tests.service.herd.bench import (
    THEIRS,
    dead,
    delta,
    part,
    place,
    planned,
    row,
    shape,
    shapes,
    tables_with,
    whole,
    written,
)
from tests.service.herd.holding import (
    COUNTRIES,
    GERMANY,
    HOF,
    again,
    told,
    took,
)


def test_a_row_of_an_unknown_class_waits() -> None:
    """Alive or dead, and in an early part of a delta too."""
    for state in (HOF, dead(HOF)):
        for last in (True, False):
            made = planned(shapes(), MemoryTables({}), delta(whole("city 1", state), last=last))
            assert [held.row for held in made.held] == [whole("city 1", state)]
            assert told(made) == {"city 1": SCHEMA}
            assert made.rows == {}


NARROW = shapes(replace(shape("city"), columns=frozenset({"name"})))
WIDE = shapes(replace(shape("city"), columns=frozenset({"name", "area"})))
ULM = row(at=10, origin=THEIRS, name="Ulm", area=5)


def test_unknown_columns_wait_and_the_others_are_taken() -> None:
    """With their slots; the birth is that of the row."""
    grown = written(ULM, 20, THEIRS, area=6)
    made = planned(NARROW, tables_with(NARROW, {}), delta(whole("city 1", grown)))
    assert made.rows == {place("city 1"): row(at=10, origin=THEIRS, name="Ulm")}
    [held] = made.held
    assert (held.row, held.reason) == (part("city 1", grown, "area"), SCHEMA)
    assert "area" in held.text


def test_what_a_migration_dropped_here_is_not_waited_for() -> None:
    """The other columns are taken, nothing is held or put aside; what waited before is let go."""
    here = {"city 1": row(at=10, origin=THEIRS, name="Ulm")}
    tables = tables_with(NARROW, here)
    grown = written(ULM, 20, THEIRS, area=6)
    took(NARROW, tables, delta(part("city 1", grown, "area")))
    assert told(took(NARROW, tables, delta(part("city 1", grown, "area")))) == {}
    assert list(tables.waiting) == [place("city 1")]
    without = shapes(replace(NARROW["city"], dropped=frozenset({"area"})))
    made = again(without, tables, "city 1")
    assert made.released == {place("city 1")}
    assert (made.held, made.journal) == ((), ())
    later = written(written(grown, 30, THEIRS, area=7), 40, THEIRS, name="Hof")
    made = took(without, tables, delta(part("city 1", later, "area", "name")))
    assert (made.held, made.journal) == ((), ())
    assert made.rows[place("city 1")].values == {"name": "Hof"}


def test_columns_that_waited_are_taken_after_a_migration() -> None:
    """The default that it gave the row gives way."""
    tables = tables_with(NARROW, {})
    took(NARROW, tables, delta(whole("city 1", ULM)))
    tables.put(place("city 1"), row(at=10, origin=THEIRS, name="Ulm", area=0))
    made = again(WIDE, tables, "city 1")
    assert made.rows == {place("city 1"): ULM}
    assert made.released == {place("city 1")}


def test_a_whole_row_without_a_column_that_it_needs_waits() -> None:
    """The text names the column; a dead one needs none."""
    of = shapes(replace(WIDE["city"], required=frozenset({"area"})))
    old = row(at=10, origin=THEIRS, name="Ulm")
    made = planned(of, tables_with(of, {}), delta(whole("city 1", old)))
    assert (made.rows, told(made)) == ({}, {"city 1": SCHEMA})
    assert "area" in made.held[0].text
    made = planned(of, tables_with(of, {}), delta(whole("city 1", dead(old))))
    assert (made.held, made.rows) == ((), {place("city 1"): dead(old)})


def test_a_row_that_lacks_a_reference_or_a_unique_column_refers_to_nothing() -> None:
    """And claims nothing: its sender does not know them."""
    of = shapes(shape("country"), shape("city", "country restrict", uniques=[Unique("u", ("u",))]))
    here = {"city 2": row(u="a", country=None)}
    made = planned(of, tables_with(of, here), delta(whole("city 1", row(at=60, name="Hof"))))
    assert list(made.rows) == [place("city 1")]
    assert made.noted == ()


def test_held_columns_die_and_live_again_with_their_row() -> None:
    """A repair revives all of it, as its log entry says: others get the whole row from here."""
    of = shapes(
        replace(shape("country"), columns=frozenset({"name"})),
        shape("city", "country restrict"),
    )
    tables = tables_with(of, {"city 1": HOF})
    wide = row(name="Germany", area=7)
    tables.put(place("country DE"), GERMANY)
    tables.waiting[place("country DE")] = Held(part("country DE", wide, "area"), SCHEMA, "")
    made = took(of, tables, delta(whole("country DE", dead(wide))))
    revived = made.rows[place("country DE")]
    [held] = made.held
    assert (revived.life, held.row.state.life) == (3, 3)
    assert (held.row.state.born, held.row.state.values) == (revived.born, {"area": 7})


def test_a_dead_row_that_lacks_what_it_needs_is_not_revived() -> None:
    """It died before this node had the column."""
    of = {**COUNTRIES, "country": replace(COUNTRIES["country"], required=frozenset({"area"}))}
    tables = tables_with(of, {"country DE": dead(GERMANY)})
    made = took(of, tables, delta(whole("city 1", HOF)))
    assert told(made) == {"city 1": BLOCKED}
    assert "area" in made.held[0].text


def test_what_a_taken_along_row_had_in_unknown_columns_is_journalled_with_it() -> None:
    """One entry has all of it."""
    of = {
        **COUNTRIES,
        "street": replace(shape("street", "city cascade"), columns=frozenset({"city"})),
    }
    tables = tables_with(of, {"country DE": GERMANY, "city 1": HOF})
    took(of, tables, delta(whole("street 1", row(at=70, origin=THEIRS, city=1, lamps=9))))
    made = took(of, tables, delta(whole("city 1", dead(HOF))))
    [note] = made.journal
    assert {loss.column: loss.value for loss in note.losses} == {"city": 1, "lamps": 9}
    [held] = made.held
    assert (held.row.state.life, held.row.state.values) == (2, {"lamps": 9})


def test_what_waits_beneath_a_row_that_is_deleted_here_is_journalled() -> None:
    """Also what one write brought for a column that this node does not know."""
    tables = tables_with(NARROW, {})
    took(NARROW, tables, delta(whole("city 1", ULM)))
    renamed = written(ULM, 20, THEIRS, name="Neu-Ulm")
    took(NARROW, tables, delta(part("city 1", renamed, "name")), "city 1")
    tables.put(place("city 1"), dead(tables.states[place("city 1")]))
    made = again(NARROW, tables, "city 1")
    lost = {loss.column: loss.value for note in made.journal for loss in note.losses}
    assert lost == {"name": "Neu-Ulm", "area": 5}
