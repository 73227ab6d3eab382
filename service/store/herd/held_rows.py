"""What is held, listed, tried again and dropped."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from records.merging import Loss
from records.stamps import NEVER
from records.states import RowState
from records.validation import Key
from records.values import RecordInfo
from service.herd import journal as rules
from service.herd.deltas import DeltaRow
from service.herd.held import DROPPED, REFUSED, Held
from service.herd.journal import JournalEntry
from service.methods.held_port import HeldPage, HeldQuery, Retried
from service.store.feed.snapshots import in_snapshot
from service.store.herd import held, journal
from service.store.herd.applier import Applier, where
from service.store.herd.described import Described, Descriptions
from service.store.herd.held_pages import HeldRow, held_page, place_of, places_after, rows_at, told
from service.store.herd.places import fits
from service.store.herd.rows import standings
from service.store.threads import Lane
from service.store.transaction import Transaction


class StoredHeld:
    """Implements `service.methods.held_port.HeldRows` on MySQL.

    `applying` is the lane in which siblings' changes are applied, so that nothing of them is
    written meanwhile. `name` is the node's own.
    """

    def __init__(self, reading: Lane, applying: Lane, name: str) -> None:
        self._reading = reading
        self._applying = applying
        self._name = name
        self._descriptions = Descriptions()

    async def page(self, query: HeldQuery) -> HeldPage:
        """See the port."""
        return await self._reading.run(in_snapshot(lambda tx: held_page(tx, query, self._name)))

    async def find(self, record: RecordInfo, key: Key) -> bytes | None:
        """See the port."""
        return await self._reading.run(in_snapshot(lambda tx: place_of(tx, record, key)))

    async def retry(self, query: HeldQuery, after: bytes | None) -> Retried:
        """See the port."""

        def work(tx: Transaction) -> Retried:
            places, more = places_after(tx, query, after)
            return retry(tx, self._descriptions, places, more=more)

        return await self._applying.run(work)

    async def retry_one(self, place: bytes) -> Retried:
        """See the port."""
        return await self._applying.run(
            lambda tx: retry(tx, self._descriptions, [place], more=False)
        )

    async def drop(self, place: bytes) -> int | None:
        """See the port."""
        return await self._applying.run(lambda tx: drop(tx, self._descriptions, place))


def retry(
    tx: Transaction, descriptions: Descriptions, places: Sequence[bytes], *, more: bool
) -> Retried:
    """Try to write what is held at some places; `more` says whether others follow."""
    tried = rows_at(tx, places, lock=True)
    # What was given up is left alone by whoever applies, until it is taken up again.
    held.set_reason(tx, [row.place for row in tried if _is_dropped(row)], REFUSED)
    if tried:
        Applier(descriptions).retry(tx, [_held(row) for row in tried])
    still = told(tx, rows_at(tx, [row.place for row in tried]))
    return Retried(len(tried), still, places[-1] if more else None)


def drop(tx: Transaction, descriptions: Descriptions, place: bytes) -> int | None:
    """Put what is held at a place into the journal, and hold it as given up.

    It stays a part of the row's state, so that this node still has what its vector says.
    """
    found = rows_at(tx, [place], lock=True)
    if not found or _is_dropped(found[0]):
        return None
    described = descriptions.of(tx)
    row = _held(found[0]).row
    entry = JournalEntry(
        rules.DROPPED, row.place, row.state.life, tuple(_losses(tx, described, row))
    )
    journal.note(tx, described.tables, [entry], None, where(tx).now)
    ((number,),) = tx.rows("SELECT LAST_INSERT_ID()")
    held.set_reason(tx, [place], DROPPED)
    return int(number)


def _is_dropped(row: HeldRow) -> bool:
    return row.reason == held.CODES[DROPPED]


def _held(row: HeldRow) -> Held:
    return held.held_from(row.reason, row.text, row.content)


def _losses(tx: Transaction, described: Described, row: DeltaRow) -> Iterator[Loss]:
    """What was held, and what the table has in its place."""
    here = _here(tx, described, row)
    for column, value in row.state.values.items():
        kept, at = None, NEVER
        if here is not None and column in here.values:
            kept, at = here.values[column], here.version(column)
        yield Loss(column, value, row.state.version(column), kept, at)


def _here(tx: Transaction, described: Described, row: DeltaRow) -> RowState | None:
    """The live row, if the table is known here and has it."""
    if not fits(described.tables, row.place):
        return None
    found = standings(tx, described.tables[row.table], [row.key])
    return found[row.key].live if row.key in found else None
