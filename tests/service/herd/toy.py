"""A node whose whole state is which log entries it has: enough to see what links do."""

from __future__ import annotations

from collections.abc import Sequence

from service.herd.deltas import INSERT, Delta, LogEntry
from service.herd.vectors import Vector, includes, joined


def entry(origin: int, position: int) -> LogEntry:
    """The entry of one change."""
    return LogEntry(origin, position, "city", (origin, position), INSERT, (), 1, position, "toy")


def parts_of(delta: Delta, size: int) -> list[Delta]:
    """A delta in parts of some entries each."""
    cuts = [delta.entries[start : start + size] for start in range(0, len(delta.entries), size)]
    cuts = cuts or [()]
    last = len(cuts) - 1
    return [delta._replace(entries=cut, last=index == last) for index, cut in enumerate(cuts)]


class ToyNode:
    """What survives a crash: the entries, and the vector that says up to where they are whole."""

    def __init__(self, origin: int, part_size: int = 1000) -> None:
        self.origin = origin
        self.vector: Vector = {}
        self.entries: set[tuple[int, int]] = set()
        self.applied = 0
        self.useless = 0
        self._part_size = part_size

    def write(self) -> tuple[int, int]:
        """Make a change here; returns its origin and position."""
        position = self.vector.get(self.origin, 0) + 1
        self.entries.add((self.origin, position))
        self.vector = {**self.vector, self.origin: position}
        return self.origin, position

    def delta(self, above: Vector) -> list[Delta]:
        """Everything above a vector, in parts."""
        found = sorted(
            (origin, position)
            for origin, position in self.entries
            if position > above.get(origin, 0)
        )
        entries = tuple(entry(origin, position) for origin, position in found)
        return parts_of(Delta(self.origin, above, self.vector, (), entries), self._part_size)

    def apply(self, delta: Delta) -> None:
        """Commit a part of a delta."""
        assert includes(self.vector, delta.above), "a delta was applied above a gap"
        arrived = {(each.origin, each.position) for each in delta.entries}
        self.applied += 1
        self.useless += bool(arrived) and arrived <= self.entries
        self.entries |= arrived
        if delta.last:
            self.vector = joined(self.vector, delta.covers)
        assert not self.gaps(), f"node {self.origin} lacks {self.gaps()} below its vector"

    def gaps(self) -> Sequence[tuple[int, int]]:
        """What the vector says is here, and is not. Looks at the newest positions only."""
        return [
            (origin, position)
            for origin, last in self.vector.items()
            for position in range(max(1, last - 50), last + 1)
            if (origin, position) not in self.entries
        ]
