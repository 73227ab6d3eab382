"""A node whose database takes no writes: it says so, until it does."""

from __future__ import annotations

from tests.service.transports.sibling_world import World
from tests.service.transports.test_siblings import RETRY


def test_a_full_disk_holds_up_and_is_told_until_it_is_mended() -> None:
    """An alarm that stays, and the node is not ready; it is tried again, and then that is over."""
    world = World()
    a, b = world.node("a"), world.node("b", ["a"])
    b.applies_fail = True
    a.insert("country", 1, name="Germany")
    world.run(3)
    [alarm] = world.rooms["b"].state().alarms
    assert alarm.code == "delta.not_applied"
    assert "disk is full" in alarm.text
    assert world.metric("b", "herdbook_herd_alarms") == 1
    assert world.rooms["b"].problem() == "what siblings send cannot be written: the disk is full"
    b.applies_fail = False
    world.run(2 * RETRY)
    assert world.agreed()
    assert world.rooms["b"].state().alarms == ()
    assert world.rooms["b"].problem() is None


def test_a_full_disk_is_no_matter_of_siblings_that_are_away() -> None:
    """Whether there is room by now nobody knows until something is written."""
    world = World()
    a, b = world.node("a"), world.node("b", ["a"])
    b.applies_fail = True
    a.insert("country", 1, name="Germany")
    world.run(3)
    assert world.rooms["b"].problem() is not None
    world.rooms["a"].stop()
    world.run(3)
    assert world.rooms["b"].problem() is None
