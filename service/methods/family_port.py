"""What the methods about nodes and their ranges need of the store, beside reading and deleting."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol
from uuid import UUID

from records.validation import Row
from service.ranges.arithmetic import Total
from service.ranges.blocks import Address, Block
from service.ranges.disputes import Dispute
from service.ranges.values import Range


@dataclass(frozen=True)
class NewRange:
    """A block for a node: by its name, or None for the node that is asked."""

    node: str | None
    block: Block
    purpose: str
    note: str | None = None


class Added(NamedTuple):
    """How many ranges were written, and how many were there already."""

    added: int
    there: int


@dataclass(frozen=True)
class WantedBlock:
    """A block of this prefix length for the node that is asked, out of its own pools.

    `source` is the only pool to look into, by block or id. `family` counts where that is None.
    """

    length: int
    source: Block | UUID | None
    family: int
    purpose: str
    note: str | None = None


@dataclass(frozen=True)
class WantedSplit:
    """A range to cut into parts of this prefix length; `given` are parts for nodes, by name."""

    source: Block | UUID
    length: int
    given: Mapping[Block, str]


@dataclass(frozen=True)
class WantedMerge:
    """Ranges to put together, by block or id; without a note it gets theirs."""

    sources: Sequence[Block | UUID]
    note: str | None = None


@dataclass(frozen=True)
class FreeAsked:
    """Of which pools free blocks are asked, and how many of each are told at most.

    Of one pool by block or id, or of all of a node, by its name or None for the node that is asked.
    """

    node: str | None
    pool: Block | UUID | None
    most: int


class PoolFree(NamedTuple):
    """What is free of a pool: the first blocks, and how many blocks and addresses there are."""

    pool: Range
    disputed: bool
    free: tuple[Block, ...]
    blocks: int
    addresses: int


class Served(NamedTuple):
    """The range that decides who serves an address, and the name of its node."""

    range: Range
    node: str


class Ranges(Protocol):
    """The ranges of all nodes."""

    async def add(self, wanted: NewRange) -> Row:
        """Write a new range; its whole row.

        Raises NotFound where there is no such node, and Conflict where something is in the way;
        failures point at `/node` and `/cidr`.
        """
        ...

    async def add_all(self, wanted: Sequence[NewRange], write: bool) -> Added:
        """Write those new ranges that are not there yet, in one transaction; or only look (False).

        Raises as `add`, nothing written; each failure has the index of its range.
        """
        ...

    async def allocate(self, wanted: WantedBlock) -> Row:
        """Write a range of the next free block; its whole row.

        Raises NotFound where the node has no record, or there is no range of the id; and Conflict
        with the codes of `service.ranges.allocation`, `largest` in `details` where anything is
        free. Failures point at `/length` and `/from`.
        """
        ...

    async def split(self, wanted: WantedSplit) -> Sequence[Row]:
        """Write the parts of a range in its place; their whole rows, in order.

        Raises NotFound where there is no such range or node, and Conflict with the codes of
        `service.ranges.reshaping`, `range.ambiguous` where a block is that of several ranges, and
        `range.taken`. Failures point at `/range`, `/length` and `/give`.
        """
        ...

    async def merge(self, wanted: WantedMerge) -> Row:
        """Write one range in the place of several; its whole row.

        Raises as `split`, and ValuesRefused where the notes of all are too long for one; failures
        point at `/ranges` and `/note`.
        """
        ...

    async def locate(self, address: Address) -> Served | None:
        """Who serves an address: what this node has known for a second; None where nobody does."""
        ...

    async def disputes(self) -> Sequence[Dispute]:
        """Every disputed range that this node has known for a second; nodes have their names."""
        ...

    async def free(self, asked: FreeAsked) -> Sequence[PoolFree]:
        """What is free of some pools, by block; disputed ones give nothing out all the same.

        Raises NotFound where there is no such node, and Conflict where there is no such pool;
        failures point at `/node` and `/pool`.
        """
        ...

    async def summary(self, node: str | None) -> Sequence[Total]:
        """Totals by purpose and family, of a node by its name or of all (None).

        That is what this node has known for a second. Raises NotFound, which points at `/node`.
        """
        ...
