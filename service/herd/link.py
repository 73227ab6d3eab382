"""One connection between two nodes, without I/O: messages in, actions out.

    greeting --Hello--> streaming --Refusal, fault--> closed

What a state allows stands in one table; a message that is not in it is the peer's fault.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import Enum
from typing import TypeAlias

from service.herd.admission import Bearer
from service.herd.link_actions import Action, Alarm, Blame, Close, Send
from service.herd.link_greeting import Identity, Refused, judge, knows_more_of_us
from service.herd.link_roles import Manner
from service.herd.link_stream import LinkFault, Stream
from service.herd.messages import (
    Applied,
    Graft,
    Have,
    Hello,
    Message,
    Portion,
    Prune,
    Refusal,
)
from service.herd.vectors import Vector


class Phase(Enum):
    """The states that own nothing."""

    GREETING = "greeting"
    CLOSED = "closed"


State: TypeAlias = Phase | Stream


class Link:
    """A connection. `ours` is always what this node has committed.

    `bearer` has shown a certificate, if links have certificates.
    """

    def __init__(
        self,
        number: int,
        us: Identity,
        dialled: bool,
        manner: Manner,
        bearer: Bearer | None = None,
    ) -> None:
        self.number = number
        self.dialled = dialled
        self.bearer = bearer
        self.state: State = Phase.GREETING
        self._us = us
        self._manner = manner
        self._said: Vector = {}

    @property
    def stream(self) -> Stream | None:
        """What the link is once both sides know each other."""
        return self.state if isinstance(self.state, Stream) else None

    def open(self, ours: Vector) -> list[Action]:
        """The connection is there: say who this is."""
        self._said = ours
        return [Send(self.number, self._us.hello(ours))]

    def receive(self, message: Message, ours: Vector) -> list[Action]:
        """A message came. An alarm among the actions concerns the whole node."""
        if self.state is Phase.CLOSED:
            return []
        try:
            return self._heard(message, ours)
        except LinkFault as fault:
            return self.refuse(Blame.THEIRS, fault.code, str(fault))

    def refuse(self, blame: Blame, code: str, text: str) -> list[Action]:
        """Say why, and close."""
        self.state = Phase.CLOSED
        refusal = Send(self.number, Refusal(code, text))
        return [refusal, Close(self.number, blame, code, text)]

    def _heard(self, message: Message, ours: Vector) -> list[Action]:
        if isinstance(message, Refusal):
            self.state = Phase.CLOSED
            return [Close(self.number, Blame.OURS, message.code, message.text)]
        if isinstance(message, Hello) and self.state is Phase.GREETING:
            return self._greeted(message, ours)
        stream, handler = self.stream, _STREAMING.get(type(message))
        if stream is None or handler is None:
            raise LinkFault("message.unexpected", f"{_name(message)} while {self._state_name()}")
        alarm = knows_more_of_us(self._us, ours, message)
        return [alarm] if alarm else handler(stream, message, ours)

    def _greeted(self, hello: Hello, ours: Vector) -> list[Action]:
        match judge(self._us, hello) or knows_more_of_us(self._us, ours, hello):
            case Refused(blame, code, text):
                return self.refuse(blame, code, text)
            case Alarm() as alarm:
                return [alarm]
        self.state = Stream(self.number, self._manner, hello, self._said)
        return []

    def _state_name(self) -> str:
        return "streaming" if isinstance(self.state, Stream) else self.state.value


def _name(message: Message) -> str:
    return type(message).__name__


_STREAMING: Mapping[type, Callable[..., list[Action]]] = {
    Have: Stream.have,
    Portion: Stream.portion,
    Applied: Stream.applied,
    Prune: Stream.prune,
    Graft: Stream.graft,
}
