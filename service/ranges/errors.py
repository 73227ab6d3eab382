"""What can be refused about ranges, in one tree.

`code` is for programs. The message says which text or block, what is wrong with it, and the nearest
thing that works.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from records.errors import HerdbookError, ValueRefused
from service.ranges.blocks import Block

_LONGEST_SHOWN = 60
MOST_NODES_NAMED = 10


class RangeRefused(ValueRefused):
    """The root: something about a block or a range does not go."""


class NotationRefused(RangeRefused):
    """A text is no block, or not the one it seems to be."""


class BlocksRefused(RangeRefused):
    """An operation that these blocks do not allow; `blocks` are those in the way, or missing."""

    def __init__(self, code: str, message: str, blocks: Iterable[Block] = ()) -> None:
        super().__init__(code, message)
        self.blocks = tuple(blocks)


class AllocationRefused(RangeRefused):
    """No block can be given out; `largest` is the largest free block where there is one."""

    def __init__(self, code: str, message: str, largest: Block | None = None) -> None:
        super().__init__(code, message)
        self.largest = largest


def no_such_node(name: str, known: Iterable[str]) -> str:
    """What to say of a node that is not known, and which are: the first of them by name."""
    names = sorted(known)
    shown = ", ".join(names[:MOST_NODES_NAMED]) + (", …" if len(names) > MOST_NODES_NAMED else "")
    rest = f"known are {shown}" if names else "no node is known"
    return f"there is no node {name[:100]!r}; {rest}"


@dataclass(frozen=True)
class LineProblem:
    """One thing that is wrong in a file, and the line where the record begins, from 1."""

    line: int
    code: str
    message: str

    def __str__(self) -> str:
        return f"line {self.line}: {self.message}"


class FileRefused(HerdbookError):
    """A file of ranges cannot be taken, and nothing of it was.

    `problems` are the first ones, in the order of their lines; `more` says how many there are
    beyond.
    """

    def __init__(self, problems: Iterable[LineProblem], more: int = 0) -> None:
        self.problems = tuple(problems)
        self.more = more
        rest = [f"and {more:,} more"] if more else []
        super().__init__("\n".join([*map(str, self.problems), *rest]))


def shown(text: str) -> str:
    """A text as a message names it: signs that do not print spelled out, and not too long."""
    printable = repr(text)[1:-1].replace("\\'", "'").replace("\\\\", "\\")
    short = printable[:_LONGEST_SHOWN]
    return short + "…" if len(printable) > len(short) else short
