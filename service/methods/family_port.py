"""What the methods about nodes and their ranges need of the store, beside reading and deleting."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from records.kinds.network import Block
from records.validation import Row


@dataclass(frozen=True)
class NewRange:
    """A block for a node: by its name, or None for the node that is asked."""

    node: str | None
    block: Block
    purpose: str
    note: str | None = None


class Ranges(Protocol):
    """The ranges of all nodes."""

    async def add(self, wanted: NewRange) -> Row:
        """Write a new range; its whole row.

        Raises NotFound where there is no such node, and Conflict where a block is in the way;
        failures point at `/node` and `/cidr`.
        """
        ...
