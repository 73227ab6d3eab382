"""The ranges in memory are kept true: whatever is sealed of nodes and ranges is read anew.

By the API, by plain SQL or by a sibling: all of it comes into the changelog, and the sealer tells
how far that is. So nothing is asked while nothing changes.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Set
from dataclasses import dataclass
from functools import partial
from typing import Any
from uuid import UUID

from twisted.internet.defer import Deferred

from service.ranges.blocks import Block
from service.ranges.disputes import Dispute, disputes
from service.ranges.values import Range
from service.store.feed.entries import Span, ends_of, entries_in
from service.store.feed.waiting import Clock, Positions
from service.store.ranges.book import RangeBook
from service.store.ranges.rows import all_ranges, node_names, ranges_with
from service.store.threads import Lane
from service.store.transaction import Transaction

PAUSE_SECONDS = 0.2
"""Between two looks, however often something is sealed."""

RETRY_SECONDS = 1.0
"""After a look that failed."""

MOST_CHANGES = 1_000
"""Where there are more, everything is read again, in a thread: these take the reactor 50 ms."""

_log = logging.getLogger(__name__)

OnRelease = Callable[[Block | None], None]


@dataclass(frozen=True)
class News:
    """What was read: as of a position or later, these ranges are so, or gone (None).

    `whole`: all was read, into a book. `names` are those of all nodes.
    """

    position: int
    names: dict[str, str]
    ranges: dict[UUID, Range | None]
    whole: bool = False


def read_news(tx: Transaction, after: int | None, whole: RangeBook) -> News:
    """What was sealed after a position.

    Where that is None, or too much, or not to be had, everything is read into the book `whole`. The
    position is read first: what is committed meanwhile is met twice rather than never.
    """
    ends = ends_of(tx)
    if after is not None and ends.horizon <= after <= ends.head:
        span = Span(after, ends.head)
        entries = entries_in(tx, span, frozenset({"node", "range"}), MOST_CHANGES)
        if not entries:
            return News(ends.head, {}, {})
        if len(entries) < MOST_CHANGES and all(entry.key is not None for entry in entries):
            keys = {
                entry.key[0]: None for entry in entries if entry.record == "range" and entry.key
            }
            now = {each.id: each for each in ranges_with(tx, keys)}
            return News(ends.head, node_names(tx), keys | now)
    whole.fill(all_ranges(tx), node_names(tx))
    return News(ends.head, {}, {}, whole=True)


class Following:
    """Keeps a book of all ranges. All of it is for the reactor's thread.

    `on_release` is told each block that is a range's no more; None where that may be any.
    `on_whole` is called where there is a new book, which may be large, and stays.
    """

    def __init__(
        self,
        reading: Lane,
        positions: Positions,
        clock: Clock,
        on_release: OnRelease = lambda _block: None,
        on_whole: Callable[[], None] = lambda: None,
    ) -> None:
        self._reading = reading
        self._positions = positions
        self._clock = clock
        self._on_release = on_release
        self._on_whole = on_whole
        self._book: RangeBook | None = None
        self._given: dict[UUID, Block] = {}
        self._position: int | None = None
        self._behind = self._looking = self._failing = False
        self._next: Any = None
        self._stop: Callable[[], None] | None = None
        self._waiters: list[Deferred[None]] = []

    def start(self) -> None:
        """Read everything, and follow what is sealed."""
        self._stop = self._positions.subscribe(self._sealed)
        if not self._looking:
            self._look()

    def stop(self) -> None:
        """Follow no more."""
        if self._stop is not None:
            self._stop()
            self._stop = None
        self._look_no_later()

    async def book(self) -> RangeBook:
        """The book. Where there is none yet, however many ask wait for one reading of it."""
        if self._book is None:
            waiter: Deferred[None] = Deferred(self._waiters.remove)
            self._waiters.append(waiter)
            if not self._looking:
                self._look_no_later()
                self._look()
            await waiter
        assert self._book is not None, "all of it was read"
        return self._book

    def given(self, identity: UUID, block: Block) -> None:
        """A block was given out by this node; its release is told, however soon that comes."""
        if self._book is None or identity not in self._book:
            self._given[identity] = block

    @property
    def remembered(self) -> int:
        """How many blocks were given out and have not been met yet."""
        return len(self._given)

    async def disputes(self) -> list[Dispute]:
        """All disputes, found in a thread; nodes have their names."""
        known = (await self.book()).known()
        return await self._reading.run(lambda _tx: disputes(known.named()))

    def _sealed(self, _position: int) -> None:
        self._behind = True
        if not self._looking and self._next is None:
            self._look()

    def _look(self) -> None:
        self._next, self._looking, self._behind = None, True, False
        # It is filled in the thread: to do so takes half a second for 100,000 ranges.
        whole = RangeBook()
        looked: Any = self._reading.run(partial(read_news, after=self._position, whole=whole))
        looked.addCallback(self._took, whole, set(self._given)).addErrback(self._failed)
        looked.addBoth(lambda _nothing: self._rest())

    def _look_no_later(self) -> None:
        """The look that was put off is not done then."""
        if self._next is not None:
            self._next.cancel()
            self._next = None

    def _rest(self) -> None:
        """Look again after a pause, where something was sealed meanwhile."""
        self._looking = False
        if self._stop is not None:
            pause = RETRY_SECONDS if self._failing else PAUSE_SECONDS
            self._next = self._clock.callLater(pause, self._rested)

    def _rested(self) -> None:
        self._next = None
        if self._behind:
            self._look()

    def _took(self, news: News, whole: RangeBook, before: Set[UUID]) -> None:
        """What was read goes into the book; only then is it as of that position.

        `before` are those given out before it was read: they are in it, or are gone.
        """
        former = None if news.whole else self._book
        if former is None:
            self._book = whole
            later = self._given.keys() - before
            self._given = {key: self._given[key] for key in later if key not in whole}
            self._on_release(None)
        else:
            self._note(former, news)
        self._failing = False
        self._position = news.position
        self._tell_waiters(lambda waiter: waiter.callback(None))
        if former is None:
            self._on_whole()

    def _note(self, book: RangeBook, news: News) -> None:
        """Some ranges are not what they were."""
        if news.names:
            book.rename(news.names)
        for identity, now in news.ranges.items():
            before, given = book.set(identity, now), self._given.pop(identity, None)
            gone = before or given
            if gone is not None and (now is None or now.block != gone):
                self._on_release(gone)

    def _failed(self, failure: Any) -> None:
        """It is tried again: where something was missed, nothing else would bring it."""
        if self._stop is not None and not self._failing:
            _log.warning("the ranges cannot be read, which is tried again: %s", failure.value)
        self._behind = self._failing = True
        self._tell_waiters(lambda waiter: waiter.errback(failure))

    def _tell_waiters(self, tell: Callable[[Deferred[None]], None]) -> None:
        """Whoever waits for the book is told, once."""
        waiters, self._waiters[:] = list(self._waiters), []
        for waiter in waiters:
            tell(waiter)
