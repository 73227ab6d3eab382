"""Whether something that a node needs is still there, while it runs; in the reactor's thread."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Hashable
from typing import Any, ClassVar, Generic, Protocol, TypeVar

from service.store.threads import Lane
from service.store.transaction import Transaction

SURE_SECONDS = 2.0
"""How soon is looked once more where something seems to be wrong: it may just be replaced."""

Found = TypeVar("Found", bound=Hashable)


class Clock(Protocol):
    """What the reactor is needed for."""

    def callLater(self, delay: float, call: Callable[..., Any], /, *given: Any) -> Any:  # noqa: N802
        """Call a function after a while; returns an IDelayedCall."""


class Watch(Generic[Found]):
    """Looks every so often, and tells of what is missing.

    Only what two looks in a row have found counts. A look that fails tells nothing, nor does one
    that gives None. Who inherits says how to put what was found in words.
    """

    log: ClassVar[logging.Logger]
    healed: ClassVar[str]
    unsure: ClassVar[str]

    def __init__(
        self,
        look: Callable[[Transaction], Collection[Found] | None],
        reading: Lane,
        clock: Clock,
        every: float,
    ) -> None:
        self._look_at = look
        self._reading = reading
        self._clock = clock
        self._every = every
        self._suspected: frozenset[Found] = frozenset()
        self._missing: frozenset[Found] = frozenset()
        self._failing = False
        self._stopped = False
        self._next: Any = None

    def __len__(self) -> int:
        """How much is missing."""
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
        """What is missing and what to do, in a few words; None where all is well."""
        return self.in_words(self._missing) if self._missing else None

    def in_words(self, missing: Collection[Found]) -> str:
        """What is said of all that is missing."""
        raise NotImplementedError

    def _look_in(self, seconds: float) -> None:
        if not self._stopped:
            self._next = self._clock.callLater(seconds, self._look)

    def _look(self) -> None:
        self._next = None
        looked = self._reading.run(self._look_at)
        looked.addCallbacks(self._seen, self._failed)

    def _seen(self, missing: Collection[Found] | None) -> None:
        """Take note of what a look has found; where that is not sure yet, look again soon."""
        self._failing = False
        before = self._missing
        found = before if missing is None else frozenset(missing)
        self._missing = found & self._suspected
        self._suspected = found
        if self._missing - before:
            self.log.error("%s", self.problem())
        elif before and not self._missing:
            self.log.info("%s", self.healed)
        sure = found == self._missing
        self._look_in(self._every if sure else min(SURE_SECONDS, self._every))

    def _failed(self, failure: Any) -> None:
        """What was known stays; the log is told once."""
        if not self._failing and not self._stopped:
            self.log.warning("%s: %s", self.unsure, failure.value)
        self._failing = True
        self._look_in(self._every)
