"""Whoever sends what no sibling sends: its link ends with the reason, everything else goes on."""

from __future__ import annotations

import logging
from collections.abc import Callable

import pytest
from twisted.internet.address import IPv4Address

from service.herd.codec import encode
from service.herd.deltas import INSERT, Delta, DeltaRow, LogEntry
from service.herd.frames import framed
from service.herd.link_actions import Blame
from service.herd.messages import PROTOCOL, Applied, Have, Hello, Message, Portion, Prune, Refusal
from service.herd.status import Standing
from service.transports.siblings.connection import Ending
from service.transports.siblings.telling import Callers
from service.transports.siblings.terms import LinkLimits
from tests.service.herd.memory_store import MemoryHerdStore
from tests.service.transports.sibling_world import Stranger, World

HELLO = Hello(PROTOCOL, 999, 1, "mole", "1", {999: 1})


@pytest.fixture
def world() -> World:
    """A node with a sibling."""
    world = World()
    world.node("a")
    world.node("b", ["a"])
    world.run(1)
    return world


def delta(above: dict[int, int], covers: dict[int, int], **changes: object) -> Delta:
    """A delta that brings nothing but its vector."""
    return Delta(999, above, covers, (), ())._replace(**changes)  # type: ignore[arg-type]


def bytes_of(*messages: Message) -> bytes:
    """What goes over the wire."""
    return b"".join(framed(encode(message)) for message in messages)


def misplaced(part: int) -> bytes:
    """A greeting, and a part that nothing came before."""
    return bytes_of(HELLO, Portion(1, part, delta({}, {999: 1})))


WRONG_VECTOR = bytes([2]) + b"\x91\x81\xff\x01"
"""A message `Have` whose vector has the origin -1."""

CASES: dict[str, tuple[bytes, str]] = {
    "no frame": (b"GET / HTTP/1.1\r\n\r\n", "wire.flags"),
    "noise": (framed(b"\x93moo"), "wire.message"),
    "a large greeting": (b"\x00\x02\x00\x00\x00", "wire.size"),
    "a greeting that unpacks large": (framed(bytes([1]) + b"x" * 100_000), "wire.size"),
    "a frame beyond every limit": (bytes_of(HELLO) + b"\xff\xff\xff\xff\x00", "wire.size"),
    "a later protocol": (bytes_of(HELLO._replace(protocol=PROTOCOL + 1)), "protocol.unknown"),
    "a protocol nobody can read": (framed(b"\x01\x91\x09"), "wire.protocol"),
    "a wrong vector": (bytes_of(HELLO) + framed(WRONG_VECTOR), "wire.malformed"),
    "no greeting": (bytes_of(Have({})), "message.unexpected"),
    "two greetings": (bytes_of(HELLO, HELLO), "message.unexpected"),
    "a part from nowhere": (misplaced(3), "portion.misplaced"),
    "a delta above a gap": (
        bytes_of(HELLO, Portion(1, 0, delta({999: 5}, {999: 6}))),
        "portion.gap",
    ),
}


@pytest.mark.parametrize(("sent", "code"), CASES.values(), ids=CASES.keys())
def test_nonsense_ends_its_link_with_the_reason_and_no_other(
    world: World, sent: bytes, code: str
) -> None:
    """The stranger is told why; the state says so; siblings go on."""
    stranger = world.stranger("a")
    stranger.transport.write(sent)
    world.run(0.5)
    *_, refusal = stranger.messages
    assert isinstance(refusal, Refusal)
    assert refusal.code == code
    assert stranger.is_lost()
    [sibling, turned_away] = world.siblings("a")
    assert sibling.standing is Standing.EAGER
    assert turned_away.standing is Standing.REFUSED
    assert str(turned_away.reason).startswith(code)
    assert world.rooms["a"].problem() is None
    world.stores["b"].insert("country", 1, name="Germany")
    world.run(1)
    assert world.agreed()


def test_one_byte_at_a_time_is_read_as_well(world: World) -> None:
    """Frames may come in pieces of any size."""
    stranger = world.stranger("a")
    for each in bytes_of(HELLO):
        stranger.transport.write(bytes([each]))
        world.pump()
    assert [sibling.name for sibling in world.siblings("a")] == ["b", "mole"]


def test_a_refused_delta_ends_its_link_and_is_not_tried_again(world: World) -> None:
    """The database finds that no node can have sent it: the link ends, others are applied."""
    row_less = Delta(999, {}, {999: 1}, (), ())
    world.stores["a"].refuse_from = 999
    stranger = world.stranger("a")
    stranger.say(HELLO)
    stranger.say(Portion(1, 0, row_less))
    world.run(1)
    assert isinstance(stranger.messages[-1], Refusal)
    assert stranger.messages[-1].code == "delta.refused"
    world.stores["b"].insert("country", 1, name="Germany")
    world.run(1)
    assert world.agreed()
    assert world.rooms["a"].state().alarms == ()


def test_while_a_large_message_is_being_read_nothing_more_is_taken(world: World) -> None:
    """Who sends faster than threads can read has to wait; then all of it is taken, in order."""
    stranger = world.stranger("a")
    stranger.say(HELLO)
    world.run(1)
    world.stuck = True
    stranger.say(Have({origin: origin for origin in range(1_000, 11_000)}))
    world.pump()
    assert not stranger.transport.other.is_reading
    stranger.say(Have({1_000: 1_001}))
    world.run(1)
    assert Standing.REFUSED not in world.standings("a")
    world.stuck = False
    world.pump()
    assert stranger.transport.other.is_reading
    *_, mole = world.siblings("a")
    assert mole.we_lack == 1 + 1 + sum(range(1_000, 11_000))


def test_who_does_not_greet_is_sent_away(world: World) -> None:
    """A connection that says nothing has ten seconds."""
    stranger = world.stranger("a")
    world.run(LinkLimits().greeting_seconds - 1)
    assert not stranger.is_lost()
    assert Standing.GREETING in world.standings("a")
    world.run(2)
    assert stranger.is_lost()
    assert isinstance(stranger.messages[-1], Refusal)


def test_a_stranger_who_was_linked_is_no_more_among_those_turned_away(world: World) -> None:
    """What was wrong is over when the same name is linked."""
    stranger = world.stranger("a")
    stranger.say(HELLO._replace(protocol=0))
    world.run(1)
    assert Standing.REFUSED in world.standings("a")
    world.stranger("a").say(HELLO)
    world.run(1)
    assert Standing.REFUSED not in world.standings("a")


def test_there_are_only_so_many_connections() -> None:
    """Beyond the bound nobody is let in, and what is there stays."""
    world = World()
    world.node("a", limits=LinkLimits(links=2))
    strangers = [world.stranger("a") for _ in range(2)]
    assert world.rooms["a"].listener.buildProtocol(None) is None
    strangers[0].transport.loseWriteConnection()
    world.pump()
    assert world.rooms["a"].listener.buildProtocol(None) is not None


def test_a_peer_that_asks_without_end_and_never_reads_is_cut_off(world: World) -> None:
    """What waits for it is bounded in number."""
    stranger = world.stranger("a")
    stranger.say(HELLO)
    stranger.say(Portion(2, 0, Delta(999, {}, {}, (), ())))
    world.run(1)
    stranger.transport.is_reading = False
    for _ in range(20_000):
        stranger.say(Portion(1, 0, Delta(999, {}, {}, (), ())))
    world.pump()
    assert any("link.unread" in str(sibling.reason) for sibling in world.siblings("a"))
    world.run(LinkLimits().linger_seconds + LinkLimits().stall_seconds)
    assert stranger.is_lost()


@pytest.mark.parametrize(
    "over",
    [
        lambda stranger, _world: stranger.say(Prune(1)),
        lambda stranger, _world: stranger.transport.loseWriteConnection(),
        lambda _stranger, world: world.run(LinkLimits().reading_seconds),
    ],
    ids=["not wanted", "the link is lost", "nobody asks for more"],
)
def test_a_snapshot_is_given_back(over: Callable[[Stranger, World], None]) -> None:
    """Whatever ends a delta in the midst of its parts ends its reading, once."""
    world = World()
    store = MemoryHerdStore(0, most_rows=1)
    world.node("a", store=store, limits=LinkLimits(silent_seconds=10_000, stall_seconds=10_000))
    for key in range(30):
        store.insert("country", key, name=f"{key}")
    stranger = world.stranger("a")
    stranger.say(HELLO)
    world.run(1)
    [reading] = store.readings
    assert reading.closed == 0
    over(stranger, world)
    world.pump()
    assert reading.closed == 1


def test_a_snapshot_that_was_given_up_is_replaced_by_a_new_one() -> None:
    """Who asks again after long gets a new delta from its beginning."""
    world = World()
    store = MemoryHerdStore(0, most_rows=1)
    world.node("a", store=store, limits=LinkLimits(silent_seconds=10_000))
    for key in range(30):
        store.insert("country", key, name=f"{key}")
    stranger = world.stranger("a")
    stranger.say(HELLO)
    world.run(LinkLimits().reading_seconds + 1)
    stranger.say(Applied(1, 0, {}))
    world.run(5)
    portions = [(m.number, m.part) for m in stranger.messages if isinstance(m, Portion)]
    assert portions == [(1, 0), (1, 1), (1, 2), (1, 3), (2, 0), (2, 1), (2, 2), (2, 3)]


def test_the_rows_that_wait_for_a_lost_link_are_dropped_after_what_is_applied(
    world: World,
) -> None:
    """The database is told once that a link is gone, and not while it applies for it."""
    store = world.stores["a"]
    stranger = world.stranger("a")
    held = store.hold()
    stranger.say(HELLO)
    place = ("country", (9,))
    born = MemoryHerdStore(9)
    born.insert("country", 9, name="Spain")
    row = DeltaRow(*place, born.node.tables.states[place], whole=True)
    entry = LogEntry(999, 1, *place, INSERT, (), 1, 1, "mole")
    stranger.say(Portion(1, 0, Delta(999, {}, {999: 1}, (row,), (entry,), last=False)))
    world.run(1)
    stranger.transport.lose()
    world.pump()
    assert store.forgotten == []
    held.callback(None)
    world.pump()
    assert len(store.forgotten) == 1
    store.before_apply = None
    world.stores["b"].insert("country", 1, name="Germany")
    world.run(1)
    assert store.rows()["country", (1,)]["name"] == "Germany"


def test_a_value_that_no_message_can_hold_ends_the_link_and_says_whose_fault_it_is(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    """It is a mistake of the node that sends: it says so, and tries it rarely."""
    stranger = world.stranger("a")
    stranger.say(HELLO)
    world.run(1)
    store = world.stores["b"]
    store.node.insert(("country", (5,)), {"id": 5, "name": object()}, 1)
    store.seal()
    world.run(1)
    [state] = world.siblings("b")
    assert state.standing is Standing.REFUSED
    assert str(state.reason).startswith("wire.value")
    assert state.again_seconds is not None
    assert state.again_seconds > 25
    assert any("wire.value" in record.getMessage() for record in caplog.records)
    assert not stranger.is_lost()


def test_strangers_from_many_addresses_do_not_fill_the_log(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    """Each is told once a minute, and all together two hundred times."""
    caplog.set_level(logging.WARNING, "herdbook.herd")
    callers, ending = Callers(), Ending(Blame.THEIRS, "tls.broken", "noise")
    for number in range(300):
        stranger = world.rooms["a"].listener.buildProtocol(
            IPv4Address("TCP", f"10.0.{number % 256}.{number // 256}", 1)
        )
        for _ in range(3):
            callers.ended(stranger, None, ending, 1.0)
    assert len(caplog.messages) == 200
    assert len(list(callers.states(2.0))) == 20
    callers.ended(stranger, None, ending, 62.0)
    assert len(caplog.messages) == 201
