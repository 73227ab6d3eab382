"""Ranges by where they lie, to ask for many blocks what meets each."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from itertools import takewhile

from service.ranges.blocks import Address, Block
from service.ranges.prefixes import Prefixes
from service.ranges.values import Purpose, Range


class Around:
    """Ranges that are there, by where they lie."""

    def __init__(self, ranges: Iterable[Range]) -> None:
        self._of_block: dict[Block, list[Range]] = {}
        for each in ranges:
            self._of_block.setdefault(each.block, []).append(each)
        self._ordered = sorted(self._of_block)
        self._prefixes: Prefixes[Block] = Prefixes()
        for block in self._ordered:
            self._prefixes.put(block, block)

    def meeting(self, new: Range) -> list[Range]:
        """Those that hold the block of a new one; for a pool those within it as well."""
        block = new.block
        holding = self._prefixes.all(Address(block.family, block.first))
        blocks = [each for each in holding if each.length <= block.length]
        if new.purpose is Purpose.POOL:
            after = range(bisect_right(self._ordered, block), len(self._ordered))
            blocks += takewhile(block.holds, (self._ordered[at] for at in after))
        return [each for found in blocks for each in self._of_block[found]]
