"""The clock of the reactor, as the type checker sees it.

Twisted describes it by a zope interface, which a type checker cannot follow without a plugin. The
reactor fits this protocol, and `twisted.internet.task.Clock` does in tests.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol, TypeVar, cast

from twisted.internet.defer import Deferred

Result = TypeVar("Result")


class Clock(Protocol):
    """What tells the time and calls back later."""

    def seconds(self) -> float:
        """The time, from any starting point."""

    def callLater(self, delay: float, call: Callable[..., Any], /) -> Any:  # noqa: N802
        """Call a function after a while; returns an IDelayedCall."""


def within_time(
    running: Deferred[Result],
    seconds: float,
    clock: Clock,
    late: Callable[[object, float], Result] | None = None,
) -> Deferred[Result]:
    """The same Deferred, cancelled when its time is up.

    It then fires with `late(outcome, seconds)`, or with `defer.TimeoutError` where that is not
    given. An error other than the cancellation, raised while it is cancelled, is kept.
    """
    return cast("Deferred[Result]", running.addTimeout(seconds, cast(Any, clock), late))


def fired() -> Deferred[None]:
    """A Deferred with nothing to wait for."""
    done: Deferred[None] = Deferred()
    done.callback(None)
    return done


class Timer:
    """Calls a function when its time is up, unless it is stopped before; may be used again."""

    def __init__(self, clock: Clock, seconds: float, late: Callable[[], None]) -> None:
        self._clock = clock
        self._seconds = seconds
        self._late = late
        self._running: Any = None

    def start(self) -> None:
        """Give it its whole time, from now on."""
        self.stop()
        self._running = self._clock.callLater(self._seconds, self._end)

    def stop(self) -> None:
        """Nothing is waited for."""
        if self._running is not None:
            self._running.cancel()
            self._running = None

    def run_while(self, waited_for: bool) -> None:
        """Let it run on, or start it, while something is waited for; else stop it."""
        if not waited_for:
            self.stop()
        elif self._running is None:
            self.start()

    def _end(self) -> None:
        self._running = None
        self._late()
