"""The journal as the methods see it, newest first."""

from __future__ import annotations

from collections.abc import Sequence

from service.methods.journal_port import (
    JournalPage,
    JournalQuery,
    Noted,
    PutAside,
    WriteBack,
    WrittenBack,
)
from service.store.attempts import written
from service.store.feed.snapshots import in_snapshot
from service.store.herd import journal
from service.store.herd.naming import Names, names_of, nodes_by_origin
from service.store.herd.pages import fitting
from service.store.herd.pieces import JOURNAL
from service.store.herd.writing_back import WritingBack
from service.store.threads import Lane
from service.store.transaction import Transaction


class StoredJournal:
    """Implements `service.methods.journal_port.Journal` on MySQL.

    `reading` is a lane whose connections commit each statement; `name` is the node's own.
    """

    def __init__(self, reading: Lane, writing: Lane, name: str) -> None:
        self._reading = reading
        self._writing = writing
        self._name = name

    async def page(self, query: JournalQuery) -> JournalPage:
        """See the port."""
        return await self._reading.run(in_snapshot(lambda tx: journal_page(tx, query, self._name)))

    async def entry(self, number: int) -> JournalPage:
        """See the port."""
        return await self._reading.run(
            in_snapshot(lambda tx: _told(tx, [number], self._name, complete=True))
        )

    async def write_back(self, wanted: WriteBack) -> WrittenBack:
        """See the port."""
        return await written(self._writing, WritingBack(wanted), ())


def journal_page(tx: Transaction, query: JournalQuery, own_name: str) -> JournalPage:
    """One page: the numbers first, so that no more content is read than is told."""
    conditions = {
        "`table_name` = ?": query.table,
        "`rule` = ?": query.rule,
        "`noted_at` >= ?": query.since,
        "`number` < ?": query.below,
    }
    given = {text: value for text, value in conditions.items() if value is not None}
    where = f"WHERE {' AND '.join(given)} " if given else ""
    found = tx.rows(
        f"SELECT `number`, {JOURNAL.size} FROM `herdbook_journal` {where}"
        f"ORDER BY `number` DESC LIMIT {query.limit + 1:d}",
        list(given.values()),
    )
    count = fitting([size for _number, size in found], query.limit)
    numbers = [number for number, _size in found[:count]]
    return _told(tx, numbers, own_name, complete=count == len(found))


def _told(tx: Transaction, numbers: Sequence[int], own_name: str, *, complete: bool) -> JournalPage:
    found = journal.numbered(tx, numbers)
    names = names_of(tx, (one.table for one in found))
    entries = tuple(_noted(one, names) for one in found)
    return JournalPage(entries, nodes_by_origin(tx, own_name), complete)


def _noted(one: journal.Noted, names: Names) -> Noted:
    values = (
        PutAside(
            names.column(one.table, loss.column),
            loss.value,
            loss.version,
            loss.kept,
            loss.kept_version,
            *writers,
        )
        for loss, writers in zip(one.losses, one.writers, strict=True)
    )
    return Noted(
        one.number,
        one.noted_at,
        one.rule,
        names.row_of_bytes(one.table, one.row_key),
        one.life,
        one.sender,
        one.restored_at,
        tuple(values),
    )
