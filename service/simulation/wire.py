"""One connection: what is sent on it arrives later, in order, or not at all."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from random import Random

from service.herd.codec import decode, encode
from service.herd.faults import WireFault
from service.herd.frames import FrameReader, framed
from service.herd.messages import Hello, Message
from service.simulation.process import Process
from service.simulation.rules import BrokenRule
from service.simulation.setting import Edge
from service.simulation.timeline import SECOND, Timeline

Arrive = Callable[[Process, int, Message], None]

LATEST_REPEAT = SECOND


class Wire:
    """A connection between two processes. `links` has each one's number for it.

    `delay` is the longest that a message takes, `repeats` how many come once more some time later,
    which no wire does, and which the protocol bears nevertheless. With `encoded`, bytes travel.
    """

    def __init__(
        self,
        edge: Edge,
        ends: Mapping[int, tuple[Process, int]],
        delay: int,
        encoded: bool,
        timeline: Timeline,
        random: Random,
        arrive: Arrive,
    ) -> None:
        self.edge = edge
        self.ends = ends
        self.delay = delay
        self.repeats = 0.0
        self.open = True
        self._due = dict.fromkeys(edge, 0)
        self._readers = {end: FrameReader() for end in edge} if encoded else None
        self._timeline = timeline
        self._random = random
        self._arrive = arrive

    def other(self, end: int) -> int:
        """The number of the node at the other end."""
        return self.edge[0] if end == self.edge[1] else self.edge[1]

    def send(self, sender: int, message: Message) -> None:
        """Put a message on the wire."""
        random = self._random
        carried = message if self._readers is None else framed(encode(message))
        timeline = self._timeline
        due = max(timeline.now + 1 + int(random.random() * self.delay), self._due[sender])
        self._due[sender] = due
        receiver = self.other(sender)
        timeline.later(due - timeline.now, self._deliver, receiver, carried, message)
        if self.repeats and random.random() < self.repeats and not isinstance(message, Hello):
            due += random.randrange(LATEST_REPEAT)
            timeline.later(due - timeline.now, self._deliver, receiver, carried, message)

    def hold(self, sender: int, moments: int) -> None:
        """Nothing that one end sends arrives for a while."""
        self._due[sender] = max(self._due[sender], self._timeline.now + moments)

    def drained(self, sender: int) -> int:
        """In how many moments all has arrived that one end has sent."""
        return max(0, self._due[sender] - self._timeline.now)

    def _deliver(self, receiver: int, carried: Message | bytes, message: Message) -> None:
        if not self.open:
            return
        process, link = self.ends[receiver]
        if isinstance(carried, bytes):
            self._decode(receiver, carried, message)
        self._arrive(process, link, message)

    def _decode(self, receiver: int, data: bytes, sent: Message) -> None:
        """Read a frame in two pieces, and find in it what was sent."""
        assert self._readers is not None
        reader = self._readers[receiver]
        cut = self._random.randrange(len(data))
        came: list[Message] = []
        try:
            for piece in (data[:cut], data[cut:]):
                reader.feed(piece)
                came += map(decode, reader.payloads())
        except WireFault as fault:
            raise BrokenRule("wire", f"{fault.code}: {fault} for {sent}") from fault
        if came != [sent]:
            raise BrokenRule("wire", f"{sent} was sent, and {came} came")
