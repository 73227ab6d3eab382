"""One subscription as a machine: what happened goes in, what is to be done comes out.

    subscribed ─ begin ─> DRAINING ─ drained ─> READING ─ page ─> DRAINING ─ … ─> WAITING
                             ^                     │ failed          │ stalled       │
                             ├────── rested ─── RESTING              v               │
                             ├────────────────────────────────────── │ ── page ──────┤
                             └─────────────────── sealed ───────── ENDED <───────────┘

A page is read only when the connection has taken all that was sent before, so that a reader who is
slow costs one page and not all that it misses. Nothing is left out and nothing told twice: a page
begins where the one before it ended, and whatever is sealed while no page is being read is noted.

Who waits also leaves word that the next page be read while it is sealed. That is sooner, when it
comes about; where the position is known before such a page is, it is given up and one is read.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TypeAlias

from service.errors import PositionBeyondHead
from service.methods.feed_port import FeedPage

TOLD_EVERY = 1_000
"""So many positions that are passed over are told, so that a reader need not begin before them."""

FIRST_REST, LONGEST_REST = 0.25, 8.0
"""Seconds between attempts while pages cannot be read; each rest is twice the one before."""

STALLED, PRUNED, TOO_LARGE = "stalled", "pruned", "too_large"
"""Why a subscription ends unasked; the code of an error where one kept it from being read."""

BEYOND_HEAD = PositionBeyondHead.code
"""The database was restored below what the subscriber has, while it was subscribed."""


@dataclass(frozen=True)
class AwaitDrain:
    """Say `drained` once the connection has taken all that was sent; at once where it has."""


@dataclass(frozen=True)
class Read:
    """Read a page, and say `page` or `failed`."""

    after: int
    limit: int


@dataclass(frozen=True)
class Expect:
    """Let a page be read when something is sealed, and say `page`; it may come to nothing."""

    after: int
    limit: int


@dataclass(frozen=True)
class GiveUp:
    """Expect no page any more."""


@dataclass(frozen=True)
class Tell:
    """Send a page's changes; say `too_large` where that is not possible."""

    page: FeedPage


@dataclass(frozen=True)
class TellOverflow:
    """Send the end of the subscription: it can be taken up again after `next`."""

    next: int
    reason: str


@dataclass(frozen=True)
class Rest:
    """Say `rested` after so many seconds."""

    seconds: float


@dataclass(frozen=True)
class End:
    """Forget the subscription and stop what is under way for it."""


Action: TypeAlias = AwaitDrain | Read | Expect | GiveUp | Tell | TellOverflow | Rest | End
Actions: TypeAlias = tuple[Action, ...]


class State(Enum):
    """What a subscription waits for."""

    SUBSCRIBED = "that its number is told"
    DRAINING = "that the connection takes what was sent"
    READING = "a page"
    WAITING = "a change"
    RESTING = "that pages can be read again"
    ENDED = "nothing"


class Subscription:
    """Where one subscription stands. What comes out of order changes nothing."""

    def __init__(self, after: int, limit: int) -> None:
        self.state = State.SUBSCRIBED
        self.next = after
        self._limit = self._usual_limit = limit
        self._told = after
        self._before = after
        self._newest: int | None = None
        self._rest = FIRST_REST

    def begin(self) -> Actions:
        """The subscriber knows its number: changes may follow."""
        return self._await_drain() if self.state is State.SUBSCRIBED else ()

    def drained(self) -> Actions:
        """The connection has taken all that was sent."""
        if self.state is not State.DRAINING:
            return ()
        if not self._is_behind():
            return self._wait()
        self.state = State.READING
        return (Read(self.next, self._limit),)

    def sealed(self, position: int) -> Actions:
        """There are changes up to this position."""
        self._newest = max(position, self._newest or 0)
        if self.state is State.WAITING and self._is_behind():
            return (GiveUp(), *self._await_drain())
        return ()

    def page(self, page: FeedPage) -> Actions:
        """A page was read."""
        if self.state not in (State.READING, State.WAITING):
            return ()
        self._rest = FIRST_REST
        if not page.found:
            return self._overflow(PRUNED if self.next < page.ends.horizon else BEYOND_HEAD)
        self._before, self.next = self.next, page.next
        # Something was sealed while it was being read, which its snapshot does not show.
        is_old = (self._newest or 0) > page.ends.head
        self._newest = max(page.ends.head, self._newest or 0)
        if not page.changes and self.next - self._told < TOLD_EVERY:
            return self._after_page(may_bring_more=is_old or self.next > self._before)
        self._told = self.next
        return (Tell(page), *self._await_drain())

    def too_large(self, changes: int) -> Actions:
        """The page that was to be told, of so many changes, finds no room in one message."""
        if self.state is not State.DRAINING:
            return ()
        if changes <= 1:
            return self.broken(TOO_LARGE)
        self.next = self._told = self._before
        self._limit = changes // 2
        return ()

    def broken(self, code: str) -> Actions:
        """The page that was to be told cannot be told, and will not be later."""
        if self.state is not State.DRAINING:
            return ()
        self.next = self._before
        return self._overflow(code)

    def was_told(self) -> None:
        """The page is on its way; after one that was made smaller the next may grow again."""
        self._limit = min(2 * self._limit, self._usual_limit)

    def failed(self, code: str, *, passing: bool) -> Actions:
        """A page could not be read; where that may pass, it is tried again."""
        if self.state is not State.READING:
            return ()
        if not passing:
            return self._overflow(code)
        self.state = State.RESTING
        rest, self._rest = self._rest, min(2 * self._rest, LONGEST_REST)
        return (Rest(rest),)

    def rested(self) -> Actions:
        """It is time for the next attempt."""
        return self._await_drain() if self.state is State.RESTING else ()

    def stalled(self) -> Actions:
        """The subscriber has not read for a long time, and what it was sent is in its way."""
        return self._overflow(STALLED) if self.state is State.DRAINING else ()

    def end(self) -> Actions:
        """The subscriber wants no more, or is gone."""
        if self.state is State.ENDED:
            return ()
        self.state = State.ENDED
        return (End(),)

    def _is_behind(self) -> bool:
        """Whether there may be something to read; before the first page that is not known."""
        return self._newest is None or self._newest > self.next

    def _await_drain(self) -> Actions:
        self.state = State.DRAINING
        return (AwaitDrain(),)

    def _after_page(self, *, may_bring_more: bool) -> Actions:
        """What follows a page of which nothing is told."""
        if may_bring_more and self._is_behind():
            return self._await_drain()
        # A page that brought nothing, though there was something, is not asked for again at once.
        return self._wait()

    def _wait(self) -> Actions:
        self.state = State.WAITING
        return (Expect(self.next, self._limit),)

    def _overflow(self, reason: str) -> Actions:
        self.state = State.ENDED
        return (TellOverflow(self.next, reason), End())
