"""Whether the triggers of capture are still there, while a node runs; in the reactor's thread."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any, Protocol

from service.store.capture_look import unguarded_tables
from service.store.threads import Lane

SURE_SECONDS = 2.0
"""How soon is looked once more where something seems to be wrong: it may just be replaced."""

_log = logging.getLogger(__name__)


class Clock(Protocol):
    """What the reactor is needed for."""

    def callLater(self, delay: float, call: Callable[..., Any], /, *given: Any) -> Any:  # noqa: N802
        """Call a function after a while; returns an IDelayedCall."""


class CaptureWatch:
    """Looks every so often, and tells of tables whose changes escape.

    Only what two looks in a row have found counts. A look that fails tells nothing, nor does one
    while a migration runs: that may take any time to make the triggers of a new table. `advise`
    puts this node's options into the command that it tells of.
    """

    def __init__(
        self, reading: Lane, clock: Clock, every: float, advise: Callable[[str], str]
    ) -> None:
        self._reading = reading
        self._clock = clock
        self._every = every
        self._advice = advise("run `herdbook schema recapture`")
        self._suspected: frozenset[str] = frozenset()
        self._missing: frozenset[str] = frozenset()
        self._failing = False
        self._stopped = False
        self._next: Any = None

    def __len__(self) -> int:
        """How many tables have changes that escape."""
        return len(self._missing)

    def start(self) -> None:
        """Look after a while, and then again and again."""
        self._look_in(self._every)

    def stop(self) -> None:
        """Look no more."""
        self._stopped = True
        if self._next is not None:
            self._next.cancel()
            self._next = None

    def problem(self) -> str | None:
        """Whose changes escape and what to do, in a few words; None where all is well."""
        if not self._missing:
            return None
        tables = ", ".join(sorted(self._missing))
        return (
            "changes of these tables are not noted, the triggers that note them are missing or "
            f"were changed: {tables}; {self._advice}"
        )

    def _look_in(self, seconds: float) -> None:
        if not self._stopped:
            self._next = self._clock.callLater(seconds, self._look)

    def _look(self) -> None:
        self._next = None
        looked = self._reading.run(unguarded_tables)
        looked.addCallbacks(self._seen, self._failed)

    def _seen(self, tables: tuple[str, ...] | None) -> None:
        """Take note of what a look has found; where that is not sure yet, look again soon."""
        self._failing = False
        before = self._missing
        found = before if tables is None else frozenset(tables)
        self._missing = found & self._suspected
        self._suspected = found
        if self._missing - before:
            _log.error("%s", self.problem())
        elif before and not self._missing:
            _log.info("all triggers that note changes are there again")
        sure = found == self._missing
        self._look_in(self._every if sure else min(SURE_SECONDS, self._every))

    def _failed(self, failure: Any) -> None:
        """What was known stays; the log is told once."""
        if not self._failing and not self._stopped:
            _log.warning("whether all triggers are there is not known: %s", failure.value)
        self._failing = True
        self._look_in(self._every)
