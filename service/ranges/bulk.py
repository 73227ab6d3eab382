"""Many new ranges at once: which are there already, and what is in the way of the others.

Each is judged as one that is added by hand (`disputes.refuse_clash`) beside what is there already.
Among each other only those are refused that exclude each other, and those that say the same: who
brings the pools and what lies in them together means both.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from service.ranges.around import Around
from service.ranges.disputes import disputes, refuse_clash
from service.ranges.errors import BlocksRefused
from service.ranges.values import Range, same


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
    around = Around(present)
    judged = Judged([], [], list(_among(new)))
    for number, each in enumerate(new):
        meeting = around.meeting(each)
        if any(same(each, other) for other in meeting):
            judged.there.append(number)
            continue
        judged.fresh.append(number)
        judged.refused.extend(_refusals(number, each, meeting))
    judged.refused.sort()
    return judged


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
