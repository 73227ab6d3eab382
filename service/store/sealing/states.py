"""The two things a sealing room can be about, and how one becomes the other.

    Waiting   another process seals: look at the lease, take it when it stands still
    Sealing   make passes, look for what plain SQL wrote, show signs of life, prune

A state makes one turn and says what comes next. NotHolder leads from Sealing to Waiting.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias

from service.errors import OutcomeUnknown, Unavailable
from service.store.sealing import pace
from service.store.sealing.lease import BEAT_SECONDS, Decision, NotHolder, Watch
from service.store.sealing.passes import Pass, Sealer
from service.store.sealing.reading import Reading, Readings
from service.store.sealing.scan import Scan
from service.store.transaction import Transaction

Prune: TypeAlias = Callable[[], tuple[int, bool]]
"""Removes some of what is too old; how many entries, and whether there is more."""

# A pass that read more than this took its time for entries, not for what was sealed before.
_FEW = 100

_log = logging.getLogger(__name__)


class Observer(Protocol):
    """Who is told what a room does, in the room's thread."""

    def passed(self, sealed: int, held: int, seconds: float) -> None:
        """A pass sealed some entries, left some that are held, and took so long."""

    def at(self, position: int) -> None:
        """The last position is known, be it new or not."""

    def holds(self, holder: bool) -> None:
        """Whether this process seals from now on."""

    def pruned(self, entries: int) -> None:
        """Entries were pruned."""

    def follows(self) -> bool:
        """Whether somebody waits for positions that others give."""


@dataclass(frozen=True)
class Parts:
    """What the states work with. The clock only goes forward."""

    sealer: Sealer
    prune: Prune
    readings: Readings
    observer: Observer
    clock: Callable[[], float]


@dataclass(frozen=True)
class Turn:
    """What comes next: the state, and when.

    It rests for a while, whatever comes, and then waits as long as there is nothing to do.
    """

    state: State
    wait: float
    rest: float = 0.0


class Waiting:
    """The lease is held by another process, or by nobody yet."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._watch = Watch()

    def turn(self, rung: bool) -> Turn:
        """Look at the lease once; turn away what wants to be read."""
        parts = self._parts
        for reading in parts.readings.take_all():
            reading.fail(NotHolder("another process seals"))
        lease, position = parts.sealer.lease()
        parts.observer.at(position)
        self._watch, decision = self._watch.look(lease, parts.clock())
        if decision is Decision.TAKE and parts.sealer.take(lease):
            _log.info("this process seals from here on, after position %d", position)
            return Turn(Sealing(parts), 0.0)
        follows = parts.observer.follows()
        return Turn(self, 0.0, pace.FOLLOW_SECONDS if follows else pace.LEASE_SECONDS)


class Sealing:
    """The lease is held by this process, as far as is known."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._scan = Scan()
        self._held = 0
        self._rung = False
        self._rest_until = parts.clock()
        # When it last passed, showed a sign of life, and is to prune.
        self._passed: float | None = None
        self._beaten = parts.clock()
        self._prune_at = self._beaten + pace.FIRST_PRUNE_SECONDS

    def turn(self, rung: bool) -> Turn:
        """Seal if there is something to seal or to read; then whatever else is due."""
        self._rung = self._rung or rung
        if self._parts.clock() < self._rest_until:
            return self._rested(0.0)
        asked = self._parts.readings.take_asked()
        more = False
        if self._rung or asked or self._due():
            self._rung = False
            more = self._pass(asked)
        more = self._prune() or more
        self._rest_until = self._parts.clock() + self._scan.rest()
        return self._rested(0.0 if more else pace.LOOK_SECONDS)

    def _rested(self, wait: float) -> Turn:
        """A turn's end: a sign of life where it is due, and a rest that ends before the next is."""
        if self._parts.clock() - self._beaten >= BEAT_SECONDS:
            self._parts.sealer.beat()
            self._beaten = self._parts.clock()
        now = self._parts.clock()
        rest = max(0.0, self._rest_until - now)
        due = self._beaten + BEAT_SECONDS - now
        return Turn(self, wait, rest) if rest <= due else Turn(self, 0.0, max(0.0, due))

    def _due(self) -> bool:
        """Whether there is something new in the inbox, or something held is to be tried again."""
        now = self._parts.clock()
        if self._passed is None or (self._held and now - self._passed >= pace.HELD_SECONDS):
            return True
        if self._held > _FEW:
            return False
        floor = self._scan.floor(now)
        found = self._parts.sealer.waiting(floor, self._held + 1)
        if floor == 0:
            ended = self._parts.clock()
            self._scan = self._scan.full(ended - now, ended)
        return len(found) > self._held

    def _pass(self, asked: Sequence[Reading[Any]]) -> bool:
        """Make a pass and tell those who read in it; whether another should follow at once."""
        standing: list[Reading[Any]] = []
        tell: list[Callable[[], None]] = []

        def read(tx: Transaction, made: Pass) -> None:
            # The server may make the pass be done again: then they have been taken already.
            if made.sealed and not standing:
                standing.extend(self._parts.readings.take_standing())
            tell[:] = [reading.run(tx) for reading in (*asked, *standing)]

        began = self._parts.clock()
        # Until the outcome is known there is something to find out, also what happened after all.
        self._passed = None
        try:
            made, _result = self._parts.sealer.seal(read)
        except BaseException as error:
            for reading in (*asked, *standing):
                reading.fail(_for_readers(error))
            raise
        # Before the new position: whoever has its page need not be woken.
        for one in tell:
            one()
        self._note(made, began)
        return made.more

    def _note(self, made: Pass, began: float) -> None:
        """Take over what a pass has found out."""
        now = self._parts.clock()
        if made.sealed + made.held <= _FEW:
            self._scan = self._scan.full(made.scan_seconds, now)
        if made.highest:
            self._scan = self._scan.seen(made.highest)
        if made.sealed:
            self._beaten = now
        self._held, self._passed = made.held, now
        self._parts.observer.passed(made.sealed, made.held, now - began)
        self._parts.observer.at(made.position)

    def _prune(self) -> bool:
        """Prune a little when it is time; whether there is more to prune."""
        now = self._parts.clock()
        if now < self._prune_at:
            return False
        # Also where it fails, the next try is only then: sealing comes first.
        self._prune_at = now + pace.PRUNE_SECONDS
        entries, more = self._parts.prune()
        if entries:
            self._parts.observer.pruned(entries)
        if more:
            self._prune_at = now
        return more


State: TypeAlias = Waiting | Sealing


def _for_readers(error: BaseException) -> BaseException:
    """What those are told who wanted to read: for them a commit that is unsure is none."""
    if isinstance(error, OutcomeUnknown):
        return Unavailable("the connection to the database was lost")
    return error
