"""A command that is asked to end cleans up behind itself."""

from __future__ import annotations

import signal
import time
from types import FrameType

_ENDING = (signal.SIGTERM, signal.SIGHUP)

_LOOK_SECONDS = 0.2
"""How soon a command that waits ends, should what interrupts it get lost."""

_asked: list[int] = []


def end_as_by_ctrl_c() -> None:
    """From now on SIGTERM, and SIGHUP of a closed terminal, end the command as Ctrl-C does.

    By default they would end Python at once, and leave the processes it started. What is ignored
    stays so: `nohup` does that.
    """
    for number in _ENDING:
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, _end)


def wait_for_the_end() -> None:
    """Return when the command is asked to end, or was before; `end_as_by_ctrl_c` came first."""
    try:
        while not _asked:
            time.sleep(_LOOK_SECONDS)
    except KeyboardInterrupt:
        return


def _end(number: int, _frame: FrameType | None) -> None:
    """Interrupt, and remember it: Python drops what is raised while an object is being freed."""
    _asked.append(number)
    raise KeyboardInterrupt
