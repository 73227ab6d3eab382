"""When a node that joins has what the herd had: a rule over what its links show."""

from __future__ import annotations

from service.herd.status import HerdState
from service.herd.vectors import Vector, includes


class Levelling:
    """Whether a node has all that its siblings had when it met them.

    What they write meanwhile does not count: under load nobody ever has all.
    """

    def __init__(self) -> None:
        self._had: dict[int, Vector] = {}

    def look(self, state: HerdState) -> bool:
        """Whether that is so of each sibling that is linked now; not where none is.

        To be asked from time to time: what a sibling had is noted when it is seen first.
        """
        linked = [
            (each.origin, each.vector)
            for each in state.siblings
            if each.origin is not None and each.vector is not None
        ]
        for origin, vector in linked:
            self._had.setdefault(origin, vector)
        return bool(linked) and all(
            includes(state.vector, self._had[origin]) for origin, _vector in linked
        )
