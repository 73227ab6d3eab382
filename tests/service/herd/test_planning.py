"""A plan: what comes of a delta here, with every constraint held."""

from __future__ import annotations

import itertools
from functools import partial

import pytest

from records.states import RowState
from service.herd.deltas import DELETE, INSERT, UPDATE, Delta, DeltaRow
from service.herd.journal import NOT_HERE, REVIVED, TAKEN_ALONG, WITHDRAWN
from service.herd.planning.draft import WRITER, DeltaRefused
from service.herd.planning.plan import UNNUMBERED
from service.herd.shapes import Shapes, Unique
from service.simulation.node import Node
from tests.constraints import broken
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

COUNTRIES = shapes(shape("country"), shape("city", "country restrict"))
HOF = row(at=60, origin=THEIRS, name="Hof", country="DE")
GERMANY = row(name="Germany")


def test_rows_that_are_new_are_taken_as_they_came() -> None:
    """With their versions; nothing is noted and nothing put aside."""
    came = delta(
        whole("country DE", GERMANY),
        whole("city 1", HOF),
        entries=(entry("country DE", GERMANY, 1), entry("city 1", HOF, 1)),
    )
    made = planned(COUNTRIES, tables_with(COUNTRIES, {}), came)
    assert made.rows == {place("country DE"): GERMANY, place("city 1"): HOF}
    assert made.kept == came.entries
    assert (made.noted, made.journal, made.waiting) == ((), (), ())


def test_a_delta_for_a_node_that_has_more_is_refused() -> None:
    """Between what this node has and where the delta begins something would be missing."""
    came = delta(whole("country DE", GERMANY))._replace(above={THEIRS: 4})
    with pytest.raises(DeltaRefused, match="has more than this one"):
        planned(COUNTRIES, tables_with(COUNTRIES, {}), came, _2=3)
    assert planned(COUNTRIES, tables_with(COUNTRIES, {}), came, _2=4).rows


RENAMED = written(GERMANY, 30, THEIRS, name="Deutschland")


@pytest.mark.parametrize(
    "here",
    [
        {},
        {"country DE": row(at=5, name="Germany")},
        {"country DE": row(life=1)},
    ],
    ids=["not here", "of an earlier birth", "of an earlier life"],
)
def test_some_columns_of_a_row_that_is_not_here_as_it_was_born_are_put_aside(
    here: dict[str, RowState],
) -> None:
    """A row cannot be made of a part of it; its entries are kept, and all else goes on."""
    state = RENAMED._replace(life=3) if here.get("country DE") == row(life=1) else RENAMED
    came = delta(part("country DE", state, "name"), whole("country FR", row(name="France")))
    made = planned(COUNTRIES, tables_with(COUNTRIES, here), came)
    assert list(made.rows) == [place("country FR")]
    [entry] = made.journal
    assert (entry.rule, entry.place) == (NOT_HERE, place("country DE"))
    assert [(loss.column, loss.value) for loss in entry.losses] == [("name", "Deutschland")]


def test_a_dead_child_may_come_without_its_parent() -> None:
    """The parent may have been forgotten; nobody refers to it any more."""
    made = planned(COUNTRIES, tables_with(COUNTRIES, {}), delta(whole("city 1", dead(HOF))))
    assert made.rows == {place("city 1"): dead(HOF)}
    assert made.noted == ()


def test_some_columns_of_a_life_that_is_over_are_no_harm() -> None:
    """The row has died, or lives anew: the part came late."""
    for later in (dead(GERMANY), row(at=70, life=3, name="DE")):
        tables = tables_with(COUNTRIES, {"country DE": later})
        assert planned(COUNTRIES, tables, delta(part("country DE", RENAMED, "name"))).rows == {}


def test_a_repair_is_noted_as_a_write_of_this_node() -> None:
    """With its kind, its columns and its stamp; a number it gets when it is sealed."""
    kinds = {"restrict": INSERT, "cascade": DELETE, "set_null": UPDATE}
    for rule, kind in kinds.items():
        of = shapes(shape("country"), shape("city", f"country {rule}"))
        tables = tables_with(of, {"country DE": GERMANY, "city 1": HOF})
        made = planned(of, tables, delta(whole("country DE", dead(GERMANY))))
        [noted] = made.noted
        assert noted.place == place("country DE" if rule == "restrict" else "city 1")
        assert (noted.origin, noted.position, noted.stamp) == (OURS, UNNUMBERED, NOW)
        assert (noted.kind, noted.writer) == (kind, WRITER)
        assert noted.columns == (("country",) if kind == UPDATE else ())
        assert noted.life == made.rows[noted.place].life


def test_a_repair_is_later_than_what_it_repairs_whatever_the_clock_says() -> None:
    """Here the clock is far behind that of who wrote the reference."""
    of = shapes(shape("country"), shape("city", "country set_null"))
    ahead = row(at=NOW + 500, origin=THEIRS, country="DE")
    tables = tables_with(of, {"country DE": dead(GERMANY)})
    made = planned(of, tables, delta(whole("city 1", ahead)))
    assert made.rows[place("city 1")].version("country").stamp == NOW + 501
    assert made.noted[0].stamp == NOW + 501


CARDS = shapes(
    shape("card", uniques=[Unique("serial", ("serial",))]),
    shape("stamp", "card restrict"),
    shape("note", "stamp restrict"),
)


def test_a_withdrawn_row_takes_along_what_cannot_be_without_it() -> None:
    """Though what restricts would revive it otherwise: that would never end."""
    tables = tables_with(CARDS, {"card 1": row(at=10, serial="a")})
    came = {
        "card 2": row(at=20, origin=THEIRS, serial="a"),
        "stamp 1": row(at=21, origin=THEIRS, card=2),
        "note 1": row(at=22, origin=THEIRS, stamp=1),
    }
    made = planned(CARDS, tables, delta(*itertools.starmap(whole, came.items())))
    assert {name(of): state.alive for of, state in made.rows.items()} == dict.fromkeys(came, False)
    assert {(note.rule, name(note.place)) for note in made.journal} == {
        (WITHDRAWN, "card 2"),
        (TAKEN_ALONG, "stamp 1"),
        (TAKEN_ALONG, "note 1"),
    }


def test_a_revived_row_whose_value_was_given_to_another_is_not_to_be_had() -> None:
    """It would have to be withdrawn: so it stays dead, and who needed it dies."""
    gone = dead(row(at=10, serial="a"))
    tables = tables_with(CARDS, {"card 1": gone, "card 2": row(at=60, serial="a")})
    made = planned(CARDS, tables, delta(whole("stamp 1", row(at=50, origin=THEIRS, card=1))))
    assert made.rows[place("card 1")] == gone
    assert not made.rows[place("stamp 1")].alive
    assert {(note.rule, name(note.place)) for note in made.journal} == {(TAKEN_ALONG, "stamp 1")}
    assert {name(each.place) for each in made.noted} == {"stamp 1"}


def test_what_one_repair_frees_another_one_may_take() -> None:
    """The row that claims a value first is taken along with its parent: the other one keeps it."""
    of = shapes(
        shape("country"),
        shape(
            "city",
            "country cascade",
            uniques=[Unique("serial", ("serial",), "serial", nullable=True)],
        ),
    )
    here = {"country DE": GERMANY, "city 1": row(at=20, country="DE", serial="a")}
    later = row(at=30, origin=THEIRS, country=None, serial="a")
    came = delta(whole("country DE", dead(GERMANY)), whole("city 2", later))
    made = planned(of, tables_with(of, here), came)
    assert made.rows[place("city 2")] == later
    assert not made.rows[place("city 1")].alive


def _city_story() -> tuple[Node, list[Delta]]:
    """A country is born, renamed, gets a city, dies without it and is wanted again: the deltas."""
    writer = Node(THEIRS, COUNTRIES)
    country, city = place("country DE"), place("city 1")
    seen: list[Delta] = []
    writes = (
        partial(writer.insert, country, {"name": "Germany"}),
        partial(writer.insert, city, {"name": "Hof", "country": "DE"}),
        partial(writer.update, country, {"name": "Deutschland"}),
        partial(writer.update, city, {"country": None}),
        partial(writer.delete, country),
        partial(writer.insert, country, {"name": "DE"}),
        partial(writer.update, city, {"country": "DE"}),
    )
    for at, write in enumerate(writes):
        write(now=at)
        seen.append(writer.delta({}))
    return writer, seen


def _expect_same_end(order: list[Delta], writer: Node) -> None:
    node = Node(OURS, COUNTRIES)
    for at, each in enumerate(order):
        node.apply(each, 100 + at)
        assert not broken(node)
    assert node.tables.states == writer.tables.states
    assert node.journal == []
    assert node.vector == {OURS: 0, THEIRS: 7}


def test_deltas_may_come_in_the_worst_order() -> None:
    """The last first, and all in between once more: the end is the same, and nothing is noted."""
    writer, seen = _city_story()
    _expect_same_end(seen[::-1], writer)
    _expect_same_end([seen[4], seen[0], seen[6], *seen], writer)
    _expect_same_end([each for each in seen for _ in range(3)], writer)


def test_the_same_delta_a_second_time_plans_nothing() -> None:
    """No row, no note, no entry for the journal."""
    node = Node(OURS, COUNTRIES)
    node.insert(place("country DE"), {"name": "Germany"}, 5)
    sibling = Node(THEIRS, COUNTRIES)
    sibling.apply(node.delta({}), 6)
    sibling.insert(place("city 1"), {"name": "Hof", "country": "DE"}, 7)
    node.delete(place("country DE"), 8)
    came = sibling.delta(node.vector)
    first = node.apply(came, 9)
    assert {note.rule for note in first.journal} == {REVIVED}
    again = node.apply(came, 10)
    assert (again.rows, again.noted, again.journal) == ({}, (), ())


def _in_parts(of: Shapes, here: dict[str, RowState], *rows: DeltaRow) -> Node:
    """A node that gets each row as a part by itself; the last part is empty."""
    node = Node(OURS, of)
    for each, state in here.items():
        node.tables.put(place(each), state)
    waiting: tuple[DeltaRow, ...] = ()
    for sent in rows:
        made = node.apply(delta(*waiting, sent, last=False), NOW)
        assert not made.noted
        assert not made.journal
        assert not broken(node)
        waiting = made.waiting
    node.apply(delta(*waiting), NOW)
    assert not broken(node)
    return node


def test_a_child_waits_for_the_part_that_brings_its_parent() -> None:
    """It does not revive what lies in the graveyard, either."""
    reborn = row(at=70, origin=THEIRS, life=3, name="DE")
    for here in ({}, {"country DE": dead(GERMANY)}):
        node = _in_parts(COUNTRIES, here, whole("city 1", HOF), whole("country DE", reborn))
        assert node.tables.states == {place("city 1"): HOF, place("country DE"): reborn}
        assert node.journal == []


def test_a_death_waits_for_the_parts_that_bring_the_deaths_of_the_children() -> None:
    """Parts in any order delete what the whole delta deletes."""
    here = {"country DE": GERMANY, "city 1": HOF}
    for order in itertools.permutations(here):
        node = _in_parts(COUNTRIES, here, *(whole(of, dead(here[of])) for of in order))
        assert not list(node.tables.live())
        assert node.journal == []


def test_values_that_are_swapped_wait_for_each_other() -> None:
    """Each part alone would claim a value twice."""
    here = {"card 1": row(serial="a"), "card 2": row(serial="b")}
    came = {
        "card 1": written(here["card 1"], 20, THEIRS, serial="b"),
        "card 2": written(here["card 2"], 20, THEIRS, serial="a"),
    }
    for order in itertools.permutations(came):
        node = _in_parts(CARDS, here, *(whole(of, came[of]) for of in order))
        assert node.tables.states == {place(of): state for of, state in came.items()}


def test_what_waits_takes_its_entries_along() -> None:
    """They are kept with the row, not before."""
    child = entry("city 1", HOF, 1)
    came = delta(whole("city 1", HOF), entries=(child,), last=False)
    made = planned(COUNTRIES, tables_with(COUNTRIES, {}), came)
    assert (made.rows, made.kept) == ({}, ())
    assert (made.waiting, made.waiting_entries) == (came.rows, (child,))


def test_with_the_last_part_nothing_waits() -> None:
    """What has not come by then does not come: it is repaired."""
    tables = tables_with(COUNTRIES, {"country DE": dead(GERMANY)})
    made = planned(COUNTRIES, tables, delta(whole("city 1", HOF)))
    assert made.waiting == ()
    assert {note.rule for note in made.journal} == {REVIVED}
