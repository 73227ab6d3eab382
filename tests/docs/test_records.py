"""`docs/records.md`, run on both servers."""

from __future__ import annotations

import doctest
from pathlib import Path

PAGE = Path(__file__).parents[2] / "docs" / "records.md"
OPTIONS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE


def test_every_example_of_the_records_page_gives_what_it_says(database: str) -> None:
    """A reader who types the examples sees the answers that stand there."""
    module = {"url": database, "__name__": "records_page"}
    found = doctest.DocTestParser().get_doctest(PAGE.read_text(), module, PAGE.name, str(PAGE), 0)
    report: list[str] = []
    outcome = doctest.DocTestRunner(optionflags=OPTIONS).run(found, out=report.append)
    assert outcome.attempted > 30
    assert outcome.failed == 0, "".join(report)
