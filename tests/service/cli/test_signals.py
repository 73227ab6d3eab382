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

_LOST = """
import os, signal
from service.cli.signals import end_as_by_ctrl_c, end_if_asked, hand_over

class Freed:
    def __del__(self):
        os.kill(os.getpid(), signal.SIGTERM)
        sum(range(1_000))

end_as_by_ctrl_c()
end_if_asked()
hand_over()
Freed()
print("lost", flush=True)
try:
    end_if_asked()
except KeyboardInterrupt:
    print("found again", flush=True)
signal.signal(signal.SIGTERM, lambda *_arguments: print("handed over", flush=True))
hand_over()
"""


def test_a_block_is_finished_first_and_an_end_is_not_interrupted() -> None:
    """The end comes after the block; once the command is ending, nothing stops it half-way."""
    assert said_by(_PROGRAM) == ["the block is done", "then it ends", "in good order"]


def test_an_end_that_got_lost_while_something_was_freed_comes_after_all() -> None:
    """Python drops what is raised there. Whoever handles signals next gets it too."""
    assert said_by(_LOST) == ["lost", "found again", "handed over"]


def said_by(program: str) -> list[str]:
    """The lines that a program writes."""
    done = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        env={"PYTHONPATH": str(ROOT)},
    )
    return done.stdout.splitlines()
