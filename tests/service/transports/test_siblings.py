"""Links between nodes: what is written at one comes to all, whatever happens to the connections."""

from __future__ import annotations

from random import Random

import pytest
from twisted.internet.defer import Deferred

from service.herd.link_sending import PARTS_AHEAD, RETRY_TICKS
from service.herd.status import Standing
from service.transports.outbox import PIECE_BYTES
from service.transports.siblings.terms import LinkLimits
from tests.service.herd.memory_store import MemoryHerdStore
from tests.service.transports.sibling_world import FULL, World

STREAMING = [Standing.EAGER]
RETRY = RETRY_TICKS * 0.2


@pytest.fixture
def world() -> World:
    """No nodes yet."""
    return World()


def noise(length: int, seed: int = 0) -> str:
    """A text that cannot be made smaller by much."""
    return Random(seed).randbytes(length // 2).hex()


def fill(store: MemoryHerdStore, rows: int, size: int = 20) -> None:
    """A country and its cities."""
    store.insert("country", 1, name="Germany")
    for key in range(rows):
        store.insert("city", key, country=1, name=f"{key}".ljust(size, "x"))


def test_what_is_written_on_one_side_comes_to_the_other(world: World) -> None:
    """Both ways over one connection, what was there before and what is written later."""
    a, b = world.node("a"), world.node("b", ["a"])
    a.insert("country", 1, name="Germany")
    b.insert("country", 2, name="France")
    world.run(1)
    a.insert("city", 1, country=2, name="Paris")
    b.update("country", 1, name="Deutschland")
    world.run(1)
    assert world.agreed()
    assert len(a.rows()) == 3
    assert world.standings("a") == world.standings("b") == STREAMING


def test_a_change_crosses_nodes_that_only_pass_it_on(world: World) -> None:
    """Of three nodes in a row the last one gets what the first one wrote."""
    a = world.node("a")
    world.node("b", ["a"])
    c = world.node("c", ["b"])
    world.run(1)
    a.insert("country", 1, name="Germany")
    world.run(1)
    assert c.rows() == a.rows()
    assert world.agreed()


def test_a_cut_link_comes_again_and_catches_up(world: World) -> None:
    """What was written meanwhile is not lost."""
    a, b = world.node("a"), world.node("b", ["a"])
    world.run(1)
    world.cut()
    a.insert("country", 1, name="Germany")
    b.insert("country", 2, name="France")
    assert world.standings("b") == [Standing.WAITING]
    world.run(2)
    assert world.agreed()
    assert world.standings("b") == STREAMING


def test_tries_come_less_often_and_never_end(world: World) -> None:
    """Nobody is there: the waits double up to half a minute; when somebody is, all is well."""
    b = world.node("b", ["a"])
    world.run(200)
    few = len(world.dials)
    assert 9 < few < 15
    [state] = world.siblings("b")
    assert state.standing is Standing.WAITING
    assert "nobody is there" in str(state.reason)
    a = world.node("a")
    a.insert("country", 1, name="Germany")
    world.run(31)
    assert b.rows() == a.rows()


def test_a_giant_delta_goes_in_parts_and_takes_little_memory(world: World) -> None:
    """The transport never holds more than it asks for, the peer never more than a few parts."""
    a, b = MemoryHerdStore(0, most_rows=50), MemoryHerdStore(1)
    fill(a, 1_500, 1_000)
    held: list[Deferred[None]] = []

    def wait() -> Deferred[None]:
        held.append(Deferred())
        return held[-1]

    b.before_apply = wait
    world.node("a", store=a)
    world.node("b", ["a"], b)
    for _ in range(100):
        world.run(0.2)
        sent = world.metric("a", "herdbook_deltas_total", direction="out")
        assert sent is not None
        assert sent <= b.applied + PARTS_AHEAD
        if held:
            held.pop().callback(None)
            world.pump()
    assert world.agreed()
    assert b.applied > 25
    assert max(end.most for end in world.ends) <= FULL + PIECE_BYTES
    assert [reading.closed for reading in a.readings] == [1]


def test_parts_that_are_read_in_threads_keep_their_order(world: World) -> None:
    """Small messages do not overtake a large one, either way."""
    limits = LinkLimits(inline_bytes=0)
    a = MemoryHerdStore(0, most_rows=20)
    fill(a, 200)
    world.node("a", store=a, limits=limits)
    b = world.node("b", ["a"], limits=limits)
    for key in range(20):
        b.insert("country", 100 + key, name=f"b{key}")
        world.run(0.2)
    world.run(2)
    assert world.agreed()
    assert world.standings("b") == STREAMING


def test_parts_do_not_overtake_each_other_in_threads(world: World) -> None:
    """Whichever thread ends first, parts go out and come in in their order."""
    a = MemoryHerdStore(0, most_rows=40)
    fill(a, 400, 1_000)
    world.node("a", store=a)
    world.node("b", ["a"])
    world.run(3)
    assert world.agreed()
    assert len(world.dials) == 1


def test_a_slow_wire_is_no_dead_one(world: World) -> None:
    """Who reads a little now and then keeps its link, however long a delta takes."""
    a = MemoryHerdStore(0)
    for key in range(400):
        a.insert("country", key, name=f"{key} {noise(1_200, key)}")
    world.node("a", store=a)
    world.node("b", ["a"])
    world.run(0.5)
    for end in world.open():
        end.moves = 2_000
    world.run(20)
    assert world.agreed()
    assert len(world.dials) == 1


def test_who_reads_nothing_loses_the_link(world: World) -> None:
    """After a while; then what waited for it is gone from memory, and it may come again."""
    a = world.node("a")
    world.node("b", ["a"])
    world.run(1)
    for end in world.open():
        end.is_reading = False
    a.insert("country", 1, name=noise(200_000))
    world.run(LinkLimits().stall_seconds - 1)
    assert len(world.dials) == 1
    world.run(10)
    assert len(world.dials) == 2
    assert world.agreed()


def test_who_says_nothing_for_minutes_is_dead(world: World) -> None:
    """A peer that vanished without closing is not waited for; in peace both remind each other."""
    world.node("a")
    world.node("b", ["a"])
    world.run(400)
    assert len(world.dials) == 1
    for end in world.open():
        end.is_reading = False
    world.run(LinkLimits().silent_seconds + 5)
    assert len(world.dials) == 2
    assert world.standings("b") == STREAMING


def test_a_database_that_cannot_be_read_is_tried_again(world: World) -> None:
    """Reading fails: an alarm; later a new delta."""
    a, b = world.node("a"), world.node("b", ["a"])
    world.run(1)
    a.insert("country", 1, name="Germany")
    a.reads_fail = True
    a.insert("country", 2, name="France")
    world.run(2)
    a.reads_fail = False
    world.run(5)
    assert world.agreed()
    assert len(b.rows()) == 2
    assert world.rooms["a"].state().alarms == ()


def test_an_alarm_tells_that_nothing_can_be_read(world: World) -> None:
    """Only the reading of deltas fails, and the node says so as long as it does."""
    a = world.node("a")
    a.insert("country", 1, name="Germany")
    a.reads_fail = True
    b = world.node("b", ["a"])
    world.run(2)
    [alarm] = world.rooms["a"].state().alarms
    assert alarm.code == "delta.not_read"
    a.reads_fail = False
    world.run(2 * RETRY)
    assert b.rows() == a.rows()


def test_a_node_waits_for_its_database(world: World) -> None:
    """The database is down at the start: no links, and the reason; then they come by themselves."""
    a = world.node("a")
    a.insert("country", 1, name="Germany")
    b = MemoryHerdStore(1)
    b.reads_fail = True
    world.node("b", ["a"], b)
    world.run(20)
    assert world.dials == []
    assert "does not say" in str(world.rooms["b"].problem())
    assert 3 < b.asked < 10
    b.reads_fail = False
    world.run(31)
    assert b.rows() == a.rows()
    assert world.rooms["b"].problem() is None


def test_both_dial_and_one_link_is_left(world: World) -> None:
    """The other connection is closed; its side rests, and dials again when the link is cut."""
    a = world.node("a", ["b"])
    b = world.node("b", ["a"])
    world.run(3)
    assert len(world.open()) == 2
    both = {*world.standings("a"), *world.standings("b")}
    assert both == {Standing.EAGER, Standing.COVERED}
    dials = len(world.dials)
    world.run(60)
    assert len(world.dials) == dials
    world.cut()
    a.insert("country", 1, name="Germany")
    world.run(3)
    assert b.rows() == a.rows()
    assert len(world.open()) == 2


def test_the_covered_side_dials_when_the_other_cannot(world: World) -> None:
    """The link that stayed was dialled by one node; when that one finds no way, the other does."""
    world.node("a", ["b"])
    world.node("b", ["a"])
    world.run(3)
    resting = "a" if Standing.COVERED in world.standings("a") else "b"
    world.unreachable.add(resting)
    world.cut()
    world.run(3)
    assert Standing.EAGER in world.standings(resting)
    assert len(world.open()) == 2


def test_after_a_link_the_next_try_comes_soon(world: World) -> None:
    """However long it took to reach a node once: when its link breaks, that counts no more."""
    world.node("b", ["a"])
    world.run(120)
    world.node("a")
    world.run(31)
    assert world.standings("b") == STREAMING
    world.cut()
    world.run(1)
    assert world.standings("b") == STREAMING


def test_a_node_that_calls_itself_waits_the_longest(world: World) -> None:
    """Nobody but the operator can mend that: it is told, and tried rarely."""
    world.node("a", ["a"])
    world.run(25)
    assert world.dials == ["a"]
    [state, *_] = world.siblings("a")
    assert state.standing is Standing.REFUSED
    assert "link.self" in str(state.reason)
    world.run(10)
    assert world.dials == ["a", "a"]


def test_a_clone_stops_both_and_says_what_to_do(world: World) -> None:
    """Two nodes of one origin: neither sends anything any more, and readiness tells."""
    world.node("a", store=MemoryHerdStore(0))
    copy = world.node("b", ["a"], MemoryHerdStore(0))
    world.run(1)
    for name in ("a", "b"):
        assert "give one of them a new origin" in str(world.rooms[name].problem())
        assert [alarm.code for alarm in world.rooms[name].state().alarms] == ["origin.cloned"]
    copy.insert("country", 1, name="Germany")
    world.run(40)
    assert world.stores["a"].rows() == {}


def test_a_node_with_a_new_origin_goes_on(world: World) -> None:
    """A copy gets an origin of its own: all links come back without a restart."""
    a = world.node("a")
    world.node("b", ["a"], MemoryHerdStore(0))
    c = world.node("c", ["b"], MemoryHerdStore(2))
    world.run(1)
    copy = world.stores["b"]
    copy.node.origin = 107
    copy.node.vector = {**copy.node.vector, 107: 0}
    world.run(40)
    assert world.rooms["a"].problem() is world.rooms["b"].problem() is None
    copy.insert("country", 1, name="Germany")
    world.run(1)
    assert c.rows() == copy.rows() == a.rows()


def test_who_is_met_is_noted_at_once(world: World) -> None:
    """On both sides: a node that stops right then has to keep what the other one lacks."""
    a, b = world.node("a"), world.node("b", ["a"])
    world.run(1)
    assert ([note.name for note in a.noted], [note.name for note in b.noted]) == (["b"], ["a"])


def test_what_siblings_have_is_noted_when_it_changes(world: World) -> None:
    """The database is told every few seconds, and not where there is nothing to tell."""
    a, b = world.node("a"), world.node("b", ["a"])
    a.insert("country", 1, name="Germany")
    world.run(12)
    known = {a.node.origin: 1, b.node.origin: 0}
    met = {b.node.origin: 0}
    assert [(note.name, note.vector) for note in a.noted] == [("b", met), ("b", known)]
    world.run(60)
    assert len(a.noted) == 2
    a.reads_fail = True
    b.insert("country", 2, name="France")
    world.run(6)
    a.reads_fail = False
    world.run(6)
    assert [note.vector[b.node.origin] for note in a.noted] == [0, 0, 1]


def test_the_state_says_who_lacks_how_much(world: World) -> None:
    """In changes, both ways, by name, origin and address."""
    a, b = world.node("a"), world.node("b", ["a"])
    world.run(1)
    b.applies_fail = True
    fill(a, 2)
    world.run(1)
    [there], [here] = world.siblings("b"), world.siblings("a")
    assert (there.address, there.name, there.origin) == ("a", "a", a.node.origin)
    assert (here.they_lack, here.we_lack, here.dialled) == (3, 0, False)
    assert there.we_lack == 1, "no more is told while a delta is on its way"
    plain = world.rooms["b"].state().as_plain()
    assert plain["siblings"] == [
        {
            "address": "a",
            "dialled": True,
            "state": "streaming, eager",
            "seconds": 2.0,
            "name": "a",
            "origin": a.node.origin,
            "they_lack": 0,
            "we_lack": 1,
            **dict.fromkeys(("reason", "again_seconds", "fingerprint")),
            "chosen": False,
            "schema": "1",
            "receiving": {"parts": 0, "rows": 0, "snapshot": False},
        }
    ]
    assert world.metric("b", "herdbook_links", state="eager") == 1


def test_a_node_that_stops_closes_its_links_and_dials_no_more(world: World) -> None:
    """Siblings see a link that was lost, and look for it; snapshots are given back."""
    a, b = MemoryHerdStore(1, most_rows=1), world.node("b")
    fill(a, 30)
    b.applies_fail = True
    world.node("a", ["b"], a)
    world.run(1)
    stopped = world.rooms["a"].stop()
    world.pump()
    assert stopped.called
    dials = len(world.dials)
    world.run(60)
    assert len(world.dials) == dials
    assert world.open() == []
    assert [reading.closed for reading in a.readings] == [1]
    assert b.forgotten == [1]
