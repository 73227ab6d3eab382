"""Twisted's reactor in one background thread, for all tests of a session.

A reactor runs once in a process: whoever needs it calls `start`, and the session's end stops it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar, cast

from twisted.internet import reactor as _reactor
from twisted.internet.threads import blockingCallFromThread

Parameters = ParamSpec("Parameters")
Result = TypeVar("Result")

reactor = cast(Any, _reactor)
_SECONDS = 20
_threads: list[threading.Thread] = []


def start() -> None:
    """Run the reactor in a thread, unless it runs already."""
    if _threads:
        return
    running = threading.Event()
    reactor.callWhenRunning(running.set)
    thread = threading.Thread(
        target=reactor.run, kwargs={"installSignalHandlers": False}, name="reactor", daemon=True
    )
    _threads.append(thread)
    thread.start()
    assert running.wait(_SECONDS), "the reactor did not start"


def in_reactor(
    function: Callable[Parameters, Any], *args: Parameters.args, **kwargs: Parameters.kwargs
) -> Any:
    """What a function returns that runs in the reactor's thread; Deferreds are waited for."""
    return blockingCallFromThread(reactor, function, *args, **kwargs)


def stop() -> None:
    """Stop the reactor at the end of the session."""
    if _threads and _threads[0].is_alive():
        reactor.callFromThread(reactor.stop)
        _threads[0].join(_SECONDS)
