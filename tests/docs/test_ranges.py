"""`docs/ranges.md`: what its tables and its file say is what comes of them."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from service.ranges import csvfile
from service.ranges.errors import NotationRefused
from service.ranges.notation import MOST_BLOCKS, read_block, read_blocks
from service.ranges.values import Purpose

PAGE = (Path(__file__).parents[2] / "docs" / "ranges.md").read_text()


def table(heading: str) -> list[tuple[str, str]]:
    """The rows of the table under a heading line, without their marks."""
    rows = PAGE.partition(f"{heading}\n| --- | --- |\n")[2].partition("\n\n")[0].splitlines()
    return [
        (found[1], found[2]) for row in rows if (found := re.match(r"\| `(.*?)` \| (.*) \|", row))
    ]


def test_each_refusal_is_answered_as_the_page_says() -> None:
    """The whole message."""
    rows = table("| written | answer |")
    assert len(rows) > 8
    for text, answer in rows:
        with pytest.raises(NotationRefused) as refused:
            read_block(text)
        assert refused.value.message == answer


def test_each_span_is_taken_as_the_page_says() -> None:
    """The blocks in order."""
    rows = table("| written | taken as |")
    assert len(rows) > 4
    for text, taken in rows:
        assert " ".join(map(str, read_blocks(text))) == taken


def test_the_file_on_the_page_is_read() -> None:
    """Every line of it; the one with two addresses gives two ranges."""
    text = PAGE.partition("```csv\n")[2].partition("```")[0]
    entries = csvfile.read(text.splitlines(keepends=True))
    assert [entry.line for entry in entries] == [2, 3, 4, 5, 5, 6]


def test_the_page_names_every_purpose_and_every_limit() -> None:
    """One that is there is one that a reader finds."""
    assert [name for name, _what in table("| purpose | the block is |")] == list(Purpose)
    assert f"stands for {MOST_BLOCKS:,} blocks at most" in PAGE
    assert f"the first {csvfile.MOST_PROBLEMS} faults" in PAGE
    assert f"gives {csvfile.MOST_RANGES:,} ranges at most" in PAGE.replace("\n", " ")
