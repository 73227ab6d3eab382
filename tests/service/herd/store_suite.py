"""What links rely on in a node's database: one suite for the real store and for its double.

A class that inherits `HerdStoreSuite` gives the fixture `new_node`, which makes a node at each
call, with the tables `country` (id, a unique name of at most 40 characters, which gets an ending
where two claim it) and `city` (id, country, name); cities die with their country.
"""

from __future__ import annotations

import contextlib
from collections.abc import Awaitable, Callable
from typing import Any, Protocol, TypeVar

import pytest

from service.errors import ServiceError
from service.herd.deltas import Delta, LogEntry
from service.herd.messages import Portion
from service.herd.planning.draft import DeltaRefused
from service.herd.port import HerdStore, Sibling
from service.herd.vectors import Vector, includes

Outcome = TypeVar("Outcome")

LINK, OTHER_LINK = 7, 8


class NodeUnderTest(Protocol):
    """A node's database, and what applications do with it; what they do is sealed at the end."""

    @property
    def store(self) -> HerdStore:
        """What is tested."""

    def wait(self, work: Awaitable[Outcome]) -> Outcome:
        """What comes of something that the store gave."""

    def insert(self, table: str, key: int, **values: Any) -> None:
        """Insert a row."""

    def update(self, table: str, key: int, **values: Any) -> None:
        """Change a row."""

    def delete(self, table: str, key: int) -> None:
        """Delete a row, and what dies with it."""

    def rows(self) -> dict[tuple[str, int], dict[str, Any]]:
        """The live rows."""

    def break_reads(self) -> None:
        """Let the database not answer from now on."""


NewNode = Callable[..., NodeUnderTest]
"""Makes a node; `most_rows` is the size of a part."""


def vector(node: NodeUnderTest) -> Vector:
    """What a node has; origins of which it has nothing are left out."""
    told = node.wait(node.store.origin()).vector
    return {origin: position for origin, position in told.items() if position}


def origin(node: NodeUnderTest) -> int:
    """Who a node is."""
    return node.wait(node.store.origin()).origin


def read(node: NodeUnderTest, above: Vector) -> list[Delta]:
    """All parts of what a node has above a vector."""
    reading = node.wait(node.store.read(above))
    found = [node.wait(reading.next())]
    while not found[-1].last:
        found.append(node.wait(reading.next()))
    reading.close()
    return found


def apply(node: NodeUnderTest, deltas: list[Delta], number: int = 1, link: int = LINK) -> Vector:
    """Apply the parts of a delta; the vector that the last one gave."""
    after: Vector = {}
    for part, delta in enumerate(deltas):
        portion = Portion(number, part, delta)
        after = node.wait(node.store.apply(link, delta.sender, portion))
    return after


def exchange(one: NodeUnderTest, other: NodeUnderTest, number: int = 1) -> None:
    """Both get what they lack of each other, until neither lacks anything."""
    for round_ in range(number, number + 4):
        apply(other, read(one, vector(other)), round_)
        apply(one, read(other, vector(one)), round_)
    assert vector(one) == vector(other)


class HerdStoreSuite:
    """The tests."""

    @pytest.fixture
    def new_node(self) -> NewNode:
        """Makes nodes."""
        raise NotImplementedError

    def test_a_new_node_has_nothing_and_an_origin_of_its_own(self, new_node: NewNode) -> None:
        """Two nodes are told apart from the beginning."""
        one, other = new_node(), new_node()
        assert vector(one) == {}
        assert origin(one) != origin(other)

    def test_each_sealed_change_counts_one(self, new_node: NewNode) -> None:
        """The vector's own place is the position in the changelog."""
        node = new_node()
        node.insert("country", 1, name="Germany")
        node.update("country", 1, name="Deutschland")
        assert vector(node) == {origin(node): 2}

    def test_a_delta_tells_what_is_here_and_not_there(self, new_node: NewNode) -> None:
        """Its vectors, its rows once each, its entries each."""
        node = new_node()
        node.insert("country", 1, name="Germany")
        node.update("country", 1, name="Deutschland")
        [delta] = read(node, {})
        assert (delta.sender, delta.above, delta.last) == (origin(node), {}, True)
        assert dict(delta.covers) == vector(node)
        assert [row.state.values["name"] for row in delta.rows] == ["Deutschland"]
        assert [entry.position for entry in delta.entries] == [1, 2]

    def test_only_what_lies_above_the_vector_travels(self, new_node: NewNode) -> None:
        """A column that changed since, and nothing of rows that did not."""
        node = new_node()
        node.insert("country", 1, name="Germany")
        node.insert("country", 2, name="France")
        before = vector(node)
        node.update("country", 2, name="Frankreich")
        [delta] = read(node, before)
        [row] = delta.rows
        assert (row.table, row.whole, dict(row.state.values)) == (
            "country",
            False,
            {"name": "Frankreich"},
        )

    def test_nothing_new_is_a_delta_of_nothing(self, new_node: NewNode) -> None:
        """Whoever has all of it gets one part without rows."""
        node = new_node()
        node.insert("country", 1, name="Germany")
        [delta] = read(node, vector(node))
        assert (delta.rows, delta.entries, delta.last) == ((), (), True)

    def test_what_is_applied_is_here_and_in_the_vector(self, new_node: NewNode) -> None:
        """After the last part; the same again changes nothing."""
        one, other = new_node(), new_node()
        one.insert("country", 1, name="Germany")
        one.insert("city", 1, country=1, name="Ulm")
        delta = read(one, {})
        after = apply(other, delta)
        assert includes(after, vector(one))
        assert other.rows() == one.rows()
        assert includes(apply(other, delta, 2), after)
        assert vector(other) == vector(one)

    def test_a_third_node_gets_it_with_its_origin(self, new_node: NewNode) -> None:
        """What came from elsewhere is passed on as it came."""
        one, other, third = new_node(), new_node(), new_node()
        one.insert("country", 1, name="Germany")
        apply(other, read(one, {}))
        apply(third, read(other, {}))
        assert third.rows() == one.rows()
        [delta] = read(third, {})
        [entry] = delta.entries
        assert (entry.origin, entry.position) == (origin(one), 1)

    def test_both_write_and_become_one(self, new_node: NewNode) -> None:
        """Changes of other columns, deaths, and a unique name that both gave."""
        one, other = new_node(), new_node()
        one.insert("country", 1, name="Germany")
        one.insert("city", 1, country=1, name="Ulm")
        exchange(one, other)
        one.update("city", 1, name="Neu-Ulm")
        one.insert("country", 2, name="France")
        other.insert("country", 3, name="France")
        other.delete("country", 1)
        exchange(one, other, 10)
        assert one.rows() == other.rows()
        assert ("city", 1) not in one.rows()
        names = [values["name"] for (table, _), values in one.rows().items() if table == "country"]
        assert len(set(names)) == len(names) == 2

    def test_a_delta_in_parts_counts_with_its_last_one(self, new_node: NewNode) -> None:
        """Each part is small; until the last one the vector stands."""
        one, other = new_node(most_rows=2), new_node()
        for key in range(7):
            one.insert("country", key, name=f"country {key}")
        delta = read(one, {})
        assert [len(part.rows) <= 2 for part in delta] == [True] * len(delta)
        assert len(delta) >= 4
        assert not includes(apply(other, delta[:-1]), vector(one))
        assert vector(other) == {}
        last = Portion(1, len(delta) - 1, delta[-1])
        after = other.wait(other.store.apply(LINK, delta[-1].sender, last))
        assert includes(after, vector(one))
        assert other.rows() == one.rows()

    def test_a_reading_is_as_of_one_moment(self, new_node: NewNode) -> None:
        """What is written while the parts are read is not among them, nor in what they cover."""
        node = new_node(most_rows=1)
        for key in range(4):
            node.insert("country", key, name=f"country {key}")
        before = vector(node)
        reading = node.wait(node.store.read({}))
        found = [node.wait(reading.next())]
        node.update("country", 3, name="later")
        node.insert("country", 9, name="later still")
        while not found[-1].last:
            found.append(node.wait(reading.next()))
        reading.close()
        assert all(dict(part.covers) == before for part in found)
        names = {row.state.values["name"] for part in found for row in part.rows}
        assert names == {f"country {key}" for key in range(4)}

    def test_parts_that_broke_off_come_again(self, new_node: NewNode) -> None:
        """What waited is dropped with its link; a new delta from the beginning brings all."""
        one, other = new_node(most_rows=1), new_node()
        one.insert("country", 1, name="Germany")
        for key in range(4):
            one.insert("city", key, country=1, name=f"city {key}")
        delta = read(one, {})
        apply(other, delta[1:3])
        other.store.forget(LINK)
        assert vector(other) == {}
        apply(other, delta, 1, OTHER_LINK)
        assert other.rows() == one.rows()

    def test_a_delta_above_a_gap_is_refused(self, new_node: NewNode) -> None:
        """It is for a node that has more: nothing of it is applied."""
        one, other = new_node(), new_node()
        one.insert("country", 1, name="Germany")
        before = vector(one)
        one.insert("country", 2, name="France")
        with pytest.raises(DeltaRefused):
            apply(other, read(one, before))
        assert other.rows() == {}
        assert vector(other) == {}

    def test_a_child_without_its_parent_is_kept_out_of_the_tables(self, new_node: NewNode) -> None:
        """No committed row lacks its parent; when the parent comes, both are there."""
        one, other = new_node(), new_node()
        one.insert("country", 1, name="Germany")
        one.insert("city", 1, country=1, name="Ulm")
        [delta] = read(one, {})
        orphan = delta._replace(rows=tuple(row for row in delta.rows if row.table == "city"))
        with contextlib.suppress(DeltaRefused):
            apply(other, [orphan])
        assert other.rows() == {}
        apply(other, [delta], 2)
        assert other.rows() == one.rows()

    def test_entries_come_once_however_they_came(self, new_node: NewNode) -> None:
        """Two ways for the same changes: the changelog has each of them once."""
        one, other, third = new_node(), new_node(), new_node()
        one.insert("country", 1, name="Germany")
        apply(other, read(one, {}))
        apply(third, read(one, {}))
        other.insert("country", 2, name="France")
        apply(third, read(other, {}), 1, OTHER_LINK)
        entries: list[LogEntry] = [entry for part in read(third, {}) for entry in part.entries]
        places = [(entry.origin, entry.position) for entry in entries]
        assert sorted(places) == sorted({(origin(one), 1), (origin(other), 1)})

    def test_a_reading_may_be_closed_at_any_time(self, new_node: NewNode) -> None:
        """Before its first part, and twice; the next one is not disturbed."""
        node = new_node()
        node.insert("country", 1, name="Germany")
        reading = node.wait(node.store.read({}))
        reading.close()
        reading.close()
        node.store.forget(LINK)
        assert len(read(node, {})) == 1

    def test_what_siblings_have_can_be_noted_again_and_again(self, new_node: NewNode) -> None:
        """The newest is what counts; nothing else changes."""
        node = new_node()
        node.insert("country", 1, name="Germany")
        before = vector(node)
        for position in (1, 2):
            sibling = Sibling(4_000_000_000, "far", {origin(node): position})
            node.wait(node.store.note((sibling,)))
        node.wait(node.store.note(()))
        assert vector(node) == before

    def test_a_database_that_does_not_answer_says_so(self, new_node: NewNode) -> None:
        """Every question ends in an error that says what is wrong, and none hangs."""
        node = new_node()
        node.insert("country", 1, name="Germany")
        node.break_reads()
        with pytest.raises(ServiceError):
            node.wait(node.store.origin())
        with pytest.raises(ServiceError):
            read(node, {})
