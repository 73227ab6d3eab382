"""A map from blocks to values that finds the longest prefix of an address.

One dict for each prefix length in use: a lookup asks them from the longest down. So it costs what
lengths there are, whatever the number of blocks.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Generic, TypeVar

from service.ranges.blocks import BITS, FAMILIES, Address, Block

Value = TypeVar("Value")

_Table = tuple[int, dict[int, Value]]


class Prefixes(Generic[Value]):
    """Blocks and their values; a value is anything but None."""

    def __init__(self) -> None:
        self._tables: dict[int, dict[int, dict[int, Value]]] = {each: {} for each in FAMILIES}
        # The shifts and tables of each family, longest prefix first; made anew, never changed.
        self._order: dict[int, tuple[_Table[Value], ...]] = dict.fromkeys(FAMILIES, ())

    def __len__(self) -> int:
        return sum(len(table) for order in self._order.values() for _shift, table in order)

    def put(self, block: Block, value: Value) -> None:
        """Give a block a value, in place of the one it may have."""
        shift, tables = BITS[block.family] - block.length, self._tables[block.family]
        if shift not in tables:
            tables[shift] = {}
            self._arrange(block.family)
        tables[shift][block.first >> shift] = value

    def drop(self, block: Block) -> None:
        """Forget a block; KeyError where it is not there."""
        shift, tables = BITS[block.family] - block.length, self._tables[block.family]
        del tables[shift][block.first >> shift]
        if not tables[shift]:
            del tables[shift]
            self._arrange(block.family)

    def _arrange(self, family: int) -> None:
        """The tables of a family in the order in which they are asked."""
        self._order[family] = tuple(sorted(self._tables[family].items(), key=lambda each: each[0]))

    def longest(self, address: Address) -> Value | None:
        """The value of the smallest block that holds the address; None where none does."""
        number = address[1]
        for shift, table in self._order[address[0]]:
            value = table.get(number >> shift)
            if value is not None:
                return value
        return None

    def all(self, address: Address) -> Iterator[Value]:
        """The values of all blocks that hold the address, the smallest block first."""
        for shift, table in self._order[address.family]:
            value = table.get(address.number >> shift)
            if value is not None:
                yield value
