"""Ranges that become others with the same addresses: one that is split, several that are merged.

Nobody gets an earlier claim by it: the parts keep that of the whole, and what is merged has the
latest of theirs. Nor is anything excluded afterwards that was not before.

A pool is split and merged by its own node only. Another one, cut off from it, could give a part
away out of which that one gives blocks at the same moment.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from service.ranges import arithmetic
from service.ranges.around import Around
from service.ranges.blocks import Block
from service.ranges.disputes import excluded
from service.ranges.errors import BlocksRefused
from service.ranges.values import Purpose, Range, same


def split(whole: Range, length: int, given: Mapping[Block, str]) -> list[Range]:
    """The parts of a range, in order; those in `given` are for other nodes, by name.

    The parts have the id of the whole, and have to be given others. Raises BlocksRefused as
    `arithmetic.split` does, and `range.no_part` where a block is given that is no part.
    """
    parts = arithmetic.split(whole.block, length)
    strays = sorted(given.keys() - set(parts))
    if strays:
        fault = f"{strays[0]} is none of the parts of {whole.block}"
        hint = f"they are {parts[0]} to {parts[-1]}, each a /{length}"
        raise BlocksRefused("range.no_part", f"{fault}; {hint}", strays)
    return [whole._replace(block=each, node=given.get(each, whole.node)) for each in parts]


def merge(parts: Sequence[Range]) -> Range:
    """The range that has exactly the addresses of these; its id is that of the latest claim.

    Raises BlocksRefused: `range.merge_empty` where there are fewer than two, `range.merge_mixed`
    where they are not of one node and one purpose, and as `arithmetic.merge` does.
    """
    if len(parts) < 2:
        raise BlocksRefused("range.merge_empty", "one range is nothing to merge; name two or more")
    first = parts[0]
    stray = next((each for each in parts if each[1::2] != first[1::2]), None)
    if stray is not None:
        fault = f"{first} and {stray} are not of one node and purpose, and stay apart"
        raise BlocksRefused("range.merge_mixed", fault, [first.block, stray.block])
    latest = max(parts, key=lambda each: each.precedence)
    return latest._replace(block=arithmetic.merge(each.block for each in parts))


def refuse_elsewhere(whole: Range, here: str | None) -> None:
    """Refuse to split or merge a pool on any node but its own; `here` is the name of this one.

    Raises BlocksRefused (`range.foreign_pool`).
    """
    if whole.purpose is Purpose.POOL and whole.node != here:
        fault = f"{whole}, may give blocks out at any moment: ask {whole.node} to split or merge it"
        raise BlocksRefused("range.foreign_pool", fault, [whole.block])


def clashes(
    before: Sequence[Range], after: Sequence[Range], present: Iterable[Range]
) -> Iterator[str]:
    """What is in the way of ranges that take the place of others: a sentence for each of them.

    That is whatever says the same, or is excluded by it and by none of those before. `present` are
    all pools that meet them, and all of their purpose and block.
    """
    gone = {each.id for each in before}
    around = Around(each for each in present if each.id not in gone)
    for new in after:
        for each in around.meeting(new):
            known = any(excluded(old, each) for old in before)
            if same(new, each) or (excluded(new, each) and not known):
                yield f"{new.block} cannot be {new.purpose} of {new.node}: there is {each}"
                break
