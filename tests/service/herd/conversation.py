"""A node, and somebody who plays all its neighbours: events in, what it does in readable lines."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from service.herd.deltas import Delta
from service.herd.flood import Flood
from service.herd.flood_events import (
    ApplyFailed,
    BuildFailed,
    Built,
    Committed,
    Event,
    Grown,
    LinkOpened,
    Received,
    Ticked,
)
from service.herd.link_actions import Action, Alarm, Apply, Build, Close, Send
from service.herd.link_greeting import Identity
from service.herd.link_roles import Manner
from service.herd.messages import PROTOCOL, Applied, Hello, Message, Portion, Prune, Refusal
from service.herd.vectors import Vector
from tests.service.herd.toy import entry

US = Identity(1, 100, "ours", "7")


def hello(
    origin: int, vector: Vector | None = None, run: int = 500, protocol: int = PROTOCOL
) -> Hello:
    """The greeting of a neighbour."""
    return Hello(protocol, origin, run, f"node-{origin}", "7", vector or {})


def delta(above: Vector, covers: Vector, sender: int = 2, last: bool = True) -> Delta:
    """A delta, or a part of one."""
    origin = next(iter(covers), sender)
    return Delta(sender, above, covers, (), (entry(origin, covers.get(origin, 0)),), last)


class Conversation:
    """One node. Every method returns what the node does, a line for each action."""

    def __init__(self, vector: Vector | None = None, manner: Manner = Manner.TREE) -> None:
        self.flood = Flood(US, vector or {}, manner)

    def event(self, event: Event) -> list[str]:
        """Anything."""
        return [told(action) for action in self.flood.handle(event)]

    def meet(self, link: int, greeting: Message, dialled: bool = True) -> list[str]:
        """A link opens, and the neighbour greets."""
        return self.event(LinkOpened(link, dialled)) + self.hear(link, greeting)

    def hear(self, link: int, message: Message) -> list[str]:
        """A message comes."""
        return self.event(Received(link, message))

    def portion(self, link: int, of: Delta, number: int = 1, part: int = 0) -> list[str]:
        """A part of a delta comes."""
        return self.hear(link, Portion(number, part, of))

    def acknowledge(self, link: int, vector: Vector, number: int = 1, part: int = 0) -> list[str]:
        """The neighbour has committed a part."""
        return self.hear(link, Applied(number, part, vector))

    def grow(self, vector: Vector) -> list[str]:
        """Something was written here."""
        return self.event(Grown(vector))

    def built(self, link: int, of: Delta, number: int = 1, part: int = 0) -> list[str]:
        """A part was read."""
        return self.event(Built(link, number, part, of))

    def not_built(self, link: int, number: int = 1) -> list[str]:
        """A part could not be read."""
        return self.event(BuildFailed(link, number, "no connection"))

    def committed(self, link: int, vector: Vector, number: int = 1, part: int = 0) -> list[str]:
        """A part is applied."""
        return self.event(Committed(link, number, part, vector))

    def not_applied(self, link: int, number: int = 1, part: int = 0) -> list[str]:
        """A part could not be applied."""
        return self.event(ApplyFailed(link, number, part, "disk full"))

    def tick(self, times: int = 1) -> list[str]:
        """Intervals pass."""
        return [line for _ in range(times) for line in self.event(Ticked())]


def told(action: Action) -> str:
    """An action as a line; parts are written as number.part."""
    return _LINES[type(action)](action)


def vector_text(vector: Vector) -> str:
    """A vector as a word, as in 1:4,2:7."""
    return ",".join(f"{origin}:{position}" for origin, position in sorted(vector.items())) or "-"


def _message(message: Message) -> str:
    match message:
        case Portion(number, part, of):
            return f"Portion {number}.{part} up to {vector_text(of.covers)}"
        case Applied(number, part, vector):
            return f"Applied {number}.{part} at {vector_text(vector)}"
        case Prune(number):
            return f"Prune {number}"
        case Refusal(code, _text):
            return f"Refusal {code}"
    return f"{type(message).__name__} {vector_text(message.vector)}"


def _send(action: Send) -> str:
    return f"to {action.link}: {_message(action.message)}"


def _build(action: Build) -> str:
    return (
        f"build {action.number}.{action.part} for {action.link} above {vector_text(action.above)}"
    )


def _apply(action: Apply) -> str:
    return f"apply {action.portion.number}.{action.portion.part} of {action.link}"


def _close(action: Close) -> str:
    return f"close {action.link}: {action.code}, {action.blame.value} to mend"


def _alarm(action: Alarm) -> str:
    return f"alarm {action.code}"


_LINES: Mapping[type[Action], Callable[..., str]] = {
    Send: _send,
    Build: _build,
    Apply: _apply,
    Close: _close,
    Alarm: _alarm,
}
