"""What cannot be written here waits, and everything else goes on."""

from __future__ import annotations

from dataclasses import replace

import pytest

from records.states import RowState
from service.herd.deltas import INSERT, DeltaRow
from service.herd.held import BLOCKED, DROPPED, PARENT, REFUSED, SCHEMA, Held
from service.herd.journal import LATER_WRITE, OTHER_LIFE, REVIVED, UNIQUE
from service.herd.planning.retrying import retry, waking
from service.herd.shapes import Unique
from service.simulation.memory import MemoryTables
from tests.service.herd.bench import (
    NOW,
    OURS,
    THEIRS,
    dead,
    delta,
    entry,
    name,
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
    FRANCE,
    GERMANY,
    HERE,
    HOF,
    LANE,
    again,
    told,
    took,
)


@pytest.mark.parametrize("rule", ["restrict", "cascade", "set_null"])
def test_a_child_without_its_parent_waits_and_the_rest_goes_on(rule: str) -> None:
    """Whatever the reference says: nothing is repaired because of a row that may still come."""
    of = shapes(shape("country"), shape("city", f"country {rule}"))
    came = delta(
        whole("city 1", HOF),
        whole("country FR", FRANCE),
        entries=(entry("city 1", HOF, 1), entry("country FR", FRANCE, 2)),
    )
    made = planned(of, tables_with(of, {}), came)
    assert made.rows == {place("country FR"): FRANCE}
    assert told(made) == {"city 1": PARENT}
    assert made.kept == came.entries
    assert (made.noted, made.journal) == ((), ())


def test_all_below_a_child_that_waits_waits_with_it() -> None:
    """A chain of any length."""
    of = shapes(shape("city", "city restrict"))
    rows = {f"city {at}": row(at=at, origin=THEIRS, city=at - 1) for at in range(2, 2_000)}
    made = planned(of, tables_with(of, {}), delta(*(whole(*each) for each in rows.items())))
    assert made.rows == {}
    assert told(made) == dict.fromkeys(rows, PARENT)


def test_who_waits_is_taken_when_the_parent_comes() -> None:
    """The parent's plan says who; nothing is noted, for nothing is repaired."""
    tables = tables_with(COUNTRIES, {})
    took(COUNTRIES, tables, delta(whole("city 1", HOF), whole("street 1", LANE)))
    came = took(COUNTRIES, tables, delta(whole("country DE", GERMANY)))
    woken = waking(tables.waiting.values(), came, COUNTRIES)
    assert {name(held.row.place) for held in woken} == {"city 1", "street 1"}
    made = retry(woken, tables, COUNTRIES, HERE)
    assert made.rows == {place("city 1"): HOF, place("street 1"): LANE}
    assert made.released == {place("city 1"), place("street 1")}
    assert (made.noted, made.kept, made.journal, made.held) == ((), (), (), ())


def test_nobody_wakes_for_a_row_that_is_not_the_parent() -> None:
    """Nor for nothing."""
    tables = tables_with(COUNTRIES, {})
    took(COUNTRIES, tables, delta(whole("city 1", HOF), whole("street 1", LANE)))
    other = took(COUNTRIES, tables, delta(whole("country FR", FRANCE)))
    assert waking(tables.waiting.values(), other, COUNTRIES) == []
    assert waking(tables.waiting.values(), again(COUNTRIES, tables), COUNTRIES) == []


def test_a_retry_that_changes_nothing_plans_nothing() -> None:
    """The parent is still not here."""
    tables = tables_with(COUNTRIES, {})
    took(COUNTRIES, tables, delta(whole("city 1", HOF)))
    made = again(COUNTRIES, tables, "city 1")
    assert (made.rows, made.held, made.released) == ({}, (), frozenset())


def test_later_changes_merge_into_what_waits() -> None:
    """Also some columns, though there is no such row in the table."""
    tables = tables_with(COUNTRIES, {})
    took(COUNTRIES, tables, delta(whole("city 1", HOF)))
    renamed = written(HOF, 80, THEIRS, name="Hof an der Saale")
    made = took(COUNTRIES, tables, delta(part("city 1", renamed, "name")))
    assert [held.row for held in made.held] == [whole("city 1", renamed)]


def test_a_death_ends_what_waits() -> None:
    """The row goes into the graveyard, where its children find it."""
    tables = tables_with(COUNTRIES, {})
    took(COUNTRIES, tables, delta(whole("city 1", HOF)))
    made = took(COUNTRIES, tables, delta(whole("city 1", dead(HOF))))
    assert made.rows == {place("city 1"): dead(HOF)}
    assert made.released == {place("city 1")}


def test_a_refused_row_waits_whole_and_the_one_here_stays() -> None:
    """With what the database said."""
    renamed = written(GERMANY, 30, THEIRS, name="Deutschland")
    tables = tables_with(COUNTRIES, {"country DE": GERMANY})
    came = delta(part("country DE", renamed, "name"), whole("country FR", FRANCE))
    made = took(COUNTRIES, tables, came, "country DE")
    assert made.rows == {place("country FR"): FRANCE}
    assert made.held == (Held(whole("country DE", renamed), REFUSED, "no"),)
    made = again(COUNTRIES, tables, "country DE")
    assert made.rows == {place("country DE"): renamed}
    assert made.released == {place("country DE")}


def test_a_refused_row_that_brings_nothing_new_is_not_held() -> None:
    """It is here already."""
    tables = tables_with(COUNTRIES, {"country DE": GERMANY})
    made = took(COUNTRIES, tables, delta(whole("country DE", GERMANY)), "country DE")
    assert (made.rows, made.held) == ({}, ())


def test_children_of_a_refused_parent_wait_for_it() -> None:
    """Also if the parent lies dead here: it must not be revived as it was."""
    reborn = row(at=65, origin=THEIRS, life=3, name="Deutschland")
    for here, parent in (({}, GERMANY), ({"country DE": dead(GERMANY)}, reborn)):
        tables = tables_with(COUNTRIES, here)
        came = delta(whole("country DE", parent), whole("city 1", HOF))
        made = took(COUNTRIES, tables, came, "country DE")
        assert told(made) == {"country DE": REFUSED, "city 1": PARENT}
        assert made.noted == ()
        # The parent waits already when one more child comes.
        later = took(COUNTRIES, tables, delta(whole("city 2", HOF)))
        assert told(later) == {"city 2": PARENT}
        again(COUNTRIES, tables, "country DE", "city 1", "city 2")
        assert dict(tables.live()) == {
            place("country DE"): parent,
            place("city 1"): HOF,
            place("city 2"): HOF,
        }


def test_a_death_waits_for_a_child_that_is_to_leave_and_cannot() -> None:
    """The herd has moved the child away: its parent must not live again because of us."""
    here = {"country DE": GERMANY, "country FR": FRANCE, "city 1": HOF}
    moved = written(HOF, 80, THEIRS, country="FR")
    tables = tables_with(COUNTRIES, here)
    came = delta(part("city 1", moved, "country"), whole("country DE", dead(GERMANY)))
    made = took(COUNTRIES, tables, came, "city 1")
    assert told(made) == {"city 1": REFUSED, "country DE": BLOCKED}
    assert (made.rows, made.noted, made.journal) == ({}, (), ())
    again(COUNTRIES, tables, "city 1", "country DE")
    assert not tables.states[place("country DE")].alive
    assert tables.states[place("city 1")] == moved


def test_a_value_that_a_waiting_row_has_not_given_up_is_waited_for() -> None:
    """The herd has swapped the values: nobody loses one because of us."""
    of = shapes(shape("card", uniques=[Unique("serial", ("serial",), "serial", True)]))
    here = {"card 1": row(serial="a"), "card 2": row(serial="b")}
    came = {
        "card 1": written(here["card 1"], 20, THEIRS, serial="b"),
        "card 2": written(here["card 2"], 20, THEIRS, serial="a"),
    }
    tables = tables_with(of, here)
    sent = delta(*(part(each, state, "serial") for each, state in came.items()))
    made = took(of, tables, sent, "card 1")
    assert told(made) == {"card 1": REFUSED, "card 2": BLOCKED}
    assert (made.rows, made.noted) == ({}, ())
    again(of, tables, "card 1", "card 2")
    assert tables.states == {place(each): state for each, state in came.items()}


def test_a_repair_that_is_refused_holds_what_needed_it() -> None:
    """The parent cannot be revived here: so the child waits, and others may do it."""
    tables = tables_with(COUNTRIES, {"country DE": dead(GERMANY)})
    came = delta(whole("city 1", HOF), whole("country FR", FRANCE))
    made = took(COUNTRIES, tables, came, "country DE")
    assert told(made) == {"city 1": BLOCKED}
    assert made.rows == {place("country FR"): FRANCE}
    made = again(COUNTRIES, tables, "city 1")
    assert {note.rule for note in made.journal} == {REVIVED}
    assert [each.kind for each in made.noted] == [INSERT]


def test_what_was_written_here_over_a_value_that_waits_puts_it_aside() -> None:
    """Nobody had seen it; it is told once."""
    renamed = written(GERMANY, 30, THEIRS, name="Deutschland")
    tables = tables_with(COUNTRIES, {"country DE": GERMANY})
    took(COUNTRIES, tables, delta(part("country DE", renamed, "name")), "country DE")
    tables.put(place("country DE"), written(GERMANY, 90, OURS, name="Allemagne"))
    made = again(COUNTRIES, tables, "country DE")
    assert [(each.rule, each.losses[0].value) for each in made.journal] == [
        (LATER_WRITE, "Deutschland")
    ]
    assert made.released == {place("country DE")}


def test_a_row_that_was_deleted_here_takes_what_waited_of_it_along() -> None:
    """The values that nobody will see go into the journal."""
    renamed = written(GERMANY, 30, THEIRS, name="Deutschland")
    tables = tables_with(COUNTRIES, {"country DE": GERMANY})
    took(COUNTRIES, tables, delta(part("country DE", renamed, "name")), "country DE")
    tables.put(place("country DE"), dead(GERMANY))
    made = again(COUNTRIES, tables, "country DE")
    assert made.released == {place("country DE")}
    assert [(each.rule, each.losses[0].value) for each in made.journal] == [
        (OTHER_LIFE, "Deutschland")
    ]


def test_a_held_value_that_replaces_an_unseen_one_is_told_when_it_is_released() -> None:
    """Our clock was behind: what was written here loses, and is kept."""
    renamed = written(GERMANY, NOW + 500, THEIRS, name="Deutschland")
    tables = tables_with(COUNTRIES, {"country DE": GERMANY})
    took(COUNTRIES, tables, delta(part("country DE", renamed, "name")), "country DE")
    tables.put(place("country DE"), written(GERMANY, NOW, OURS, name="Allemagne"))
    made = again(COUNTRIES, tables, "country DE")
    assert tables.states[place("country DE")].values["name"] == "Deutschland"
    assert [(each.rule, each.losses[0].value) for each in made.journal] == [
        (LATER_WRITE, "Allemagne")
    ]


def test_a_row_that_waits_for_the_next_part_is_not_held() -> None:
    """Its parent may be in it."""
    of = {**COUNTRIES, "city": replace(COUNTRIES["city"], columns=frozenset({"country"}))}
    made = planned(of, tables_with(of, {}), delta(whole("city 1", HOF), last=False))
    assert (made.held, made.rows) == ((), {})
    assert made.waiting == (whole("city 1", HOF),)


def test_a_unique_repair_among_rows_that_do_not_wait_goes_on() -> None:
    """One refused row elsewhere is no reason to wait."""
    of = shapes(shape("card", uniques=[Unique("serial", ("serial",), "serial", True)]))
    tables = tables_with(of, {"card 1": row(at=10, serial="a")})
    rows: list[DeltaRow] = [
        whole(each, row(at=20, origin=THEIRS, serial=serial))
        for each, serial in (("card 2", "a"), ("card 3", "c"))
    ]
    made = took(of, tables, delta(*rows), "card 3")
    assert told(made) == {"card 3": REFUSED}
    assert {note.rule for note in made.journal} == {UNIQUE}
    state: RowState = made.rows[place("card 2")]
    assert state.values["serial"] is None


def test_a_dead_row_is_not_revived_without_its_parent() -> None:
    """Nobody here ever heard of that: who needs the row waits, and does not die of it."""
    tables = tables_with(COUNTRIES, {"city 1": dead(HOF)})
    of = {**COUNTRIES, "street": shape("street", "city restrict")}
    made = took(of, tables, delta(whole("street 1", LANE)))
    assert told(made) == {"street 1": BLOCKED}
    assert (made.rows, made.noted, made.journal) == ({}, (), ())
    took(of, tables, delta(whole("country DE", GERMANY)))
    again(of, tables, "street 1")
    assert {name(each) for each, _state in tables.live()} == {"country DE", "city 1", "street 1"}


def drop(tables: MemoryTables, of: str) -> None:
    """Somebody gives up what is held of a row."""
    tables.waiting[place(of)] = tables.waiting[place(of)]._replace(reason=DROPPED)


def test_what_was_given_up_is_left_alone_until_something_new_comes() -> None:
    """The same again, whole or in part, changes nothing; a later write brings all of it."""
    tables = tables_with(COUNTRIES, {})
    took(COUNTRIES, tables, delta(whole("country DE", GERMANY)), "country DE")
    drop(tables, "country DE")
    for came in (whole("country DE", GERMANY), part("country DE", GERMANY, "name")):
        made = took(COUNTRIES, tables, delta(came))
        assert (made.rows, made.held, made.released, made.journal) == ({}, (), frozenset(), ())
    renamed = written(GERMANY, 80, THEIRS, name="Deutschland")
    refused = took(COUNTRIES, tables, delta(part("country DE", renamed, "name")), "country DE")
    assert told(refused) == {"country DE": REFUSED}
    made = again(COUNTRIES, tables, "country DE")
    assert made.rows == {place("country DE"): renamed}
    assert tables.waiting == {}


def test_columns_that_were_given_up_stay_so_when_others_change() -> None:
    """There is no such column here; a new value of it is told again."""
    of = {**COUNTRIES, "country": replace(COUNTRIES["country"], columns=frozenset({"name"}))}
    tables = tables_with(of, {})
    both = row(name="Germany", code="DE")
    took(of, tables, delta(whole("country 1", both)))
    drop(tables, "country 1")
    renamed = written(both, 80, THEIRS, name="Deutschland")
    made = took(of, tables, delta(part("country 1", renamed, "name")))
    assert (list(made.rows), made.held, made.released) == ([place("country 1")], (), frozenset())
    coded = written(renamed, 90, THEIRS, code="D")
    made = took(of, tables, delta(part("country 1", coded, "code")))
    assert told(made) == {"country 1": SCHEMA}


def test_what_was_given_up_stands_in_nobodys_way() -> None:
    """A repair goes by what the table shows; of an earlier life nothing is left then."""
    moved = written(HOF, 80, THEIRS, country="FR")
    for rule, left in (("restrict", {place("city 1")}), ("cascade", set())):
        of = shapes(shape("country"), shape("city", f"country {rule}"))
        here = {"country DE": GERMANY, "country FR": FRANCE, "city 1": HOF}
        tables = tables_with(of, here)
        came = delta(part("city 1", moved, "country"), whole("country DE", dead(GERMANY)))
        took(of, tables, came, "city 1")
        drop(tables, "city 1")
        again(of, tables, "country DE")
        assert tables.states[place("country DE")].alive is (rule == "restrict")
        assert tables.states[place("city 1")].alive is (rule == "restrict")
        assert tables.waiting.keys() == left
