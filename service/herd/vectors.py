"""Vectors: up to which position a node has everything of each origin's changelog."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeAlias

Vector: TypeAlias = Mapping[int, int]
"""Origin to position; an origin that is not there stands at 0."""


def joined(one: Vector, other: Vector) -> dict[int, int]:
    """What two nodes have together: for each origin the higher position."""
    both = dict(one)
    for origin, position in other.items():
        if position > both.get(origin, 0):
            both[origin] = position
    return both


def includes(one: Vector, other: Vector) -> bool:
    """Whether the first node has everything that the second has."""
    return all(position <= one.get(origin, 0) for origin, position in other.items())


def missing(one: Vector, other: Vector) -> int:
    """How many positions the second node has that the first has not."""
    return sum(max(0, position - one.get(origin, 0)) for origin, position in other.items())
