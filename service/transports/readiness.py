"""The checks of a node that says whether it can serve: run side by side, few times a second.

Probes are not counted as calls are, so that nobody who calls too often gets a node restarted. That
a flood of them costs nothing is seen to here: who comes while the checks run, or soon after, is
told the same.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Coroutine, Mapping
from typing import Any, TypeAlias

from twisted.internet import defer
from twisted.internet.defer import Deferred

from service.rpc.faults import new_trace
from service.transports.timing import Clock, within_time

Check: TypeAlias = Callable[[], Coroutine[Any, Any, str | None]]
Found: TypeAlias = dict[str, str | None]

_log = logging.getLogger("herdbook.admin")
# Kubernetes gives a probe one second unless told otherwise: answer before it gives up.
_CHECK_SECONDS = 0.8
# Five times a second is nothing to a database, and no probe comes as often.
_KEPT_SECONDS = 0.2


class Readiness:
    """What the checks find. Each returns None, or what is wrong in a few words."""

    def __init__(self, checks: Mapping[str, Check], clock: Clock) -> None:
        self._checks = checks
        self._clock = clock
        self._waiting: list[Deferred[Found]] | None = None
        self._found: Found = {}
        self._good_until: float | None = None

    def found(self) -> Deferred[Found]:
        """What each check found, by name; never fails. Whoever waits may be cancelled alone."""
        told: Deferred[Found] = Deferred()
        if self._waiting is not None:
            self._waiting.append(told)
        elif self._good_until is not None and self._clock.seconds() < self._good_until:
            told.callback(self._found)
        else:
            self._waiting = [told]
            Deferred.fromCoroutine(self._run())
        return told

    async def _run(self) -> None:
        """Run all checks side by side, and tell all who wait."""
        begun = {name: self._begin(name, check) for name, check in self._checks.items()}
        self._found = {name: await running for name, running in begun.items()}
        self._good_until = self._clock.seconds() + _KEPT_SECONDS
        waiting, self._waiting = self._waiting or [], None
        for told in waiting:
            told.callback(self._found)

    def _begin(self, name: str, check: Check) -> Deferred[str | None]:
        """Begin one check within its time; it fires with what it found and never fails."""
        running = Deferred.fromCoroutine(_safely(name, check))
        return within_time(running, _CHECK_SECONDS, self._clock, _too_slow)


async def _safely(name: str, check: Check) -> str | None:
    """What a check found; one that breaks has found that, and the log is told the rest."""
    try:
        return await check()
    except defer.CancelledError:
        raise
    except Exception as error:
        trace = new_trace()
        _log.error("the check %s broke (trace %s)", name, trace, exc_info=error)
        return f"the check itself broke (trace {trace})"


def _too_slow(outcome: object, seconds: float) -> str:
    """What is said of a check that did not come to an end."""
    return f"no answer within {seconds:g} seconds"
