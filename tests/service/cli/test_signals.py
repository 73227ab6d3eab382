"""What asks a command to end, at moments when it must not end half-way."""

from __future__ import annotations

import subprocess
import sys

from tests.service.cli.nodes import ROOT

_PROGRAM = """
import os, signal
from service.cli.signals import end_as_by_ctrl_c, ignore_interrupts, not_interrupted

end_as_by_ctrl_c()
try:
    with not_interrupted():
        os.kill(os.getpid(), signal.SIGTERM)
        print("the block is done", flush=True)
    print("and the command goes on", flush=True)
except KeyboardInterrupt:
    print("then it ends", flush=True)
ignore_interrupts()
for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
    os.kill(os.getpid(), number)
print("in good order", flush=True)
"""


def test_a_block_is_finished_first_and_an_end_is_not_interrupted() -> None:
    """The end comes after the block; once the command is ending, nothing stops it half-way."""
    done = subprocess.run(
        [sys.executable, "-c", _PROGRAM],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        env={"PYTHONPATH": str(ROOT)},
    )
    said = done.stdout.splitlines()
    assert said == ["the block is done", "then it ends", "in good order"], done.stderr
