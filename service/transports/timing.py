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
