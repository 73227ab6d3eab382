"""The delta on its way to one peer. There is one at most: everything newer gathers into the next.

    resting --begin--> building --built--> building | full | sent --acknowledged--> resting
                          |                                |
                          +--failed, or not needed--> pausing <--not kept--+

A delta is read part by part, so that neither end ever holds more than a few of them.
"""

from __future__ import annotations

from typing import NamedTuple, TypeAlias

from service.herd.deltas import Delta
from service.herd.link_actions import Action, Build, Send
from service.herd.messages import Portion
from service.herd.vectors import Vector, includes

PARTS_AHEAD = 4
"""Parts without acknowledgement: one is being applied, one waits there, and two cover the time that
the wire takes. Times the size of a part, this is what one link may hold in memory at each end."""

RETRY_TICKS = 5
"""How long a delta that could not be read, or was not kept, rests: a second, long enough for a
database that comes back, short enough that nobody notices."""


class Flight(NamedTuple):
    """A delta and how far it has come: how many parts were sent, how many acknowledged."""

    number: int
    above: Vector
    covers: Vector
    sent: int = 0
    acknowledged: int = 0


class Resting(NamedTuple):
    """Nothing is on its way."""


class Building(NamedTuple):
    """A part is being read."""

    flight: Flight


class Full(NamedTuple):
    """There is more to read, and no room for it on the way."""

    flight: Flight


class Sent(NamedTuple):
    """All parts are sent, and not all acknowledged."""

    flight: Flight


class Pausing(NamedTuple):
    """The next delta has to wait for some ticks."""

    ticks: int


Sending: TypeAlias = Resting | Building | Full | Sent | Pausing


class Sender:
    """One direction of one link."""

    def __init__(self, link: int) -> None:
        self._link = link
        self._last = 0
        self.state: Sending = Resting()

    def begin(self, above: Vector) -> list[Action]:
        """Begin a delta, if nothing is on its way."""
        if not isinstance(self.state, Resting):
            return []
        self._last += 1
        return self._build(Flight(self._last, above, above))

    def built(self, number: int, part: int, delta: Delta, theirs: Vector) -> list[Action]:
        """A part was read: send it, unless the peer has got it all meanwhile."""
        match self.state:
            case Building(flight) if (flight.number, flight.sent) == (number, part):
                if part == 0 and includes(theirs, delta.covers):
                    self.state = Pausing(1)
                    return []
                after = flight._replace(sent=part + 1, covers=delta.covers)
                return [Send(self._link, Portion(number, part, delta)), *self._ahead(after, delta)]
        return []

    def failed(self, number: int) -> None:
        """A part could not be read; the peer will get a new delta in place of this one."""
        if isinstance(self.state, Building) and self.state.flight.number == number:
            self.state = Pausing(RETRY_TICKS)

    def acknowledged(self, number: int, part: int, theirs: Vector) -> list[Action]:
        """The peer has committed a part, and all before it. Others than ours mean nothing."""
        flight = self._flight(number)
        if flight is None or not flight.acknowledged <= part < flight.sent:
            return []
        after = flight._replace(acknowledged=part + 1)
        match self.state:
            case Full():
                return self._build(after)
            case Sent() if after.acknowledged == after.sent:
                kept = includes(theirs, after.covers)
                self.state = Resting() if kept else Pausing(RETRY_TICKS)
            case Sent():
                self.state = Sent(after)
            case _:
                self.state = Building(after)
        return []

    def stop(self, number: int) -> None:
        """The peer wants no more of a delta."""
        if self._flight(number) is not None:
            self.state = Pausing(1)

    def tick(self) -> None:
        """An interval has passed."""
        if isinstance(self.state, Pausing):
            left = self.state.ticks - 1
            self.state = Pausing(left) if left > 0 else Resting()

    def _ahead(self, flight: Flight, delta: Delta) -> list[Action]:
        """What follows a part that was sent."""
        if delta.last:
            self.state = Sent(flight)
            return []
        if flight.sent - flight.acknowledged < PARTS_AHEAD:
            return self._build(flight)
        self.state = Full(flight)
        return []

    def _build(self, flight: Flight) -> list[Action]:
        self.state = Building(flight)
        return [Build(self._link, flight.number, flight.sent, flight.above)]

    def _flight(self, number: int) -> Flight | None:
        """The delta on its way, if it is this one."""
        match self.state:
            case Building(flight) | Full(flight) | Sent(flight) if flight.number == number:
                return flight
        return None
