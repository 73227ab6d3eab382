"""What is in a node's memory when it crashes is left to nobody."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
from pathlib import Path

import pytest

CRASH = """
import os, resource
from service.cli.prepare import leave_no_core_dump
leave_no_core_dump()
print(*resource.getrlimit(resource.RLIMIT_CORE), flush=True)
os.abort()
"""


@pytest.mark.parametrize(("hard", "soft"), [("as it is", 1), ("none", 0)])
def test_a_process_that_crashes_leaves_no_core_dump(tmp_path: Path, hard: str, soft: int) -> None:
    """Nor does a program take one through a pipe: kernels refuse that at a limit of exactly 1."""
    most = 0 if hard == "none" else resource.getrlimit(resource.RLIMIT_CORE)[1]
    if most == 0 and soft:
        pytest.skip("this system allows no core dumps")

    def allow() -> None:
        resource.setrlimit(resource.RLIMIT_CORE, (most, most))

    ended = subprocess.run(
        [sys.executable, "-c", CRASH],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[3])},
        preexec_fn=allow,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert ended.stdout.split() == [str(soft), str(most)]
    assert ended.returncode == -6
    assert list(tmp_path.iterdir()) == []
