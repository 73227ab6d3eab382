"""Plants each bug in turn and says whether its tests saw it.

    python -m tests.plants [WORD …]     the bugs whose names hold one of the words, or all

Ends with 1 where a bug was not seen, or where the tests fail without it.
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

from tests.plants.bugs import BUGS, Bug
from tests.plants.planting import FAILED, PASSED, copy_of_sources, planted, verdict


def main(words: list[str]) -> int:
    """Try the bugs; the exit code."""
    if {"-h", "--help"} & set(words):
        print(__doc__)
        return 0
    chosen = [bug for bug in BUGS if not words or any(word in bug.name for word in words)]
    with tempfile.TemporaryDirectory(prefix="herdbook-plants-") as name:
        folder = copy_of_sources(Path(name))
        sound = _all_pass(folder, chosen)
        unseen = [bug.name for bug in chosen if not _is_seen(folder, bug)]
    print(f"{len(chosen)} bugs planted, {len(chosen) - len(unseen)} seen")
    return 0 if sound and chosen and not unseen else 1


def _all_pass(folder: Path, chosen: list[Bug]) -> bool:
    """Whether the tests pass while no bug is planted."""
    tests = sorted({test for bug in chosen for test in bug.tests})
    code, told = verdict(folder, tests)
    print(f"without a bug: {'green' if code == PASSED else 'NOT GREEN'}\n{told}", flush=True)
    return code == PASSED


def _is_seen(folder: Path, bug: Bug) -> bool:
    begin = time.monotonic()
    with planted(folder, bug):
        code, told = verdict(folder, bug.tests)
    said = "seen" if code == FAILED else "NOT SEEN"
    print(f"{said:8} {time.monotonic() - begin:4.0f} s  {bug.name}", flush=True)
    if code != FAILED:
        print(told, flush=True)
    return code == FAILED


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
