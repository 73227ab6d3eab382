"""All ranges in memory, and what is asked of them. The id of a node stands for its name."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from service.ranges.blocks import Address, Block
from service.ranges.lookup import Locator
from service.ranges.values import Range


@dataclass(frozen=True)
class Known:
    """What a book had at a moment, for a thread to look through."""

    ranges: Sequence[Range]
    names: Mapping[str, str]

    def named(self) -> Iterator[Range]:
        """All ranges, with the names of their nodes."""
        return (each._replace(node=self.names.get(each.node, each.node)) for each in self.ranges)

    def of(self, name: str | None) -> Iterable[Range] | None:
        """Those of a node, or of all (None); None where there is no such node."""
        if name is None:
            return self.ranges
        found = {identity for identity, each in self.names.items() if each == name}
        return [each for each in self.ranges if each.node in found] if found else None


class RangeBook:
    """Every range that is known, by id, and which of them serves an address; at first none."""

    def __init__(self) -> None:
        self._ranges: dict[UUID, Range] = {}
        self._locator = Locator()
        self._names: Mapping[str, str] = {}

    def fill(self, ranges: Iterable[Range], names: Mapping[str, str]) -> None:
        """These are the ranges, and there are no others."""
        self._ranges, self._locator = {}, Locator()
        self._names = dict(names)
        for each in ranges:
            self.set(each.id, each)

    def __len__(self) -> int:
        return len(self._ranges)

    def __contains__(self, identity: UUID) -> bool:
        return identity in self._ranges

    def known(self) -> Known:
        """All that there is now; takes a millisecond for 100,000 ranges."""
        return Known(list(self._ranges.values()), self._names)

    def locate(self, address: Address) -> Range | None:
        """The range that decides who serves an address; None where none does."""
        return self._locator.locate(address)

    def name_of(self, each: Range) -> str:
        """The name of a range's node; its id where its record has not been read yet."""
        return self._names.get(each.node, each.node)

    def rename(self, names: Mapping[str, str]) -> None:
        """These are the names of the nodes now."""
        self._names = dict(names)

    def set(self, identity: UUID, now: Range | None) -> Block | None:
        """A range is so now, or is gone (None); the block that it had before, if it was there."""
        before = self._ranges.pop(identity, None)
        if before is not None:
            self._locator.remove(before)
        if now is not None:
            self._ranges[identity] = now
            self._locator.add(now)
        return None if before is None else before.block
