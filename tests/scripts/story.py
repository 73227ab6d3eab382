"""The language of the stories: blocks of commands, each with the output that is expected.

A block is some lines of commands, a line `----`, and the output up to an empty line. Lines that
begin with `#` are for the reader.
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

LINE = "----"


class Block(NamedTuple):
    """Commands, and what they print together."""

    about: tuple[str, ...]
    commands: tuple[str, ...]
    expected: tuple[str, ...]


def parse(text: str) -> list[Block]:
    """The blocks of a story. A block may expect nothing; then the line `----` is left out."""
    blocks = []
    for part in text.strip("\n").split("\n\n"):
        lines = part.split("\n")
        above, below = _halves(lines)
        about = tuple(line for line in above if line.startswith("#"))
        commands = tuple(line for line in above if not line.startswith("#"))
        blocks.append(Block(about, commands, tuple(below)))
    return blocks


def _halves(lines: list[str]) -> tuple[list[str], list[str]]:
    if LINE not in lines:
        return lines, []
    at = lines.index(LINE)
    return lines[:at], lines[at + 1 :]


def written(blocks: list[Block]) -> str:
    """The text of a story."""
    return "\n\n".join("\n".join(_lines(block)) for block in blocks) + "\n"


def _lines(block: Block) -> list[str]:
    lines = [*block.about, *block.commands]
    return [*lines, LINE, *block.expected] if block.expected else lines


def stories(directory: Path) -> list[Path]:
    """The files of all stories."""
    return sorted(directory.glob("*.txt"))
