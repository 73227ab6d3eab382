"""A command that is asked to end cleans up behind itself."""

from __future__ import annotations

import signal

_ENDING = (signal.SIGTERM, signal.SIGHUP)


def end_as_by_ctrl_c() -> None:
    """From now on SIGTERM, and SIGHUP of a closed terminal, end the command as Ctrl-C does.

    By default they would end Python at once, and leave the processes it started. What is ignored
    stays so: `nohup` does that.
    """
    for number in _ENDING:
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, signal.default_int_handler)
