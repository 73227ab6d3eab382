"""Each story comes to its end in every order in which the nodes may hear of each other."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.scripts.story import parse, stories
from tests.scripts.telling import Teller

STORIES = Path(__file__).parent / "stories"
WAITING = Path(__file__).parent / "waiting"
"""Stories of nodes that do not take everything; what servers refuse is tested where they are."""


@pytest.mark.parametrize("path", [*stories(STORIES), *stories(WAITING)], ids=lambda path: path.stem)
def test_a_story_prints_what_its_file_says(path: Path) -> None:
    """What every block prints is what stands below it in the file."""
    teller = Teller()
    for block in parse(path.read_text()):
        assert teller.tell(block) == list(block.expected), "\n".join(block.commands)
