"""Things that occur many times, written once: a list of them, and numbers into the list."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from itertools import count
from typing import Annotated, Generic, TypeAlias, TypeVar

import msgspec

_Thing = TypeVar("_Thing", bound=Hashable)
_Listed = TypeVar("_Listed")

Natural: TypeAlias = Annotated[int, msgspec.Meta(ge=0)]
"""On the wire: an integer from 0 to 2^64 - 1."""

MOST_ITEMS = 2**18
"""Of anything in one list: a few bytes of each would become a hundred in memory.

A part holds far fewer, by its size.
"""

Origin: TypeAlias = Annotated[int, msgspec.Meta(ge=0, le=2**32 - 1)]
Position: TypeAlias = Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)]
Life: TypeAlias = Annotated[int, msgspec.Meta(ge=0, le=2**31 - 1)]

LATEST = 7_258_118_400_000_000
"""The year 2200. Whatever is written after a stamp gets a later one, so there has to be room."""

Stamp: TypeAlias = Annotated[int, msgspec.Meta(ge=0, le=LATEST)]

Indices: TypeAlias = tuple[Natural, ...]
"""Numbers into a list."""


class Numbering(Generic[_Thing]):
    """Some things, each once, and the number of each."""

    def __init__(self, things: Iterable[_Thing]) -> None:
        self.things: tuple[_Thing, ...] = tuple(dict.fromkeys(things))
        self._numbers = dict(zip(self.things, count()))

    def of(self, things: Iterable[_Thing]) -> Indices:
        """The numbers of some of the things."""
        return tuple(map(self._numbers.__getitem__, things))


def listed(things: Sequence[_Listed], numbers: Indices) -> tuple[_Listed, ...]:
    """The things of these numbers; raises IndexError for a number that none has."""
    return tuple(map(things.__getitem__, numbers))
