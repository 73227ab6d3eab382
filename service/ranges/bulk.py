"""Many new ranges at once: which are there already, and what is in the way of the others.

Each is judged as one that is added by hand (`disputes.refuse_clash`) beside what is there already.
Among each other only those are refused that exclude each other, and those that say the same: who
brings the pools and what lies in them together means both.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice, takewhile
from typing import NamedTuple

from service.ranges.blocks import Address, Block
from service.ranges.disputes import disputes, refuse_clash
from service.ranges.errors import BlocksRefused
from service.ranges.prefixes import Prefixes
from service.ranges.values import Purpose, Range


class Refusal(NamedTuple):
    """Why a new range is not written: its number, a code, and a sentence."""

    number: int
    code: str
    message: str


class Judged(NamedTuple):
    """The numbers of the new ranges to write, of those that are there already, and refusals."""

    fresh: list[int]
    there: list[int]
    refused: list[Refusal]


def judge(new: Sequence[Range], present: Iterable[Range]) -> Judged:
    """What becomes of new ranges; the first has the number 0, and they claim in this order.

    Their ids have to differ. `present` need hold only what meets them, and any more does no harm.
    """
    around = _Around(present)
    judged = Judged([], [], list(_among(new)))
    for number, each in enumerate(new):
        meeting = around.meeting(each)
        if any(_same(each, other) for other in meeting):
            judged.there.append(number)
            continue
        judged.fresh.append(number)
        judged.refused.extend(_refusals(number, each, meeting))
    judged.refused.sort()
    return judged


class _Around:
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
            after = islice(self._ordered, bisect_right(self._ordered, block), None)
            blocks += takewhile(block.holds, after)
        return [each for found in blocks for each in self._of_block[found]]


def _same(one: Range, other: Range) -> bool:
    """Whether they say the same."""
    return one[1:4] == other[1:4]


def _refusals(number: int, new: Range, meeting: Iterable[Range]) -> Iterator[Refusal]:
    """What is said of a range that cannot be written."""
    try:
        refuse_clash(new, meeting)
    except BlocksRefused as refused:
        yield Refusal(number, refused.code, refused.message)


def _among(new: Sequence[Range]) -> Iterator[Refusal]:
    """Those that say what an earlier one has said, or cannot stand beside it."""
    numbers = {each.id: number for number, each in enumerate(new)}
    first: dict[tuple[object, ...], int] = {}
    for number, each in enumerate(new):
        earlier = first.setdefault(each[1:4], number)
        if earlier != number:
            yield Refusal(number, "range.twice", f"{each}: number {earlier} is the same")
    for loser, against in disputes(new):
        fault = f"{loser}: number {numbers[against.id]} is {against}"
        yield Refusal(numbers[loser.id], "range.taken", fault)
