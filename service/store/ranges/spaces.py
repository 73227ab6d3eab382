"""What is free in the pools of this node, in memory.

It may take for free what is not: that is found out when it is offered, under the lock, and noted
here (`correct`). It takes for given out nothing that is free, since releases are told. (But for one
that is told while a pool is being read, and for a block that was not given out by `desk` and was
released before `following` looked; they are found when nothing else fits.)
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Sequence

from service.ranges.blocks import Block
from service.ranges.free_space import FreeSpace, take


class Spaces:
    """The free space of each pool out of which anything was given. For any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._spaces: dict[Block, FreeSpace] = {}

    def find(self, pool: Block) -> FreeSpace | None:
        """That of a pool; None where it has to be read."""
        return self._spaces.get(pool)

    def read(self, pool: Block, given: Iterable[Block], taken: Iterable[Block] = ()) -> FreeSpace:
        """That of a pool within which there are these blocks, in order.

        `taken` are more of them, in any order: those that are not written yet.
        """
        space = FreeSpace(pool, given)
        for block in taken:
            space.occupy(block)
        with self._lock:
            self._spaces[pool] = space
        return space

    def take(self, length: int, spaces: Sequence[FreeSpace]) -> Block:
        """The next block out of any of these; raises as `free_space.take`."""
        with self._lock:
            return take(length, spaces)

    def correct(self, block: Block, found: Iterable[Block]) -> None:
        """A block that was taken was not free: these are what meets it, in order."""
        present = list(found)
        with self._lock:
            for space in self._spaces.values():
                space.give_back(block, present)
                for each in present:
                    space.occupy(each)

    def released(self, block: Block | None) -> None:
        """A block was released, or not given out after all; None: nobody knows which were."""
        with self._lock:
            if block is None:
                self._spaces.clear()
                return
            if self._spaces.pop(block, None) is not None:
                # What was given out of that pool is there still, and is free in none around it.
                self._spaces = {p: s for p, s in self._spaces.items() if not p.holds(block)}
            for space in self._spaces.values():
                space.give_back(block)
