"""What a range is."""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple
from uuid import UUID

from records.stamps import Version
from service.ranges.blocks import Block
from service.ranges.errors import BlocksRefused


class Purpose(StrEnum):
    """What a node has a range for."""

    SERVES = "serves"
    """Clients that this node is nearest to."""

    PEERS = "peers"
    """Addresses that its links to siblings come from."""

    POOL = "pool"
    """Space it may give out."""

    ADMIN = "admin"
    """Addresses from which the node may be managed."""


class Range(NamedTuple):
    """A block given to a node.

    `claim` is the version of the first writing: when, and at which origin. Parts of a range that is
    split keep its claim, and ranges that are merged have the latest of theirs: nobody gets an
    earlier claim to anything by cutting it up or putting it together.
    """

    id: UUID
    node: str
    block: Block
    purpose: Purpose
    claim: Version

    @property
    def precedence(self) -> tuple[Version, UUID]:
        """Earlier claims sort first.

        One transaction claims with one version, so the id decides between equal ones: at random,
        but alike on every node.
        """
        return self.claim, self.id

    def __str__(self) -> str:
        return f"{self.block}, {PHRASES[self.purpose]} {self.node}"


def same(one: Range, other: Range) -> bool:
    """Whether they say the same: one node, one block, one purpose."""
    return one[1:4] == other[1:4]


PHRASES = {
    Purpose.SERVES: "served by",
    Purpose.PEERS: "peers of",
    Purpose.POOL: "pool of",
    Purpose.ADMIN: "admin of",
}
"""How a message puts the purpose before the node."""


def refuse_everything(block: Block, purpose: Purpose, *, meant: bool = False) -> None:
    """Refuse `0.0.0.0/0` and `::/0` where they would swallow all else, unless that is `meant`.

    As peers or admin they let in every address there is, and as a pool they claim the whole
    internet against all nodes, mostly by a slip of the hand. A node may serve everything without
    being asked: the longest prefix decides who serves an address, so `0.0.0.0/0` takes nothing from
    anybody, and says which node is there for clients that no other range names.

    Raises BlocksRefused (`range.everything`).
    """
    if block.length or meant or purpose is Purpose.SERVES:
        return
    message = (
        f"{block} is every IPv{block.family} address; as {purpose} it has to be asked for "
        f"explicitly (everything = true, or --everything); if not, name a smaller block, such as "
        f"{_EXAMPLES[block.family]}"
    )
    raise BlocksRefused("range.everything", message, [block])


_EXAMPLES = {4: "10.0.0.0/8", 6: "2001:db8::/32"}
