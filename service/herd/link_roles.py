"""What a link is for: it carries deltas (eager), or only tells what there is (lazy).

Eager links become a tree by themselves: who gets a delta twice makes the second way lazy, who hears
of something that does not come makes the way it heard of it eager. Both ends do so, the one because
it says it and the other because it is told.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum

from service.herd.vectors import Vector, missing

FAR = 1000
"""Two nodes that differ by more positions begin lazily: who lacks much asks one neighbour for it,
instead of being sent it by all. Below that a delta is a message or two, and waiting costs more."""


class Role(Enum):
    """What is sent on a link without being asked for."""

    EAGER = "eager"
    LAZY = "lazy"
    ASKED = "lazy, and one delta was asked for"


class Cause(Enum):
    """What makes a link change its role."""

    MET_NEAR = "both have nearly the same"
    MET_FAR = "one lacks much"
    FRESH = "a delta brought something"
    DUPLICATE = "a delta brought nothing"
    PRUNED = "the peer has it from others"
    GRAFTED = "the peer asked"
    GRAFTING = "we asked"


class Manner(Enum):
    """How a herd spreads changes. `TREE` is meant; the others show that it is only faster."""

    TREE = "eager and lazy links"
    EVERY_LINK = "every link carries every delta"
    ON_REQUEST = "nothing comes unasked"


_TREE: Mapping[Cause, Role] = {
    Cause.MET_NEAR: Role.EAGER,
    Cause.MET_FAR: Role.LAZY,
    Cause.FRESH: Role.EAGER,
    Cause.DUPLICATE: Role.LAZY,
    Cause.PRUNED: Role.LAZY,
    Cause.GRAFTED: Role.EAGER,
    Cause.GRAFTING: Role.EAGER,
}
_ROLES: Mapping[Manner, Mapping[Cause, Role]] = {
    Manner.TREE: _TREE,
    Manner.EVERY_LINK: dict.fromkeys(Cause, Role.EAGER),
    Manner.ON_REQUEST: dict.fromkeys(Cause, Role.LAZY) | {Cause.GRAFTED: Role.ASKED},
}


def role_after(manner: Manner, cause: Cause) -> Role:
    """The role that a link has from then on."""
    return _ROLES[manner][cause]


def prunes(manner: Manner) -> bool:
    """Whether the second way of the same delta is told to be lazy."""
    return role_after(manner, Cause.DUPLICATE) is Role.LAZY


def meeting(ours: Vector, theirs: Vector) -> Cause:
    """How far two nodes are apart when they meet; both find the same."""
    apart = max(missing(ours, theirs), missing(theirs, ours))
    return Cause.MET_FAR if apart > FAR else Cause.MET_NEAR
