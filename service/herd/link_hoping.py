"""What a node heard of and has not got: how long it hopes for it before it asks.

    content --the peer has more--> hoping --some ticks--> asked --it came--> content

What was hoped for is kept as it was first heard of. Under a steady stream of changes the peer is
always ahead by the newest, and that alone is no reason to ask.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple, TypeAlias

from service.herd.vectors import Vector, includes, joined, missing

GRAFT_TICKS = 3
"""Lazy links tell of a change at the next tick; over the tree it takes a commit for each node on
the way. Half a second is above that for a few dozen of them, and is what a cut costs once."""

ANSWER_TICKS = 10
"""After two seconds without what was asked for, somebody else is asked."""


class Content(NamedTuple):
    """The peer has nothing that is not here."""


class Hoping(NamedTuple):
    """The peer has this; it may come from anybody."""

    wanted: Vector
    ticks: int = 0


class Asked(NamedTuple):
    """The peer has this, and was asked for it."""

    wanted: Vector
    ticks: int = 0


Hope: TypeAlias = Content | Hoping | Asked


def hope_after_tick(hope: Hope, ours: Vector, theirs: Vector) -> Hope:
    """An interval has passed, and this is what both have now."""
    if not isinstance(hope, Content) and not includes(ours, hope.wanted):
        return hope._replace(ticks=hope.ticks + 1)
    return Content() if includes(ours, theirs) else Hoping(theirs)


def impatient(hope: Hope) -> Vector | None:
    """What has been waited for long enough."""
    match hope:
        case Hoping(wanted, ticks) if ticks >= GRAFT_TICKS:
            return wanted
        case Asked(wanted, ticks) if ticks >= ANSWER_TICKS:
            return wanted
    return None


def expected(hope: Hope) -> Vector | None:
    """What an answer will bring that is still waited for."""
    return hope.wanted if isinstance(hope, Asked) and hope.ticks < ANSWER_TICKS else None


def lightened(ours: Vector, coming: Vector, wanted: Vector) -> bool:
    """Whether something of what is wanted is coming already; to ask would bring it twice."""
    return missing(joined(ours, coming), wanted) < missing(ours, wanted)


def all_of(vectors: Iterable[Vector | None]) -> Vector:
    """What some vectors have together, left out those that are not there."""
    together: Vector = {}
    for vector in vectors:
        together = joined(together, vector or {})
    return together
