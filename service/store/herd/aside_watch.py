"""Looks every so often at what is held and what the journal has got; in the reactor's thread."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from service.store.feed.snapshots import in_snapshot
from service.store.threads import Lane
from service.store.transaction import Transaction
from service.store.watch import Clock

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Look:
    """What is held by reason, the journal's last number, and its new entries by rule."""

    held: Mapping[str, int]
    last: int
    noted: Mapping[str, int]


class Shows(Protocol):
    """Whoever is told."""

    def held(self, by_reason: Mapping[str, int]) -> None:
        """So many rows are held."""
        ...

    def noted(self, by_rule: Mapping[str, int]) -> None:
        """So many entries have come into the journal."""
        ...


class AsideWatch:
    """Tells of what is put aside while the node runs; of the journal only what is new."""

    def __init__(self, reading: Lane, clock: Clock, every: float, shows: Shows) -> None:
        self._reading = reading
        self._clock = clock
        self._every = every
        self._shows = shows
        self._last: int | None = None
        self._failing = False
        self._stopped = False
        self._next: Any = None

    def start(self) -> None:
        """Look now, and then again and again."""
        self._look_in(0)

    def stop(self) -> None:
        """Look no more."""
        self._stopped = True
        if self._next is not None:
            self._next.cancel()
            self._next = None

    def _look_in(self, seconds: float) -> None:
        if not self._stopped:
            self._next = self._clock.callLater(seconds, self._look)

    def _look(self) -> None:
        self._next = None
        last = self._last
        looked = self._reading.run(in_snapshot(lambda tx: look(tx, last)))
        looked.addCallbacks(self._seen, self._failed)

    def _seen(self, found: Look) -> None:
        self._failing = False
        self._last = found.last
        self._shows.held(found.held)
        self._shows.noted(found.noted)
        self._look_in(self._every)

    def _failed(self, failure: Any) -> None:
        """What was told stays; the log is told once."""
        if not self._failing and not self._stopped:
            _log.warning("what is put aside is not known: %s", failure.value)
        self._failing = True
        self._look_in(self._every)


def look(tx: Transaction, last: int | None) -> Look:
    """What is held, and what was noted after an entry; None: all that is there is known."""
    held = tx.rows("SELECT `reason`, COUNT(*) FROM `herdbook_held` GROUP BY `reason`")
    ((newest,),) = tx.rows("SELECT COALESCE(MAX(`number`), 0) FROM `herdbook_journal`")
    since = int(newest) if last is None else last
    noted = tx.rows(
        "SELECT `rule`, COUNT(*) FROM `herdbook_journal` WHERE `number` > ? GROUP BY `rule`",
        (since,),
    )
    return Look(
        {reason: int(count) for reason, count in held},
        # The journal begins anew where the database was restored from a copy.
        int(newest),
        {rule: int(count) for rule, count in noted},
    )
