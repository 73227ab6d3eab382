"""No live row is left without its parent: who is revived, who dies along, who lets go."""

from __future__ import annotations

import pytest

from records.stamps import Version
from records.states import RowState
from service.herd.journal import LET_GO, REVIVED, TAKEN_ALONG
from service.herd.planning.draft import WRITER, Draft
from service.herd.planning.families import Family
from service.herd.shapes import Reference, Shape, Shapes
from tests.service.herd.bench import (
    NOW,
    OURS,
    THEIRS,
    Rows,
    dead,
    draft_of,
    name,
    outcome,
    place,
    row,
    rules,
    shape,
    shapes,
    written,
)

GERMANY = row(name="Germany")
HOF = row(at=60, origin=THEIRS, name="Hof", country="DE")


def _countries(rule: str) -> Shapes:
    return shapes(shape("country"), shape("city", f"country {rule}"))


def _settled(of: Shapes, here: Rows, came: Rows, *barred: str) -> Draft:
    """The draft, with the families of the rows that came settled."""
    draft = draft_of(of, here, came)
    Family(draft, set(map(place, barred))).settle(list(map(place, came)))
    return draft


BOTH_SIDES = pytest.mark.parametrize(
    ("here", "came"),
    [
        ({"country DE": GERMANY, "city 1": HOF}, {"country DE": dead(GERMANY)}),
        ({"country DE": dead(GERMANY)}, {"city 1": HOF}),
    ],
    ids=["the death came", "the child came"],
)


@BOTH_SIDES
def test_a_parent_is_revived_for_a_child_that_restricts(here: Rows, came: Rows) -> None:
    """Whole, with the values it had, in a life of its own, written by this node now."""
    draft = _settled(_countries("restrict"), here, came)
    revived = draft.known(place("country DE"))
    assert revived == RowState(3, Version(NOW, OURS), {}, {"name": "Germany"})
    assert draft.known(place("city 1")) == HOF
    assert rules(draft) == {(REVIVED, "country DE")}


@BOTH_SIDES
def test_a_child_that_cascades_dies_with_its_parent(here: Rows, came: Rows) -> None:
    """The journal keeps all it held."""
    draft = _settled(_countries("cascade"), here, came)
    child = draft.known(place("city 1"))
    assert (child.life, child.alive, child.values) == (2, False, HOF.values)
    assert child.death is not None
    assert child.death == (NOW, WRITER)
    [note] = draft.repairs()
    assert (note.rule, name(note.place), note.life) == (TAKEN_ALONG, "city 1", 1)
    assert {loss.column: loss.value for loss in note.losses} == HOF.values


@BOTH_SIDES
def test_an_optional_reference_lets_go(here: Rows, came: Rows) -> None:
    """It becomes NULL by a write that is later than the reference; nothing else is touched."""
    draft = _settled(_countries("set_null"), here, came)
    child = draft.known(place("city 1"))
    assert child.values == {"name": "Hof", "country": None}
    assert child.version("country") == Version(NOW, OURS)
    assert child.version("name") == HOF.born
    assert not draft.alive(place("country DE"))
    [note] = draft.repairs()
    assert (note.rule, name(note.place)) == (LET_GO, "city 1")
    assert [(loss.column, loss.value) for loss in note.losses] == [("country", "DE")]


FARM = shapes(
    shape("farm"),
    shape("barn", "farm cascade"),
    shape("stall", "barn cascade"),
    shape("animal", "stall restrict"),
)
BUILDINGS = {
    "barn 1": row(farm=1),
    "barn 2": row(farm=1),
    "stall 1": row(barn=1),
    "stall 2": row(barn=1),
}


def test_a_farm_that_is_held_on_to_from_below_is_revived() -> None:
    """At any depth; and what only hangs on the farm has its farm again."""
    here = {"farm 1": row(), **BUILDINGS, "animal 1": row(stall=1)}
    draft = _settled(FARM, here, {"farm 1": dead(row())})
    assert outcome(draft) == {"farm 1": {}}
    assert rules(draft) == {(REVIVED, "farm 1")}


def test_a_cascade_takes_whatever_nothing_holds_on_to() -> None:
    """Without an animal all goes, at every depth."""
    draft = _settled(FARM, {"farm 1": row(), **BUILDINGS}, {"farm 1": dead(row())})
    assert outcome(draft) == {"farm 1": None, **dict.fromkeys(BUILDINGS)}
    assert rules(draft) == {(TAKEN_ALONG, each) for each in BUILDINGS}


def test_a_dead_branch_is_revived_without_its_dead_siblings() -> None:
    """All was deleted there; only what the animal needs lives again."""
    here = {"animal 1": row(stall=1), "farm 1": row(), **BUILDINGS}
    draft = _settled(FARM, here, {each: dead(here[each]) for each in ["farm 1", *BUILDINGS]})
    alive = {each for each, values in outcome(draft).items() if values is not None}
    assert alive == {"farm 1", "barn 1", "stall 1"}
    assert rules(draft) == {(REVIVED, each) for each in alive}


def test_a_row_with_two_parents_dies_with_one_and_frees_the_other() -> None:
    """The hall cascades, so the seat dies; nothing holds on to the kind any more."""
    of = shapes(shape("hall"), shape("kind"), shape("seat", "hall cascade", "kind restrict"))
    here = {"hall 1": dead(row()), "kind 1": dead(row())}
    draft = _settled(of, here, {"seat 1": row(hall=1, kind=1)})
    assert outcome(draft) == {"seat 1": None}


def test_a_revived_row_lets_go_of_what_stays_dead() -> None:
    """A revived country does not keep a reference to a flag that is gone."""
    of = shapes(shape("flag"), shape("country", "flag set_null"), shape("city", "country restrict"))
    here = {"flag 1": dead(row()), "country DE": dead(row(flag=1))}
    draft = _settled(of, here, {"city 1": row(country="DE")})
    assert outcome(draft) == {"city 1": {"country": "DE"}, "country DE": {"flag": None}}
    assert rules(draft) == {(REVIVED, "country DE"), (LET_GO, "country DE")}


def test_a_revived_row_brings_the_parents_it_cannot_be_without() -> None:
    """Also one that it refers to by a cascade."""
    of = shapes(
        shape("union"), shape("country", "union cascade"), shape("city", "country restrict")
    )
    here = {"union 1": dead(row()), "country DE": dead(row(union=1))}
    draft = _settled(of, here, {"city 1": row(country="DE")})
    assert rules(draft) == {(REVIVED, "country DE"), (REVIVED, "union 1")}


def test_a_child_that_moves_away_with_the_delta_holds_on_to_nothing() -> None:
    """What counts is where rows are to be, not where they were."""
    here = {"country DE": GERMANY, "country FR": row(), "city 1": HOF}
    moved = written(HOF, 70, THEIRS, country="FR")
    came = {"country DE": dead(GERMANY), "city 1": moved}
    draft = _settled(_countries("restrict"), here, came)
    assert outcome(draft) == {"country DE": None, "city 1": moved.values}
    assert not draft.repairs()


def test_a_child_that_dies_with_the_delta_holds_on_to_nothing() -> None:
    """A whole family deleted elsewhere is deleted here."""
    came = {"country DE": dead(GERMANY), "city 1": dead(HOF)}
    draft = _settled(_countries("restrict"), {"country DE": GERMANY, "city 1": HOF}, came)
    assert outcome(draft) == {"country DE": None, "city 1": None}
    assert not draft.repairs()


def test_rows_whose_parents_live_are_left_alone() -> None:
    """Nothing is repaired where nothing is broken."""
    draft = _settled(_countries("restrict"), {"country DE": GERMANY}, {"city 1": HOF})
    assert outcome(draft) == {"city 1": HOF.values}
    assert not draft.repairs()


def test_a_barred_row_stays_dead_and_takes_who_cannot_be_without_it() -> None:
    """What restricts dies too, and what may do without lets go."""
    of = shapes(shape("card"), shape("stamp", "card restrict"), shape("photo", "card set_null"))
    here = {"stamp 1": row(card=1), "photo 1": row(card=1), "card 1": row()}
    draft = _settled(of, here, {"card 1": dead(row())}, "card 1")
    assert outcome(draft) == {"card 1": None, "stamp 1": None, "photo 1": {"card": None}}
    assert rules(draft) == {(TAKEN_ALONG, "stamp 1"), (LET_GO, "photo 1")}


def test_what_would_need_a_barred_row_is_not_revived() -> None:
    """A stall in a barn that may not be is impossible: the animal that needs it dies as well."""
    of = shapes(shape("barn"), shape("stall", "barn restrict"), shape("animal", "stall restrict"))
    here = {"barn 1": dead(row()), "stall 1": dead(row(barn=1))}
    draft = _settled(of, here, {"animal 1": row(stall=1)}, "barn 1")
    assert outcome(draft) == {"animal 1": None}


def test_what_would_need_a_forgotten_row_is_not_revived() -> None:
    """The union has been forgotten: its country cannot be, and neither can a city in it."""
    of = shapes(
        shape("union"), shape("country", "union cascade"), shape("city", "country restrict")
    )
    draft = _settled(of, {"country DE": dead(row(union=1))}, {"city 1": row(country="DE")})
    assert outcome(draft) == {"city 1": None}
    assert rules(draft) == {(TAKEN_ALONG, "city 1")}


def test_a_revived_row_lets_go_of_what_was_forgotten() -> None:
    """If it may be without."""
    of = shapes(shape("flag"), shape("country", "flag set_null"), shape("city", "country restrict"))
    draft = _settled(of, {"country DE": dead(row(flag=1))}, {"city 1": row(country="DE")})
    assert outcome(draft) == {"city 1": {"country": "DE"}, "country DE": {"flag": None}}


def test_a_reference_with_an_empty_column_refers_to_nothing() -> None:
    """Of several columns one that is NULL is enough."""
    road = Shape("road", ("id",), (Reference("town", ("land", "town"), "town", "restrict"),))
    of = {"town": Shape("town", ("land", "name")), "road": road}
    town = ("town", ("DE", "Hof"))
    draft = draft_of(
        of, {"road 1": row(land="DE", town=None), "road 2": row(land="DE", town="Ulm")}
    )
    draft.take(town, dead(row()))
    assert Family(draft).settle([town]) == set()
    assert not draft.repairs()


def test_a_row_may_be_its_own_parent() -> None:
    """It dies when it is deleted, whatever its reference says of deleting."""
    for rule in ("restrict", "cascade", "set_null"):
        of = shapes(shape("animal", f"animal {rule}"))
        bull = row(animal=1)
        draft = _settled(of, {"animal 1": bull}, {"animal 1": dead(bull)})
        assert outcome(draft) == {"animal 1": None}


def test_the_rows_that_were_repaired_come_back() -> None:
    """So that what hangs on them is looked at in turn."""
    here = {"country DE": GERMANY, "city 1": HOF}
    for rule, repaired in (("restrict", "country DE"), ("cascade", "city 1")):
        draft = draft_of(_countries(rule), here, {"country DE": dead(GERMANY)})
        assert Family(draft).settle([place("country DE")]) == {place(repaired)}
