"""When a node that joins has what the herd had: a rule over what its links show."""

from __future__ import annotations

from collections.abc import Container

from service.herd.status import HerdState
from service.herd.vectors import Vector, includes


class Levelling:
    """Whether a node has all that its siblings had when they were first looked at.

    What they write meanwhile does not count: under load nobody ever has all. Nor does a sibling
    that joins itself: what it has says nothing of what the herd has.
    """

    def __init__(self) -> None:
        self._had: dict[int, Vector] = {}

    def look(self, state: HerdState, joined: Container[int]) -> bool:
        """Whether that is so of each sibling that is linked now and has joined; not where none is.

        To be asked from time to time: what a sibling had is noted when it is seen first as one of
        those that have `joined`, which are origins.
        """
        linked = [
            (each.origin, each.vector)
            for each in state.siblings
            if each.origin is not None and each.vector is not None and each.origin in joined
        ]
        for origin, vector in linked:
            self._had.setdefault(origin, vector)
        return bool(linked) and all(
            includes(state.vector, self._had[origin]) for origin, _vector in linked
        )
