"""All that is held is tried once more, outside of a running node."""

from __future__ import annotations

import random
from collections.abc import Iterator
from functools import partial
from types import TracebackType

from records.catalogue import Catalogue
from service.database_url import DatabaseUrl
from service.herd.held import DROPPED
from service.methods.held_port import HeldQuery, Retried
from service.store.database import HerdbookDatabase
from service.store.herd.described import Descriptions
from service.store.herd.held import CODES
from service.store.herd.held_pages import places_after
from service.store.herd.held_rows import retry
from service.store.herd.session import ApplyingSession
from service.store.settings import SessionSettings
from service.store.transaction import Transaction
from service.store.work import RetryPolicy, Worker

_COUNT = "SELECT COUNT(*) FROM `herdbook_held` WHERE `reason` <> ?"

ROWS_AT_ONCE = 500
"""In one transaction, which locks what it writes: a running node goes on applying meanwhile."""


class HeldWriter:
    """Writes what is held, on a connection of its own; a context that closes it."""

    def __init__(self, url: DatabaseUrl, settings: SessionSettings, catalogue: Catalogue) -> None:
        session = ApplyingSession(settings.connect_seconds, settings.statement_seconds)
        database = HerdbookDatabase(url, session)
        self._worker = Worker(database, catalogue, RetryPolicy(), random.random)
        self._descriptions = Descriptions()

    def __enter__(self) -> HeldWriter:
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        self._worker.close()

    def count(self) -> int:
        """How many rows have something held."""
        return self._worker.run(_count)

    def write(self) -> Iterator[int]:
        """Write what can be, some rows at a time; how many each time. Raises ServiceError.

        Everything is tried again as long as that writes something: rows that had no class may wait
        for parents that had none either, and those may come later in the order.
        """
        while True:
            before = 0
            for written in self._round():
                before += written
                yield written
            if not before:
                return

    def _round(self) -> Iterator[int]:
        """Everything once."""
        after: bytes | None = None
        while True:
            tried = self._worker.run(partial(self._some, after))
            yield tried.tried - len(tried.still)
            after = tried.next
            if after is None:
                return

    def _some(self, after: bytes | None, tx: Transaction) -> Retried:
        places, more = places_after(tx, HeldQuery(limit=ROWS_AT_ONCE), after)
        return retry(tx, self._descriptions, places, more=more)


def _count(tx: Transaction) -> int:
    """Without what was given up; 0 at a revision that knows no herd yet."""
    there = tx.rows(
        "SELECT 1 FROM information_schema.tables "
        "WHERE table_schema = DATABASE() AND table_name = 'herdbook_held'"
    )
    ((count,),) = tx.rows(_COUNT, (CODES[DROPPED],)) if there else ((0,),)
    return int(count)
