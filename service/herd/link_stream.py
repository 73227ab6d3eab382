"""One link once both sides know each other: who has what, who sends what.

The law: nothing is said that is not committed. What is said of this node is `ours`, which comes in
with each call; what is acknowledged was committed before.
"""

from __future__ import annotations

from collections.abc import Mapping

from service.herd.deltas import Delta
from service.herd.link_actions import Action, Send
from service.herd.link_hoping import Asked, Content, Hope, hope_after_tick
from service.herd.link_receiving import Arrival, Receiver
from service.herd.link_roles import Cause, Manner, Role, meeting, prunes, role_after
from service.herd.link_sending import PARTS_AHEAD, Sender
from service.herd.messages import Applied, Graft, Have, Hello, Message, Portion, Prune
from service.herd.vectors import Vector, includes, joined

REMIND_TICKS = 300
"""Each minute the vector is told even if nothing changed: what somebody knows wrongly of a
neighbour, for whatever reason, is wrong for a minute."""


class LinkFault(Exception):
    """The peer did what it may not; the link is closed. `code` is for programs."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(text)
        self.code = code


_FAULTS: Mapping[Arrival, tuple[str, str]] = {
    Arrival.MISPLACED: (
        "portion.misplaced",
        "part {part} of delta {number} is not what follows what came before",
    ),
    Arrival.TOO_MANY: (
        "portion.too_many",
        "part {part} of delta {number} came before any of the {ahead} before it was acknowledged",
    ),
}


class Stream:
    """What two nodes say after the greeting.

    `theirs` is what the peer has for certain, `asked_at` the tick at which it was last asked.
    """

    def __init__(self, link: int, manner: Manner, peer: Hello, said: Vector) -> None:
        self.link = link
        self.peer = peer
        self.theirs = peer.vector
        self.sender = Sender(link)
        self.receiver = Receiver()
        self.hope: Hope = Content()
        self.asked_at = 0
        self._manner = manner
        self.role = role_after(manner, meeting(said, peer.vector))
        self._said = said
        self._silent = 0

    def have(self, message: Have, _ours: Vector) -> list[Action]:
        """The peer told what it has."""
        self._learn(message.vector)
        return []

    def portion(self, message: Portion, ours: Vector) -> list[Action]:
        """A part of a delta came; it waits in the receiver. Raises LinkFault."""
        arrival = self.receiver.arrive(message)
        if arrival in _FAULTS:
            code, text = _FAULTS[arrival]
            number, part = message.number, message.part
            raise LinkFault(code, text.format(number=number, part=part, ahead=PARTS_AHEAD))
        self._learn(message.delta.covers)
        repeated = arrival is Arrival.COMMITTED
        return [self._acknowledge(message, ours)] if repeated else []

    def applied(self, message: Applied, _ours: Vector) -> list[Action]:
        """The peer committed a part."""
        self._learn(message.vector)
        return self.sender.acknowledged(message.number, message.part, self.theirs)

    def prune(self, message: Prune, _ours: Vector) -> list[Action]:
        """The peer has it from others."""
        self._change(Cause.PRUNED)
        self.sender.stop(message.number)
        return []

    def graft(self, message: Graft, _ours: Vector) -> list[Action]:
        """The peer asks."""
        self._learn(message.vector)
        self._change(Cause.GRAFTED)
        return []

    def push(self, ours: Vector) -> list[Action]:
        """Begin a delta, if this link carries them, the peer lacks something, and it may begin."""
        if self.role is Role.LAZY or includes(self.theirs, ours):
            return []
        begun = self.sender.begin(self.theirs)
        if begun and self.role is Role.ASKED:
            self.role = Role.LAZY
        return begun

    def built(self, number: int, part: int, delta: Delta) -> list[Action]:
        """A part was read."""
        return self.sender.built(number, part, delta, self.theirs)

    def committed(self, portion: Portion, ours: Vector) -> list[Action]:
        """A part that came over this link is committed: say so."""
        self.receiver.committed(portion.number, portion.part)
        self._change(Cause.FRESH)
        return [self._acknowledge(portion, ours)]

    def duplicate(self, portion: Portion, ours: Vector) -> list[Action]:
        """The part to apply next brings nothing.

        `Prune` goes first: after the acknowledgement alone the peer would begin its next delta.
        """
        acknowledgement = self._acknowledge(portion, ours)
        if prunes(self._manner):
            return [*self.decline(portion.number), acknowledgement]
        self.receiver.committed(portion.number, portion.part)
        return [acknowledgement]

    def decline(self, number: int) -> list[Action]:
        """Want no more of a delta, since the same comes from others."""
        self._change(Cause.DUPLICATE)
        self.receiver.decline()
        return [Send(self.link, Prune(number))]

    def ask(self, wanted: Vector, ours: Vector, now: int) -> list[Action]:
        """Ask for what was heard of and did not come."""
        self.hope = Asked(wanted)
        self.asked_at = now
        self._change(Cause.GRAFTING)
        return [self._say(Graft(ours), ours)]

    def tick(self, ours: Vector) -> None:
        """An interval has passed."""
        self.sender.tick()
        self.receiver.tick()
        self.hope = hope_after_tick(self.hope, ours, self.theirs)
        self._silent += 1

    def tell(self, ours: Vector) -> list[Action]:
        """What is to be told at a tick: news, where no delta will bring them, or a reminder."""
        if not self._is_news(ours) and self._silent < REMIND_TICKS:
            return []
        return [self._say(Have(ours), ours)]

    def _is_news(self, ours: Vector) -> bool:
        """Whether the peer would learn something that it does not get anyway."""
        heard = self.role is Role.EAGER or ours == self._said
        return not heard and not includes(self.theirs, ours)

    def _acknowledge(self, portion: Portion, ours: Vector) -> Action:
        return self._say(Applied(portion.number, portion.part, ours), ours)

    def _say(self, message: Message, ours: Vector) -> Action:
        """Send a message that holds our vector."""
        self._said = ours
        self._silent = 0
        return Send(self.link, message)

    def _learn(self, vector: Vector) -> None:
        if not includes(self.theirs, vector):
            self.theirs = joined(self.theirs, vector)

    def _change(self, cause: Cause) -> None:
        self.role = role_after(self._manner, cause)
