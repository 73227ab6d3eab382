"""A map from blocks to values that finds the longest prefix of an address.

One dict for each prefix length; a lookup asks them from the longest down. It would have to ask all
129 of IPv6, so the lengths are taken in bands: a band knows, by the bits that all its lengths have,
which of them any block there is of. Where there is none, one question answers for the whole band.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Generic, TypeVar

from service.ranges.blocks import BITS, Address, Block

Value = TypeVar("Value")

_WIDTHS = {4: 8, 6: 16}
"""How many lengths are in a band."""

_Tables = tuple[tuple[int, dict[int, Value]], ...]


class _Band(Generic[Value]):
    """Some lengths next to each other. Each table is known by the bits that its keys lack."""

    def __init__(self, family: int, shortest: int) -> None:
        bits = BITS[family]
        lengths = range(min(shortest + _WIDTHS[family] - 1, bits), shortest - 1, -1)
        self.shift = bits - shortest
        self.tables: dict[int, dict[int, Value]] = {bits - length: {} for length in lengths}
        self.under: dict[int, _Tables[Value]] = {}
        self._counts: dict[tuple[int, int], int] = {}
        # Places with blocks of the same lengths have one tuple together.
        self._shared: dict[tuple[int, ...], _Tables[Value]] = {}

    def count(self, first: int, shift: int, by: int) -> None:
        """There is one block more, or less, of a length at the place of an address."""
        place = first >> self.shift
        before = self._counts.pop((place, shift), 0)
        if before + by:
            self._counts[place, shift] = before + by
        if not before or not before + by:
            self._arrange(place)

    def _arrange(self, place: int) -> None:
        """The tables to ask for addresses at a place."""
        shifts = tuple(shift for shift in self.tables if (place, shift) in self._counts)
        if shifts:
            tables = tuple((shift, self.tables[shift]) for shift in shifts)
            self.under[place] = self._shared.setdefault(shifts, tables)
        else:
            self.under.pop(place, None)


class Prefixes(Generic[Value]):
    """Blocks and their values; a value is anything but None."""

    def __init__(self) -> None:
        self._bands: dict[int, list[_Band[Value]]] = {
            family: [_Band(family, shortest) for shortest in range(0, BITS[family] + 1, width)]
            for family, width in _WIDTHS.items()
        }
        self._order = {
            family: tuple((band.shift, band.under) for band in reversed(bands))
            for family, bands in self._bands.items()
        }

    def __len__(self) -> int:
        bands = (band for bands in self._bands.values() for band in bands)
        return sum(len(table) for band in bands for table in band.tables.values())

    def put(self, block: Block, value: Value) -> None:
        """Give a block a value, in place of the one it may have."""
        band, shift = self._place(block)
        table, key = band.tables[shift], block.first >> shift
        if key not in table:
            band.count(block.first, shift, 1)
        table[key] = value

    def drop(self, block: Block) -> None:
        """Forget a block; KeyError where it is not there."""
        band, shift = self._place(block)
        del band.tables[shift][block.first >> shift]
        band.count(block.first, shift, -1)

    def _place(self, block: Block) -> tuple[_Band[Value], int]:
        """The band of a block, and the bits that the keys of its length lack."""
        band = self._bands[block.family][block.length // _WIDTHS[block.family]]
        return band, BITS[block.family] - block.length

    def longest(self, address: Address) -> Value | None:
        """The value of the smallest block that holds the address; None where none does."""
        number = address[1]
        for place, under in self._order[address[0]]:
            tables = under.get(number >> place)
            if tables is not None:
                for shift, table in tables:
                    value = table.get(number >> shift)
                    if value is not None:
                        return value
        return None

    def all(self, address: Address) -> Iterator[Value]:
        """The values of all blocks that hold the address, the smallest block first."""
        for place, under in self._order[address.family]:
            for shift, table in under.get(address.number >> place, ()):
                value = table.get(address.number >> shift)
                if value is not None:
                    yield value
