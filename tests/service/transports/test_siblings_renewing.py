"""Nodes that were set back: they go on under a new origin, once for each start."""

from __future__ import annotations

import pytest
from twisted.internet.defer import Deferred

from service.herd.link_receiving import Progress
from service.herd.messages import Portion
from service.herd.status import Standing
from service.herd.vectors import Vector, joined
from tests.service.herd.memory_store import MemoryHerdStore
from tests.service.transports.sibling_world import World

NEW = 5_000


@pytest.fixture
def world() -> World:
    """No nodes yet."""
    return World()


def knowing(vector: Vector) -> MemoryHerdStore:
    """The database of another node, which has heard of others."""
    store = MemoryHerdStore(1)
    store.node.vector = {**store.node.vector, **vector}
    return store


def test_a_node_that_was_set_back_goes_on_under_a_new_origin(world: World) -> None:
    """It gets to know what it was, and its sibling what it writes from now on."""
    a = world.node("a")
    former = a.node.origin
    a.origins = [NEW]
    a.insert("country", 1, name="Germany")
    b = world.node("b", ["a"], knowing({former: 7}))
    world.run(3)
    assert a.node.origin == NEW
    assert a.node.vector[former] == 7
    a.insert("country", 2, name="France")
    world.run(3)
    assert ("country", (2,)) in b.rows()
    assert world.standings("a") == [Standing.EAGER]
    assert world.rooms["a"].problem() is None


def test_a_second_time_a_person_has_to_look_at_it(world: World) -> None:
    """A sibling that tells nonsense must not have us draw origins for ever."""
    a = world.node("a")
    a.origins = [NEW, NEW + 1]
    world.node("b", ["a"], knowing({a.node.origin: 7, NEW: 7}))
    world.run(10)
    assert a.node.origin == NEW
    assert "origin.restored" in str(world.rooms["a"].problem())


def test_where_no_origin_can_be_drawn_the_node_stands_still(world: World) -> None:
    """And says why; nothing is sent under the old one."""
    a = world.node("a")
    a.insert("country", 1, name="Germany")
    b = world.node("b", ["a"], knowing({a.node.origin: 7}))
    world.run(10)
    assert "origin.restored" in str(world.rooms["a"].problem())
    assert b.rows() == {}


class DrawsSlowly(MemoryHerdStore):
    """Has no new origin before the connection that wanted it has ended."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.drawn = Deferred[None]()

    async def renew(self, former: int) -> None:
        """See the port."""
        await self.drawn
        await super().renew(former)


def test_after_a_new_origin_the_next_try_comes_at_once(world: World) -> None:
    """What was refused for the old one waits no half a minute."""
    c = world.node("c", store=knowing({100: 7}))
    a = DrawsSlowly(0)
    a.origins = [NEW]
    assert a.node.origin == 100
    world.node("a", ["c"], a)
    world.run(1)
    assert world.standings("a") == [Standing.REFUSED]
    a.drawn.callback(None)
    world.run(1)
    assert a.node.origin == NEW
    a.insert("country", 1, name="Germany")
    world.run(1)
    assert ("country", (1,)) in c.rows()


def test_a_new_origin_that_somebody_gave_is_seen_by_a_node_that_writes_nothing(
    world: World,
) -> None:
    """It was no clone that met itself: nothing else has told the node."""
    a, b = world.node("a"), world.node("b", ["a"])
    world.run(1)
    b.node.origin = NEW
    b.node.vector = {**b.node.vector, NEW: 0}
    world.run(8)
    assert world.rooms["b"].state().origin == NEW
    a.insert("country", 1, name="Germany")
    world.run(1)
    assert b.rows() == a.rows()


class ReadsFirst(MemoryHerdStore):
    """Knows where it stands before it applies, as a transaction does, and not only after it."""

    async def apply(self, link: int, sender: int, portion: Portion) -> Vector:
        """The vector of before, and what the delta has brought."""
        before = dict(self.node.vector)
        return joined(before, await super().apply(link, sender, portion))


def test_what_was_begun_under_the_former_origin_tells_nothing_of_the_new_one(
    world: World,
) -> None:
    """The former one's last positions are not claimed where the node has lost them."""
    a, b = world.node("a"), world.node("b", ["a"], ReadsFirst(1))
    former = b.node.origin
    world.run(1)
    b.node.vector = {**b.node.vector, former: 3}
    held = b.hold()
    a.insert("country", 1, name="Germany")
    world.run(0.5)
    b.node.origin = NEW
    b.node.vector = {**b.node.vector, former: 0, NEW: 0}
    world.run(8)
    waiting, b.before_apply = held, None
    waiting.callback(None)
    world.run(8)
    assert world.rooms["b"].state().vector == b.node.vector
    assert b.node.vector[former] == 0


def test_how_far_a_delta_has_come_is_shown(world: World) -> None:
    """Parts and rows that are committed, while more of them come."""
    a = world.node("a", store=MemoryHerdStore(0, most_rows=2))
    for key in range(1, 9):
        a.insert("country", key, name=f"country {key}")
    b = world.node("b", ["a"])
    seen: set[Progress | None] = set()
    held = b.hold()
    for _step in range(30):
        world.run(0.1)
        seen.update(state.receiving for state in world.siblings("b"))
    waiting, b.before_apply = held, None
    waiting.callback(None)
    world.run(5)
    assert world.agreed()
    shown = [each for each in seen if each is not None]
    assert [(each.parts, each.rows, each.snapshot) for each in shown] == [(0, 0, False)]
    assert all(state.receiving is None for state in world.siblings("b"))
