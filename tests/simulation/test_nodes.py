"""Cases that a seed once showed, each by itself."""

from __future__ import annotations

from records.states import Value
from service.herd.deltas import DELETE, Delta
from service.herd.parts import parts
from service.herd.shapes import Place, Reference, Shape, Shapes, Unique
from service.simulation.node import Node

CITY: Place = ("city", (1,))
TOWN: Place = ("city", (2,))
STREET: Place = ("street", (1,))

SHAPES: Shapes = {
    "city": Shape("city", ("id",), uniques=(Unique("name", ("name",), "name", True),)),
    "street": Shape("street", ("id",), (Reference("city", ("city",), "city", "restrict"),)),
}


def city(place: Place, name: str) -> dict[str, Value]:
    """The values of a city."""
    return {"id": place[1][0], "name": name, "people": 0}


def herd(count: int) -> list[Node]:
    """Some empty nodes."""
    return [Node(origin, SHAPES) for origin in range(1, count + 1)]


def sync(one: Node, other: Node, now: int) -> None:
    """The other node gets what it lacks."""
    other.apply(one.delta(other.vector), now)


def first_part(delta: Delta) -> Delta:
    """A delta that broke off after its first row."""
    return next(parts(delta, SHAPES, most_rows=1))


def test_what_a_broken_off_delta_brought_is_not_lost_to_an_older_one() -> None:
    """An older value that comes after the newer one that replaced it is no conflict."""
    writer, slow, reader = herd(3)
    writer.insert(CITY, city(CITY, "Rom"), 1)
    sync(writer, slow, 2)
    writer.update(CITY, {"people": 3}, 3)
    writer.insert(TOWN, city(TOWN, "Ulm"), 4)
    reader.apply(first_part(writer.delta(reader.vector)), 5)
    assert reader.tables.states[CITY].values["people"] == 3
    sync(slow, reader, 6)
    assert reader.journal == []
    sync(writer, reader, 7)
    assert reader.tables.states == writer.tables.states


def test_a_row_that_is_repaired_twice_at_once_has_an_entry_for_each_version() -> None:
    """A city lives again, and loses its name to another one: both writes are in the changelog."""
    keeper, deleter = herd(2)
    keeper.insert(CITY, city(CITY, "Rom"), 1)
    sync(keeper, deleter, 2)
    deleter.delete(CITY, 3)
    deleter.insert(TOWN, city(TOWN, "Rom"), 4)
    keeper.insert(STREET, {"id": 1, "city": 1}, 5)
    sync(deleter, keeper, 6)
    state = keeper.tables.states[CITY]
    assert (state.alive, state.values["name"]) == (True, None)
    logged = {
        entry.version
        for entry in keeper.tables.above({1: 0})
        if entry.place == CITY and entry.kind != DELETE
    }
    assert {state.born, state.version("name")} <= logged


def test_what_loses_against_a_snapshot_is_told_though_its_entry_was_pruned() -> None:
    """Both wrote a city before they met, and one of them has forgotten its changelog since."""
    forgetful, reader = herd(2)
    forgetful.insert(CITY, city(CITY, "Rom"), 1)
    reader.insert(CITY, city(CITY, "Ulm"), 2)
    forgetful.tables.prune(forgetful.vector)
    sync(forgetful, reader, 3)
    assert reader.tables.states[CITY].values["name"] == "Ulm"
    assert [loss.value for entry in reader.journal for loss in entry.losses] == ["Rom"]


def test_what_is_seen_of_a_snapshot_is_no_conflict() -> None:
    """A city was written over by somebody who had it, and comes once more as it was before."""
    forgetful, reader = herd(2)
    forgetful.insert(CITY, city(CITY, "Rom"), 1)
    sync(forgetful, reader, 2)
    forgetful.insert(TOWN, city(TOWN, "Ulm"), 3)
    reader.update(CITY, {"people": 3}, 4)
    forgetful.tables.prune(forgetful.vector)
    sync(forgetful, reader, 5)
    assert TOWN in reader.tables.states
    assert reader.journal == []


def test_a_key_that_is_born_again_where_it_was_forgotten_ends_an_old_life_elsewhere() -> None:
    """Of the old life somebody has an update that the writer of the new one never saw."""
    writer, keeper, late = herd(3)
    writer.insert(CITY, city(CITY, "Rom"), 1)
    for other in (keeper, late):
        sync(writer, other, 2)
    late.update(CITY, {"people": 3}, 3)
    writer.delete(CITY, 4)
    sync(writer, keeper, 5)
    sync(late, keeper, 6)
    writer.tables.prune(writer.vector)
    writer.insert(CITY, city(CITY, "Ulm"), 7)
    sync(writer, keeper, 8)
    sync(keeper, writer, 9)
    assert writer.tables.states[CITY].values["name"] == "Ulm"
    assert keeper.tables.states[CITY] == writer.tables.states[CITY]
