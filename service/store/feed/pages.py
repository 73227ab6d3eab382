"""One page of the feed, read within one snapshot.

The entries come first. Of the classes with a condition, or with rows that may be large, it is asked
which rows match and how large they are; that decides where the page ends. Only then are rows read.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from MySQLdb import Error as DriverError

from records.validation import Key, Row
from service.methods.feed_port import Change, Entry, FeedPage, Wanted
from service.store.database import error_number
from service.store.feed import rows
from service.store.feed.entries import Span, ends_of, entries_in
from service.store.feed.rows import Look
from service.store.reader import select_by_keys
from service.store.transaction import Transaction

_ENTRY_BYTES, _FIELD_BYTES = 500, 40
"""What an entry takes in JSON without its row, and what each of its fields adds."""

_STOPPED = frozenset({1317, 1969, 3024})
"""The server ended a statement that took too long."""

_UNSEALED = (
    "/*M!100100 SET STATEMENT max_statement_time = 0.1 FOR */ "
    "SELECT /*+ MAX_EXECUTION_TIME(100) */ 1 FROM `herdbook_inbox` LIMIT 1"
)
"""Usually an index of a few pages. Behind somebody's long transaction it fills with entries that
are deleted and cannot be purged, and looking takes long; then it is not worth the time to know."""


@dataclass(frozen=True)
class Bounds:
    """How much one page may cost.

    `entries` are looked at, `batch` of them with their rows at once, and `size` are bytes of JSON.
    """

    entries: int = 10_000
    batch: int = 1_000
    size: int = 8 * 1024 * 1024


def read_page(tx: Transaction, after: int, limit: int, wanted: Wanted, bounds: Bounds) -> FeedPage:
    """At most `limit` wanted changes after a position. The transaction sees one moment."""
    ends = ends_of(tx)
    if not ends.horizon <= after <= ends.head:
        return FeedPage((), after, ends, found=False)
    reader = _PageReader(tx, limit, wanted, bounds)
    last = min(after + bounds.entries, ends.head)
    changes, reached = reader.read(Span(after, last))
    complete = reached == ends.head and _all_is_sealed(tx)
    return FeedPage(tuple(changes), reached, ends, complete)


def _all_is_sealed(tx: Transaction) -> bool:
    """Whether nothing is visible that has no position yet; False also where that takes too long."""
    try:
        return not tx.rows(_UNSEALED)
    except DriverError as error:
        if error_number(error) not in _STOPPED:
            raise
        return False


class _PageReader:
    """Reads for one reader, in one transaction."""

    def __init__(self, tx: Transaction, limit: int, wanted: Wanted, bounds: Bounds) -> None:
        self._tx = tx
        self._limit = limit
        self._wanted = wanted
        self._bounds = bounds
        self._deciding = rows.fields_by_record(wanted.where)
        # What a condition leaves out is looked at as well, so more is read at once than is told.
        self._batch = bounds.batch if wanted.where else min(limit, bounds.batch)
        self._largest: dict[str, int | None] = {}

    def read(self, span: Span) -> tuple[list[Change], int]:
        """The changes, and up to where they go; the span ends where nothing was told before."""
        told: list[Change] = []
        while not told and span.after < span.last:
            entries = entries_in(self._tx, span, self._wanted.records, self._batch)
            seen_to = entries[-1].position if len(entries) == self._batch else span.last
            told, cut_at = self._told(entries)
            span = Span(seen_to if cut_at is None else cut_at - 1, span.last)
        return self._with_rows(told), span.after

    def _told(self, entries: Sequence[Entry]) -> tuple[list[Change], int | None]:
        """What is told of some entries, and the position of the first that found no room."""
        looks = self._looks(entries)
        told: list[Change] = []
        size = 0
        for entry in entries:
            look = looks.get(entry.record or "", {}).get(entry.key or ())
            change = self._change(entry, look)
            if change is None:
                continue
            size += self._size(change, look)
            if len(told) == self._limit or (told and size > self._bounds.size):
                return told, entry.position
            told.append(change)
        return told, None

    def _change(self, entry: Entry, look: Look | None) -> Change | None:
        """What is told of an entry; None where it is left out.

        Whoever has a row that matched must hear when it matches no more: that takes an update of a
        field that the condition names.
        """
        deciding = self._deciding.get(entry.record or "")
        if deciding is None or entry.kind == "delete" or (look is not None and look.matches):
            return Change(entry, None)
        if entry.kind == "update" and not deciding.isdisjoint(entry.fields):
            return Change(entry, None, matches=False)
        return None

    def _looks(self, entries: Sequence[Entry]) -> dict[str, dict[Key, Look]]:
        """What is known of the rows, by class, where something must be known."""
        found = {}
        for name, keys in _keys_by_record(entries).items():
            condition = self._wanted.where.get(name)
            measured = self._wanted.rows and self._may_be_large(name, len(entries))
            if condition is not None or measured:
                record = self._tx.catalogue.records[name]
                found[name] = rows.look(self._tx, record, keys, condition, measured)
        return found

    def _may_be_large(self, name: str, count: int) -> bool:
        """Whether so many rows of a class could be more than fits one page."""
        largest = self._largest_of(name)
        return largest is None or largest * count > self._bounds.size

    def _size(self, change: Change, look: Look | None) -> int:
        """The bytes of a change in JSON, at most or as measured."""
        size = _ENTRY_BYTES + _FIELD_BYTES * len(change.entry.fields)
        if not self._wanted.rows or not _may_have_row(change):
            return size
        if look is not None and look.size is not None:
            return size + look.size
        # Rows without a bound are measured, unless they are not there.
        return size + (self._largest_of(change.entry.record or "") or 0)

    def _largest_of(self, name: str) -> int | None:
        """The bytes that a row of a class can have in JSON; None where there is no bound."""
        if name not in self._largest:
            self._largest[name] = rows.largest_row(self._tx.catalogue.records[name])
        return self._largest[name]

    def _with_rows(self, changes: list[Change]) -> list[Change]:
        """The changes with their rows, if those are wanted."""
        if not self._wanted.rows:
            return changes
        present: dict[str, Mapping[Key, Row | None]] = {}
        with_row = [change.entry for change in changes if _may_have_row(change)]
        for name, keys in _keys_by_record(with_row).items():
            record = self._tx.catalogue.records[name]
            found = select_by_keys(self._tx, record, keys, tuple(record.fields))
            present[name] = dict(zip(keys, found, strict=True))
        return [
            replace(change, row=present[change.entry.record or ""][change.entry.key or ()])
            if _may_have_row(change)
            else change
            for change in changes
        ]


def _may_have_row(change: Change) -> bool:
    """Whether there may be a row to tell: what is deleted has none, and what is unknown."""
    entry = change.entry
    return entry.key is not None and entry.kind != "delete" and change.matches


def _keys_by_record(entries: Iterable[Entry]) -> dict[str, list[Key]]:
    """The keys whose rows may be there, by class, each once."""
    found: dict[str, dict[Key, None]] = {}
    for entry in entries:
        if entry.record is not None and entry.key is not None and entry.kind != "delete":
            found.setdefault(entry.record, {})[entry.key] = None
    return {name: list(keys) for name, keys in found.items()}
