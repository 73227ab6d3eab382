"""When a node that joins is level: over what its links show, look by look."""

from __future__ import annotations

from service.herd.levelling import Levelling
from service.herd.status import HerdState, SiblingState, Standing
from service.herd.vectors import Vector

SHED, MILL = 1, 2


def looks(*seen: tuple[Vector, dict[int, Vector]]) -> list[bool]:
    """What each look finds: what the node has, and what each sibling has that is linked."""
    levelling = Levelling()
    return [levelling.look(state(ours, linked), {SHED, MILL}) for ours, linked in seen]


def state(ours: Vector, linked: dict[int, Vector]) -> HerdState:
    """A node with a sibling that it cannot reach, and some that it is linked with."""
    siblings = [SiblingState("tcp:x:1", True, Standing.CONNECTING, 1.0)]
    siblings += [
        SiblingState("", True, Standing.EAGER, 1.0, origin=origin, vector=vector)
        for origin, vector in linked.items()
    ]
    return HerdState("barn", 9, ours, tuple(siblings))


def test_a_node_without_a_link_is_never_level() -> None:
    """However much it has."""
    assert looks(({SHED: 5}, {}), ({SHED: 6}, {})) == [False, False]


def test_it_is_level_when_it_has_what_its_sibling_had_though_that_writes_on() -> None:
    """What the sibling had when it was seen first counts."""
    found = looks(
        ({}, {SHED: {SHED: 5}}), ({SHED: 4}, {SHED: {SHED: 7}}), ({SHED: 5}, {SHED: {SHED: 9}})
    )
    assert found == [False, False, True]


def test_every_sibling_that_is_linked_counts() -> None:
    """One that came later too, and one that is away again does not hold it up."""
    both: dict[int, Vector] = {SHED: {SHED: 5}, MILL: {SHED: 5, MILL: 3}}
    found = looks(({}, both), ({SHED: 5}, both), ({SHED: 5}, {SHED: {SHED: 5}}))
    assert found == [False, False, True]
    assert looks(({SHED: 5, MILL: 3}, both)) == [True]


def test_what_it_has_of_its_own_is_nothing_to_wait_for() -> None:
    """An empty herd is reached at once."""
    assert looks(({9: 1}, {SHED: {}})) == [True]


def test_a_sibling_that_joins_itself_is_nobody_to_be_level_with() -> None:
    """Two newcomers have each what the other has, and neither what the herd has."""
    levelling = Levelling()
    newcomer = state({9: 1, MILL: 1}, {MILL: {MILL: 1}})
    assert not levelling.look(newcomer, set())
    assert not levelling.look(newcomer, {SHED})


def test_what_a_sibling_had_counts_from_when_it_has_joined() -> None:
    """Before that it had not what the herd has."""
    levelling = Levelling()
    levelling.look(state({}, {MILL: {}}), set())
    joined: dict[int, Vector] = {MILL: {SHED: 5, MILL: 1}}
    assert not levelling.look(state({MILL: 1}, joined), {MILL})
    assert levelling.look(state({SHED: 5, MILL: 1}, joined), {MILL})
