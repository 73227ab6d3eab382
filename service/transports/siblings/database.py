"""Carries out what links want of the database: parts are read and applied, snapshots closed.

Each piece of work ends in an event for the flood, whatever goes wrong.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Coroutine
from typing import Any, NamedTuple

from twisted.internet.defer import Deferred

from service.errors import AccountRefused, DatabaseFull, DatabaseReadOnly, ServiceError
from service.herd.deltas import Delta
from service.herd.flood_events import ApplyFailed, BuildFailed, Built, Committed, Event
from service.herd.link_actions import Apply, Build
from service.herd.planning.draft import DeltaRefused
from service.herd.port import HerdStore, Reading
from service.transports.timing import Clock, Timer

_log = logging.getLogger("herdbook.herd")

_TAKES_NO_WRITES = (DatabaseFull, DatabaseReadOnly, AccountRefused)
"""Whatever is sent, and however often: the node is not what its siblings are."""

GIVEN_UP = "the snapshot was given up, since nothing was asked of it for long"


class _Snapshot:
    """A reading of one link: closed once, and not while a part of it is being read."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.reading: Reading | None = None
        self._is_wanted = True
        self._is_busy = False

    async def part(self, store: HerdStore, build: Build) -> Delta | None:
        """The next part; None where nobody wants it any more. Fails as the store does."""
        self._is_busy = True
        try:
            if self.reading is None:
                self.reading = await store.read(build.above)
            return await self.reading.next() if self._is_wanted else None
        finally:
            self._is_busy = False
            self._close_if_over()

    def close(self) -> None:
        """No more of it is wanted."""
        self._is_wanted = False
        self._close_if_over()

    def _close_if_over(self) -> None:
        if self.reading is not None and not self._is_wanted and not self._is_busy:
            reading, self.reading = self.reading, None
            reading.close()


class _Kept(NamedTuple):
    """A snapshot, and what ends it when nothing is asked of it for long."""

    snapshot: _Snapshot
    timer: Timer


class Database:
    """A node's database for its links. `give` takes the outcomes, `refuse` what nobody may send."""

    def __init__(
        self,
        store: HerdStore,
        clock: Clock,
        reading_seconds: float,
        give: Callable[[Event], None],
        refuse: Callable[[int, str], None],
    ) -> None:
        self._store = store
        self._clock = clock
        self._reading_seconds = reading_seconds
        self._give = give
        self._refuse = refuse
        self._snapshots: dict[int, _Kept] = {}
        self._applying: set[int] = set()
        self._gone: set[int] = set()
        self._age = 0
        self._problems: dict[int, str] = {}

    @property
    def problem(self) -> str | None:
        """Why nothing of what siblings send can be written, until somebody does something."""
        return next(iter(self._problems.values()), None)

    def begin_anew(self) -> None:
        """The node is another one: how the work ends that is under way tells nothing of it."""
        self._age += 1

    def build(self, build: Build) -> None:
        """Read a part; ends in Built or BuildFailed."""
        begin(self._build(build, self._age))

    def apply(self, apply: Apply, sender: int) -> None:
        """Apply a part; ends in Committed or ApplyFailed."""
        begin(self._apply(apply, sender, self._age))

    def unwanted(self, link: int, number: int) -> None:
        """The other side wants no more of a delta."""
        kept = self._snapshots.get(link)
        if kept is not None and kept.snapshot.number == number:
            self._close(link)

    def forget(self, link: int) -> None:
        """A link is closed."""
        self._close(link)
        self._problems.pop(link, None)
        if link in self._applying:
            self._gone.add(link)
        else:
            self._store.forget(link)

    async def _build(self, build: Build, age: int) -> None:
        link, number, part, _above = build
        kept = self._snapshots.get(link)
        if part == 0:
            kept = self._open(link, number)
        elif kept is None:
            self._tell(age, BuildFailed(link, number, GIVEN_UP))
            return
        kept.timer.stop()
        try:
            delta = await kept.snapshot.part(self._store, build)
        except Exception as error:
            self._drop(link, kept)
            self._tell(age, BuildFailed(link, number, _told(error, "a delta could not be read")))
            return
        if delta is None:
            return
        if delta.last:
            self._drop(link, kept)
        elif self._snapshots.get(link) is kept:
            kept.timer.start()
        self._tell(age, Built(link, number, part, delta))

    def _open(self, link: int, number: int) -> _Kept:
        """A new snapshot; what was being read for the link is over."""
        self._close(link)
        timer = Timer(self._clock, self._reading_seconds, lambda: self._close(link))
        kept = self._snapshots[link] = _Kept(_Snapshot(number), timer)
        return kept

    def _close(self, link: int) -> None:
        kept = self._snapshots.pop(link, None)
        if kept is not None:
            kept.timer.stop()
            kept.snapshot.close()

    def _drop(self, link: int, kept: _Kept) -> None:
        """Close this one, which may not be the link's newest any more."""
        if self._snapshots.get(link) is kept:
            self._close(link)
        else:
            kept.snapshot.close()

    async def _apply(self, apply: Apply, sender: int, age: int) -> None:
        link, (number, part, _delta) = apply
        self._applying.add(link)
        refusal = None
        event: Event
        try:
            vector = await self._store.apply(link, sender, apply.portion)
            event = Committed(link, number, part, vector)
            self._problems.clear()
        except DeltaRefused as refused:
            refusal = str(refused)
            event = ApplyFailed(link, number, part, refusal)
        except Exception as error:
            told = _told(error, "a delta could not be applied")
            event = ApplyFailed(link, number, part, told)
            if isinstance(error, _TAKES_NO_WRITES):
                self._problems[link] = f"what siblings send cannot be written: {error.message}"
        self._applying.discard(link)
        if refusal is not None:
            self._refuse(link, refusal)
        if link in self._gone:
            self._gone.discard(link)
            self._problems.pop(link, None)
            self._store.forget(link)
        self._tell(age, event)

    def _tell(self, age: int, event: Event) -> None:
        if age == self._age:
            self._give(event)


def _told(error: Exception, what: str) -> str:
    """What is said of a failure; one that nobody expects is told to the log as a whole."""
    if isinstance(error, ServiceError):
        return f"{error.message} {error.advice}".strip()
    _log.error("%s", what, exc_info=error)
    return f"{what}; the log tells more"


def begin(work: Coroutine[Any, Any, None]) -> Deferred[None]:
    """Let something run that ends by itself; what breaks in it is told to the log."""
    running = Deferred.fromCoroutine(work)
    running.addErrback(lambda failure: _log.error("the herd's work broke", exc_info=failure.value))
    return running
