"""Write into the files of stories what they print now: `python -m tests.scripts.rewrite FILE…`.

For a new story, or when a rule was changed on purpose; read the difference afterwards.
"""

from __future__ import annotations

import sys
from pathlib import Path

from tests.scripts.story import parse, written
from tests.scripts.telling import Teller


def rewrite(path: Path) -> None:
    """Tell the story, and note what it prints."""
    teller = Teller()
    blocks = [
        block._replace(expected=tuple(teller.tell(block))) for block in parse(path.read_text())
    ]
    path.write_text(written(blocks))


if __name__ == "__main__":
    for name in sys.argv[1:]:
        rewrite(Path(name))
