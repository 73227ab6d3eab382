"""Ranges that become others with the same addresses: one that is split, several that are merged.

Nobody gets an earlier claim by it: the parts keep that of the whole, and what is merged has the
latest of theirs. Nor is anything excluded afterwards that was not before, and of two that exclude
each other the same one stands: a claim that lost against a part could be earlier than that of the
whole, and a part has a longer prefix than what stood against the whole. Clients stay with the node
that served them, unless their part is given away.

A pool is split and merged by its own node only. Another one, cut off from it, could give a part
away out of which that one gives blocks at the same moment.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import NamedTuple

from service.ranges import arithmetic
from service.ranges.around import Around
from service.ranges.blocks import Block
from service.ranges.disputes import against, excluded, in_foreign_pool
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


def refuse_disputed(whole: Range, present: Iterable[Range]) -> None:
    """Refuse to split what a node would serve, had not another one the earlier claim.

    Disputed pools are split, to release a part. `present` are all of the same block. Raises
    BlocksRefused (`range.disputed`).
    """
    rival = against(whole, present) if whole.purpose is Purpose.SERVES else None
    if rival is not None:
        fault = f"{whole} is disputed by {rival}; release one of the two first"
        raise BlocksRefused("range.disputed", fault, [rival.block])


class Clash(NamedTuple):
    """What is in the way: a code, and a sentence."""

    code: str
    message: str


def clashes(
    before: Sequence[Range], after: Sequence[Range], present: Iterable[Range]
) -> Iterator[Clash]:
    """What is in the way of ranges in the place of others: several of one, or one of several.

    `present` are all pools that meet them, and all of their purpose that hold one or lie in one.
    The codes: `range.taken`, `range.disputed`, and `range.foreign_pool` for a part that is given to
    another node and lies in a pool that is not that one's.
    """
    gone = {each.id for each in before}
    there = [each for each in present if each.id not in gone]
    if len(before) == 1:
        yield from _of_split(before[0], after, there)
    else:
        yield from _of_merge(before, after[0], there)


def _of_split(whole: Range, parts: Iterable[Range], there: Iterable[Range]) -> Iterator[Clash]:
    """The first that is in the way of each part."""
    around = Around(there)
    for new in parts:
        found = (_of_part(whole, new, each) for each in around.meeting(new))
        yield from islice(filter(None, found), 1)


def _of_part(whole: Range, new: Range, each: Range) -> Clash | None:
    """Whether something is in the way of a part.

    What excludes the whole excludes the part alike, since both have one claim. Between equal ones
    the id decides, and that of the part is another.
    """
    known = excluded(whole, each) and whole.claim != each.claim
    if same(new, each) or (excluded(new, each) and not known):
        return _taken(new, f"there is {each}")
    if new.node != whole.node and in_foreign_pool(new, each):
        fault = f"{new.block} lies in {each}: let {each.node} give it out, or split the pool"
        return Clash("range.foreign_pool", fault)
    if each.node not in (new.node, whole.node) and _between(whole, each, new.block):
        return _taken(new, f"it would take clients of {each}")
    return None


def _of_merge(parts: Sequence[Range], whole: Range, there: Iterable[Range]) -> Iterator[Clash]:
    """Whatever is in the way of the whole."""
    around = Around(parts)
    blocks = sorted(part.block for part in parts)
    for each in there:
        rival = next((part for part in around.meeting(each) if excluded(part, each)), None)
        at = bisect_left(blocks, each.block)
        if rival is not None:
            fault = f"{rival} and {each} exclude each other; release one of the two first"
            yield Clash("range.disputed", fault)
        elif same(whole, each) or excluded(whole, each):
            yield _taken(whole, f"there is {each}")
        elif each.node != whole.node and any(_between(whole, each, b) for b in blocks[at : at + 1]):
            yield _taken(whole, f"{each} would take its clients")


def _between(whole: Range, each: Range, part: Block) -> bool:
    """Whether a range decides before the whole who serves clients, and a part decides before it."""
    return (
        whole.purpose is each.purpose is Purpose.SERVES
        and whole.block.length < each.block.length < part.length
        and whole.block.holds(each.block)
        and each.block.holds(part)
    )


def _taken(new: Range, fault: str) -> Clash:
    return Clash("range.taken", f"{new.block} cannot be {new.purpose} of {new.node}: {fault}")
