"""What a node has to do for its links, as values: the shell carries it out in this order.

`Build` and `Apply` are answered by an event (see `flood_events`); the others are not.
"""

from __future__ import annotations

from enum import Enum
from typing import NamedTuple, TypeAlias

from service.herd.messages import Message, Portion
from service.herd.vectors import Vector


class Blame(Enum):
    """Who has to do something about a closed link."""

    OURS = "ours"
    THEIRS = "theirs"
    NOBODYS = "nobody's"


class Send(NamedTuple):
    """Send a message."""

    link: int
    message: Message


class Build(NamedTuple):
    """Read one part of a delta: what is here and not at `above`.

    Part 0 takes a new snapshot, and whatever else was being read for this link is over. The parts
    after it come from the same snapshot, in order, each asked for when there is room for it.
    """

    link: int
    number: int
    part: int
    above: Vector


class Apply(NamedTuple):
    """Apply a part in one transaction. There is never more than one of these without its answer."""

    link: int
    portion: Portion


class Close(NamedTuple):
    """Close the connection, after what was sent. No event is needed when it has closed."""

    link: int
    blame: Blame
    code: str
    text: str


class Alarm(NamedTuple):
    """Something a person, or the shell, has to look at."""

    code: str
    text: str


Action: TypeAlias = Send | Build | Apply | Close | Alarm
