"""The gate's connections: what is said when, and what ends them."""

from __future__ import annotations

from typing import Any

from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport

from service.identity.joining.messages import LARGEST
from service.transports.gate import GateFactory, GateLimits, Sayings

LIMITS = GateLimits(seconds=30, lines=3, connections=2)


class Wire(StringTransport):
    """What was written, and whether it was cut off."""

    is_cut = False

    def abortConnection(self) -> None:  # noqa: N802
        """Called by who cuts it off."""
        self.is_cut = True


class World:
    """A gate that answers each line with itself, in brackets."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.asked: list[bytes] = []
        self.factory = GateFactory(Sayings(b"hello\n", self.answer), self.clock, LIMITS)

    def answer(self, line: bytes) -> bytes:
        """Note it too."""
        self.asked.append(line)
        return b"[" + line + b"]\n"

    def connect(self) -> tuple[Any, Any]:
        """A newcomer's connection, and its wire."""
        connection: Any = self.factory.buildProtocol(None)
        wire: Any = Wire()  # type: ignore[no-untyped-call]
        connection.makeConnection(wire)
        return connection, wire


def test_the_gate_speaks_first_and_answers_line_by_line() -> None:
    """However the bytes come."""
    world = World()
    connection, wire = world.connect()
    assert wire.value() == b"hello\n"
    for piece in (b"on", b"e\ntwo\nth", b"ree\n"):
        connection.dataReceived(piece)
    assert wire.value() == b"hello\n[one]\n[two]\n[three]\n"
    assert not wire.disconnected


def test_who_has_had_its_time_is_cut_off_however_steadily_it_drips() -> None:
    """The time is for the connection, not for a line."""
    world = World()
    connection, wire = world.connect()
    for _second in range(29):
        world.clock.advance(1)
        connection.dataReceived(b".")
    assert not wire.is_cut
    world.clock.advance(1)
    assert wire.is_cut
    assert world.asked == []


def test_who_says_too_much_is_cut_off() -> None:
    """Too many lines, or one that is too long: nothing of it is answered."""
    world = World()
    connection, wire = world.connect()
    connection.dataReceived(b"x\n" * LIMITS.lines)
    assert not wire.is_cut
    connection.dataReceived(b"x\n")
    assert wire.is_cut
    assert len(world.asked) == LIMITS.lines
    other, long_wire = world.connect()
    other.dataReceived(b"x" * (LARGEST + 2))
    assert long_wire.disconnecting
    assert len(world.asked) == LIMITS.lines


def test_who_is_too_many_is_cut_off_until_others_have_gone() -> None:
    """Who is lost counts no more, and leaves no timer behind."""
    world = World()
    first, _wire = world.connect()
    second, _wire = world.connect()
    third, wire = world.connect()
    assert (wire.is_cut, wire.value()) == (True, b"")
    for each in (first, second, third):
        each.connectionLost()
    assert world.factory.connections == set()
    assert world.clock.getDelayedCalls() == []
    assert world.connect()[1].value() == b"hello\n"
