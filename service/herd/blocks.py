"""Which claims to blocks of addresses cannot stand beside each other on one node.

It is asked before a claim is written. What comes from siblings is never refused for it: two claims
that were made on both sides of a cut both stay.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from records.kinds.network import Block, overlap

HERD_WIDE = frozenset({"pool"})
"""Purposes for which no two nodes may have one address; for others no node may have it twice."""


@dataclass(frozen=True)
class Claim:
    """A block that a node, by its name, has for a purpose."""

    node: str
    purpose: str
    block: Block

    def __str__(self) -> str:
        """In words."""
        return f"{self.block} ({self.purpose} of node {self.node})"


def in_the_way(wanted: Claim, known: Iterable[Claim]) -> Claim | None:
    """The first of the known claims beside which the wanted one cannot be; None where it may be."""
    return next((claim for claim in known if _excludes(claim, wanted)), None)


def _excludes(one: Claim, other: Claim) -> bool:
    """Whether two claims cannot both be."""
    if one.purpose != other.purpose or not overlap(one.block, other.block):
        return False
    return one.node == other.node or one.purpose in HERD_WIDE
