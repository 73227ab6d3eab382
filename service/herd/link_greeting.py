"""What a node makes of the first message of another."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

from service.herd.link_actions import Alarm, Blame
from service.herd.messages import PROTOCOL, Applied, Graft, Have, Hello, Message, Portion
from service.herd.vectors import Vector

CLONED = "origin.cloned"
RESTORED = "origin.restored"
REMEDY = "at the copy run `herdbook herd new-origin --dir … --yes`"

_LONGEST_NAME = 40


class Identity(NamedTuple):
    """Who a node is. `run` is a number drawn at each start; a new origin leaves it as it is."""

    origin: int
    run: int
    name: str
    schema: str

    def hello(self, vector: Vector) -> Hello:
        """The first message of this node."""
        return Hello(PROTOCOL, self.origin, self.run, self.name, self.schema, vector)


class Refused(NamedTuple):
    """Why a link ends at the greeting."""

    blame: Blame
    code: str
    text: str


Judgement = Refused | Alarm | None


def judge(us: Identity, hello: Hello) -> Judgement:
    """What stands against talking to this node; None: nothing does."""
    found = (check(us, hello) for check in _CHECKS)
    return next((judgement for judgement in found if judgement is not None), None)


def shown(name: str) -> str:
    """A name that somebody sent, fit for a line that tells what to do."""
    return "".join(sign if sign.isprintable() else "?" for sign in name[:_LONGEST_NAME])


def knows_more_of_us(us: Identity, ours: Vector, message: Message) -> Alarm | None:
    """The alarm, if others have more of what this node wrote than it has itself.

    Then it was set back to an earlier state, and would give the same positions to other changes.
    """
    read = _VECTORS.get(type(message))
    told = 0 if read is None else read(message).get(us.origin, 0)
    has = ours.get(us.origin, 0)
    if told <= has:
        return None
    return Alarm(
        RESTORED,
        f"others know {told} changes of this node (origin {us.origin}), it has {has} itself: it was"
        " restored from an older copy. It needs a new origin before it may send or write.",
    )


def _another_protocol(_us: Identity, hello: Hello) -> Judgement:
    if hello.protocol == PROTOCOL:
        return None
    newer = hello.protocol > PROTOCOL
    return Refused(
        Blame.OURS if newer else Blame.THEIRS,
        "protocol.unknown",
        f"{hello.name} speaks protocol {hello.protocol}, this node {PROTOCOL}:"
        f" upgrade {'this node' if newer else hello.name}",
    )


def _ourselves(us: Identity, hello: Hello) -> Judgement:
    if (hello.origin, hello.run) != (us.origin, us.run):
        return None
    return Refused(Blame.OURS, "link.self", "this address leads back to this node itself")


def _our_copy(us: Identity, hello: Hello) -> Judgement:
    if hello.origin != us.origin:
        return None
    return Alarm(
        CLONED,
        f"{shown(hello.name)} has the same origin {us.origin} as this node: one is a copy of the"
        f" other. Both have stopped sending; give one of them a new origin: {REMEDY}.",
    )


_CHECKS = (_another_protocol, _ourselves, _our_copy)

_VECTORS: Mapping[type, Callable[..., Vector]] = {
    Hello: lambda hello: hello.vector,
    Have: lambda have: have.vector,
    Graft: lambda graft: graft.vector,
    Applied: lambda applied: applied.vector,
    Portion: lambda portion: portion.delta.covers,
}
