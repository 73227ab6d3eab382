"""A copy of the sources, with bugs in it or without, and what tests say to it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from tests.plants.bugs import Bug

ROOT = Path(__file__).resolve().parents[2]
_COPIED = ("records", "schema", "migrations", "service", "tests", "examples", "docs", "bench")
_FILES = ("pyproject.toml", "README.md", "herdbook", "tox.ini")
_MOST_SECONDS = 900

PASSED, FAILED = 0, 1
"""What pytest ends with; anything else says that the tests were not run."""


class NotPlanted(Exception):
    """A bug's text does not stand once in its file."""


def copy_of_sources(folder: Path) -> Path:
    """A copy that tests can be run in."""
    for name in _COPIED:
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in _FILES:
        shutil.copy2(ROOT / name, folder / name)
    return folder


@contextmanager
def planted(folder: Path, bug: Bug) -> Iterator[None]:
    """A bug is in the copy for the time of a block; raises NotPlanted."""
    file = folder / bug.file
    sound = file.read_text()
    if sound.count(bug.old) != 1:
        raise NotPlanted(f"{bug.name}: its text stands {sound.count(bug.old)} times in {bug.file}")
    file.write_text(sound.replace(bug.old, bug.new))
    try:
        yield
    finally:
        file.write_text(sound)


def verdict(folder: Path, tests: Sequence[str]) -> tuple[int, str]:
    """What pytest ends with in the copy, at the first failure, and its last lines."""
    command = [sys.executable, "-B", "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", *tests]
    done = subprocess.run(
        command,
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(folder)},
        capture_output=True,
        text=True,
        timeout=_MOST_SECONDS,
        check=False,
    )
    lines = (done.stdout + done.stderr).strip().splitlines()
    return done.returncode, "\n".join(lines[-3:])
