"""A command that is asked to end cleans up behind itself."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

_ENDING = (signal.SIGTERM, signal.SIGHUP)

_LOOK_SECONDS = 0.2
"""How soon a command that waits ends, should what interrupts it get lost."""

_asked: list[int] = []
_holding: list[None] = []


def remember_interrupts() -> None:
    """From now on Ctrl-C is remembered as well: libraries drop it where they catch whatever comes.

    Some do so while they are imported; and what is raised while an object is freed Python drops.
    """
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, _end)


def end_as_by_ctrl_c() -> None:
    """From now on SIGTERM, and SIGHUP of a closed terminal, end the command as Ctrl-C does.

    By default they would end Python at once, and leave the processes it started. What is ignored
    stays so: `nohup` does that. Raises KeyboardInterrupt where the end was asked for before.
    """
    for number in _ENDING:
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, _end)
    end_if_asked()


def end_if_asked() -> None:
    """Raise KeyboardInterrupt where the end was asked for before, and that may have got lost."""
    if _asked:
        raise KeyboardInterrupt


def hand_over() -> None:
    """Others handle signals from now on: they get what came before and may have got lost."""
    if _asked:
        os.kill(os.getpid(), _asked[-1])


def wait_for_the_end() -> None:
    """Return when the command is asked to end, or was before."""
    try:
        while not _asked:
            time.sleep(_LOOK_SECONDS)
    except KeyboardInterrupt:
        return


@contextmanager
def not_interrupted() -> Iterator[None]:
    """What asks for the end during the block ends the command when the block is done.

    So nobody is left without the process that he has just started. A block takes moments only.
    """
    before = len(_asked)
    _holding.append(None)
    try:
        yield
    finally:
        _holding.pop()
    if len(_asked) > before:
        raise KeyboardInterrupt


def ignore_interrupts() -> None:
    """The command is ending, and must not stop half-way because it is asked to once more."""
    for number in (signal.SIGINT, *_ENDING):
        signal.signal(number, signal.SIG_IGN)


def _end(number: int, _frame: FrameType | None) -> None:
    _asked.append(number)
    if not _holding:
        raise KeyboardInterrupt
