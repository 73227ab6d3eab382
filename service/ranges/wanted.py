"""Ranges that a node is to get, as they stand in settings and invitations: `serves=10.1.0.0/16`."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple
from uuid import UUID

from records.stamps import NEVER
from service.ranges.blocks import Block
from service.ranges.disputes import refuse_clash
from service.ranges.errors import NotationRefused, shown
from service.ranges.notation import read_block
from service.ranges.values import Purpose, Range, refuse_everything

_NOBODY = UUID(int=0)


class Wanted(NamedTuple):
    """A block for a purpose."""

    purpose: Purpose
    block: Block

    def __str__(self) -> str:
        """As it is read."""
        return f"{self.purpose}={self.block}"


def read_wanted(text: str) -> Wanted:
    """What is written as PURPOSE=BLOCK; raises RangeRefused, for every address as peers too."""
    purpose, sign, block = text.partition("=")
    if not sign or purpose not in set(Purpose):
        advice = f"write PURPOSE=BLOCK with one of {', '.join(Purpose)}, such as serves=10.1.0.0/16"
        raise NotationRefused("range.purpose", f"{shown(text)} names no purpose; {advice}")
    wanted = Wanted(Purpose(purpose), read_block(block))
    refuse_everything(wanted.block, wanted.purpose)
    return wanted


def refuse_clashes(
    node: str, wanted: Iterable[Wanted], others: Iterable[tuple[str, Wanted]]
) -> None:
    """Refuse what cannot stand beside each other, or beside what other nodes are to get.

    `others` are names of nodes, and what is for them. Raises BlocksRefused, with the block in the
    way.
    """
    there = [_range(other, each) for other, each in others]
    for each in wanted:
        new = _range(node, each)
        refuse_clash(new, [one for one in there if one.block.meets(new.block)])
        there.append(new)


def _range(node: str, wanted: Wanted) -> Range:
    return Range(_NOBODY, node, wanted.block, wanted.purpose, NEVER)
