"""The feed behind the methods' port: in lanes, and within the passes of the sealer."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Protocol, TypeVar

from MySQLdb import Error as DriverError
from storm.exceptions import Error as StormError

from service.errors import ServiceError
from service.methods.feed_port import Consumer, Ends, FeedPage, Wanted
from service.store.database import LOST_CONNECTION, error_number
from service.store.feed import consumers
from service.store.feed.entries import ends_of
from service.store.feed.pages import Bounds, read_page
from service.store.feed.snapshots import in_snapshot
from service.store.feed.waiting import Positions, Waiting
from service.store.sealing.lease import NotHolder
from service.store.threads import Lane
from service.store.transaction import Transaction
from service.store.translation import RETRIED

Result = TypeVar("Result")
Result_co = TypeVar("Result_co", covariant=True)

_NO_PASS = (NotHolder, ServiceError, DriverError, StormError)
"""There was no pass to read in: another process seals, or it failed."""


class Expected(Awaitable[Result_co], Protocol[Result_co]):
    """What may come at some time, as a Deferred does."""

    def addCallbacks(  # noqa: N802
        self, callback: Callable[[Any], object], errback: Callable[[Any], object], /
    ) -> object:
        """Tell how it ended."""
        ...

    def cancel(self) -> None:
        """Wait for it no more."""
        ...


class Sealing(Positions, Protocol):
    """What the feed needs of the sealer."""

    @property
    def holder(self) -> bool:
        """Whether this process seals."""
        ...

    def read_sealed(self, work: Callable[[Transaction], Result]) -> Awaitable[Result]:
        """Read in the snapshot of a pass, after all that is visible in it was sealed."""
        ...

    def read_next(self, work: Callable[[Transaction], Result]) -> Expected[Result]:
        """The same, in a pass that seals something."""
        ...


class StoredFeed:
    """Implements `service.methods.feed_port.Feed` on MySQL.

    A reader near the head reads within a pass of the sealer, so that its page is complete also
    where others never stop writing. One at a time does: the sealer has more to do than to read. The
    others, and those who are behind, read in a snapshot of their own. A reader that has everything
    leaves its next reading with the sealer.
    """

    def __init__(
        self, reading: Lane, writing: Lane, sealing: Sealing, waiting: Waiting, bounds: Bounds
    ) -> None:
        self._reading = reading
        self._writing = writing
        self._sealing = sealing
        self._waiting = waiting
        self._bounds = bounds
        self._sealer_is_asked = False

    async def ends(self) -> Ends:
        """See the port."""
        return await self._reading.run(ends_of)

    async def page(self, after: int, limit: int, wanted: Wanted) -> FeedPage:
        """See the port."""

        def read(tx: Transaction) -> FeedPage:
            return read_page(tx, after, limit, wanted, self._bounds)

        if self._may_ask_sealer(after, limit):
            page = await self._read_sealed(read)
            if page is not None:
                return page
        return await self._reading.run(in_snapshot(read))

    async def coming(self, after: int, limit: int, wanted: Wanted) -> FeedPage | None:
        """See the port."""

        def read(tx: Transaction) -> FeedPage:
            return read_page(tx, after, limit, wanted, self._bounds)

        try:
            return await self._sealing.read_next(lambda tx: _unless_refused(tx, read))
        except _NO_PASS:
            # Whoever waits is woken all the same, and told what is wrong when it reads then.
            return None

    async def following(
        self, after: int, limit: int, wanted: Wanted, seconds: float
    ) -> FeedPage | None:
        """See the port."""

        def read(tx: Transaction) -> FeedPage:
            return read_page(tx, after, limit, wanted, self._bounds)

        # What is read in a pass is told before its position is, and so is there when that comes.
        early: list[FeedPage | None] = []
        expected = self._sealing.read_next(lambda tx: _unless_refused(tx, read))
        expected.addCallbacks(early.append, _unheeded)
        try:
            if not await self._waiting.beyond(after, seconds):
                return None
        finally:
            expected.cancel()
        page = next(iter(early), None)
        return await self.page(after, limit, wanted) if page is None else page

    async def register(self, name: str, position: int | None) -> Consumer:
        """See the port."""
        return await self._writing.run(lambda tx: consumers.register(tx, name, position))

    async def acknowledge(self, name: str, position: int) -> Consumer:
        """See the port."""
        return await self._writing.run(lambda tx: consumers.acknowledge(tx, name, position))

    async def consumers(self) -> tuple[list[Consumer], Ends]:
        """See the port."""
        return await self._reading.run(consumers.listed)

    async def forget(self, name: str) -> None:
        """See the port."""
        await self._writing.run(lambda tx: consumers.forget(tx, name))

    def close(self) -> None:
        """Let nobody wait any more: calls that wait are answered at once."""
        self._waiting.close()

    async def _read_sealed(self, read: Callable[[Transaction], FeedPage]) -> FeedPage | None:
        """A page read within a pass of the sealer; None where that did not work out."""
        self._sealer_is_asked = True
        try:
            return await self._sealing.read_sealed(lambda tx: _unless_refused(tx, read))
        except _NO_PASS:
            # What keeps entries from being sealed need not keep anybody from reading.
            return None
        finally:
            self._sealer_is_asked = False

    def _may_ask_sealer(self, after: int, limit: int) -> bool:
        """Whether the page can reach the head, and the sealer is here and not asked already."""
        near = self._sealing.position() - after < limit
        return near and self._sealing.holder and not self._sealer_is_asked


def _unheeded(_failure: object) -> None:
    """There was no pass to read in: whoever waits is woken all the same, and reads then."""


def _unless_refused(tx: Transaction, read: Callable[[Transaction], FeedPage]) -> FeedPage | None:
    """What is read; None where the server refuses a statement and the transaction goes on.

    A reader whose statements fail, as where a column is gone, must not keep anything from being
    sealed. It is told why when it reads on its own.
    """
    try:
        return read(tx)
    except DriverError as error:
        if error_number(error) in RETRIED | LOST_CONNECTION:
            raise
        return None
