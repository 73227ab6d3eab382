"""A node that says nothing more: another one runs with its origin, or it was set back."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from service.herd.flood_clones import MOST_RUNS, QUIET_TICKS
from service.herd.link import Link
from service.herd.link_actions import Action, Alarm, Blame, Close, Send
from service.herd.link_greeting import CLONED, Identity, judge
from service.herd.messages import Hello, Message, Refusal
from service.herd.vectors import Vector


class Halted(NamedTuple):
    """All links are closed, and new ones refused. `seen` is when the reason last showed itself.

    Who was set back goes on with a new origin only. Who has a copy goes on too when all the
    `copies`, the runs that showed this node's origin, have shown others, or have not greeted for
    long.
    """

    alarm: Alarm
    seen: int
    copies: frozenset[int] = frozenset()

    @property
    def looks(self) -> bool:
        """Whether the reason may go away by itself."""
        return self.alarm.code == CLONED

    def is_over(self, now: int) -> bool:
        """Whether it has gone away."""
        return self.looks and (not self.copies or now - self.seen >= QUIET_TICKS)


def halted_by(alarm: Alarm, message: Message, now: int) -> Halted:
    """What a message has shown."""
    copies = frozenset((message.run,) if isinstance(message, Hello) else ())
    return Halted(alarm, now, copies)


def open_halted(link: Link, ours: Vector, halted: Halted) -> list[Action]:
    """A connection is refused.

    The copy is told who this is, since it may have halted as well: else neither would greet.
    """
    if not halted.looks:
        return link.refuse(Blame.OURS, *halted.alarm)
    return [*link.open(ours), Send(link.number, Refusal(*halted.alarm))]


def look(us: Identity, message: Message, halted: Halted, now: int) -> Halted:
    """What is known of the copy after the first message over a connection that was refused."""
    if not isinstance(message, Hello):
        return halted
    if isinstance(judge(us, message), Alarm):
        known = halted.copies if len(halted.copies) < MOST_RUNS else frozenset[int]()
        return halted._replace(seen=now, copies=known | {message.run})
    return halted._replace(copies=halted.copies - {message.run})


def close_halted(links: Iterable[int], halted: Halted) -> list[Action]:
    """What was refused is closed when its first message has come."""
    return [Close(link, Blame.OURS, *halted.alarm) for link in links]
