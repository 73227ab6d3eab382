"""Copies of one node: whether they meet each other or only a third one, somebody tells."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pytest

from service.herd.flood_clones import QUIET_TICKS
from service.herd.status import SiblingState, Standing
from service.transports.siblings.dialling import LONGEST_WAIT
from service.transports.siblings.terms import LinkLimits
from tests.service.herd.memory_store import MemoryHerdStore
from tests.service.transports.sibling_world import World

NEW = 5_000
QUIET = QUIET_TICKS * LinkLimits().tick_seconds
BACK = QUIET + LONGEST_WAIT + 1
SOON = LinkLimits().note_seconds + 2 * LONGEST_WAIT + 2
CLONED = ["origin.cloned"]

WAYS: Mapping[str, Mapping[str, Sequence[str]]] = {
    "both dial it": {"barn": ["hub"], "copy": ["hub"]},
    "it dials both": {"hub": ["barn", "copy"]},
    "it dials the one": {"hub": ["barn"], "copy": ["hub"]},
    "it dials the other": {"hub": ["copy"], "barn": ["hub"]},
    "everybody dials": {"hub": ["barn", "copy"], "barn": ["hub"], "copy": ["hub"]},
}


@pytest.fixture
def world() -> World:
    """No nodes yet."""
    return World()


def two_copies(world: World, dials: Mapping[str, Sequence[str]]) -> None:
    """Two nodes of one origin that meet only by way of a third, which has another sibling."""
    world.node("hub", dials.get("hub", ()), MemoryHerdStore(1))
    world.node("other", ["hub"], MemoryHerdStore(2))
    world.node("barn", dials.get("barn", ()), MemoryHerdStore(0))
    world.node("copy", dials.get("copy", ()), MemoryHerdStore(0))


def renew(world: World, name: str) -> None:
    """Somebody gives a node another origin."""
    node = world.stores[name].node
    node.origin = NEW
    node.vector = {**node.vector, NEW: 0}


def alarms(world: World, name: str) -> list[str]:
    """What is wrong at a node."""
    return [alarm.code for alarm in world.rooms[name].state().alarms]


def linked(world: World, name: str) -> set[str | None]:
    """Who is linked with a node."""
    return {each.name for each in world.siblings(name) if _streams(each)}


def _streams(state: SiblingState) -> bool:
    return state.standing in (Standing.EAGER, Standing.LAZY)


@pytest.mark.parametrize("dials", WAYS.values(), ids=WAYS.keys())
def test_two_copies_that_meet_only_a_third_node_are_told_by_it(
    world: World, dials: Mapping[str, Sequence[str]]
) -> None:
    """Whoever dials: neither is linked while both run, and everybody else goes on."""
    two_copies(world, dials)
    world.run(5)
    for _ in range(10):
        assert alarms(world, "hub") == CLONED
        assert linked(world, "hub") == {"other"}
        world.run(LONGEST_WAIT)
    [alarm] = world.rooms["hub"].state().alarms
    assert ": barn and copy. " in alarm.text
    assert "herdbook herd new-origin --dir … --yes" in alarm.text
    assert world.rooms["hub"].problem() is None, "it has not halted"
    world.stores["hub"].insert("country", 1, name="Germany")
    world.run(1)
    assert world.stores["other"].rows() == world.stores["hub"].rows()
    assert world.stores["copy"].rows() == {}
    for name in {"barn", "copy"} & dials.keys():
        state, *_ = world.siblings(name)
        assert state.standing is Standing.REFUSED
        assert alarm.text in str(state.reason)


@pytest.mark.parametrize("dials", WAYS.values(), ids=WAYS.keys())
def test_with_a_new_origin_both_are_linked_and_the_alarm_ends(
    world: World, dials: Mapping[str, Sequence[str]]
) -> None:
    """Without a restart of anything, and soon; what any of them writes comes to all."""
    two_copies(world, dials)
    world.run(5)
    renew(world, "copy")
    world.run(SOON)
    assert alarms(world, "hub") == []
    assert linked(world, "hub") == {"other", "barn", "copy"}
    world.stores["barn"].insert("country", 1, name="Germany")
    world.stores["copy"].insert("country", 2, name="France")
    world.run(2)
    rows = world.stores["hub"].rows()
    assert len(rows) == 2
    assert all(store.rows() == rows for store in world.stores.values())


def test_a_node_whose_copy_got_another_origin_goes_on_by_itself(world: World) -> None:
    """They were linked with each other, and both have stopped: neither has to be started again."""
    barn = world.node("barn", store=MemoryHerdStore(0))
    copy = world.node("copy", ["barn"], MemoryHerdStore(0))
    world.node("other", ["barn"], MemoryHerdStore(2))
    world.run(3 * BACK)
    assert alarms(world, "barn") == alarms(world, "copy") == CLONED
    assert linked(world, "other") == set()
    renew(world, "copy")
    world.run(SOON)
    assert world.rooms["barn"].problem() is None
    assert linked(world, "barn") == {"other", "copy"}
    copy.insert("country", 1, name="Germany")
    world.run(1)
    assert world.stores["other"].rows() == barn.rows() == copy.rows()


def test_a_copy_that_is_stopped_leaves_the_other_linked_again(world: World) -> None:
    """At the third node, which cannot know more than that nobody else comes any more."""
    two_copies(world, WAYS["both dial it"])
    world.run(5)
    world.rooms["copy"].stop()
    world.run(QUIET / 2)
    assert alarms(world, "hub") == CLONED
    world.run(BACK)
    assert alarms(world, "hub") == []
    assert linked(world, "hub") == {"other", "barn"}


def test_a_restarted_node_is_no_copy(world: World) -> None:
    """Whoever dials, and however often."""
    store = MemoryHerdStore(0)
    world.node("hub", ["barn"], MemoryHerdStore(1))
    for _ in range(6):
        world.node("barn", ["hub"], store)
        world.run(3)
        assert linked(world, "hub") == {"barn"}
        assert alarms(world, "hub") == []
        world.rooms["barn"].stop()
        world.pump()
