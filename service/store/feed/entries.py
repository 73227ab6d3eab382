"""Entries of the changelog, as the record classes see them.

The changelog knows tables, columns by their numbers, and keys as bytes. What these meant when they
were written stands in `herdbook_capture`; what the running code makes of it, in the catalogue.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from records.validation import Key
from records.values import RecordInfo
from schema.capture.columns import numbers_in
from schema.capture.row_key import as_read, split
from schema.capture.shape import Capture
from service.methods.feed_port import Ends, Entry
from service.store import sql
from service.store.transaction import Transaction

_COLUMNS = (
    "`position`, `table_name`, `row_key`, `kind`, `fields`, `life`, `origin`, `stamp`, `writer`"
)


@dataclass(frozen=True)
class Span:
    """Some positions: those after `after`, up to `last`."""

    after: int
    last: int


def ends_of(tx: Transaction) -> Ends:
    """How far the changelog reaches."""
    statement = "SELECT `position`, `horizon` FROM `herdbook_sealer` WHERE `only` = 1"
    ((position, horizon),) = tx.rows(statement)
    return Ends(head=int(position), horizon=int(horizon))


def entries_in(
    tx: Transaction, span: Span, records: frozenset[str] | None, limit: int
) -> list[Entry]:
    """The first `limit` entries of a span in order; only those of some classes, if they are named.

    Positions have no gaps, so a span bounds how many entries the server looks at.
    """
    condition, tables = "", list[str]()
    if records is not None:
        tables = [tx.catalogue.records[name].table for name in records]
        condition = f" AND `table_name` IN ({sql.marks(len(tables))})"
    raw_rows = tx.rows(
        f"SELECT {_COLUMNS} FROM `herdbook_changelog` "
        f"WHERE `position` > ? AND `position` <= ?{condition} "
        f"ORDER BY `position` LIMIT {limit:d}",
        (span.after, span.last, *tables),
    )
    readers = _readers(tx, {raw[1] for raw in raw_rows})
    return [_entry(raw, readers.get(raw[1])) for raw in raw_rows]


class _TableReader:
    """Reads the entries of one table."""

    def __init__(self, record: RecordInfo, capture: Capture) -> None:
        self.record = record
        self._key = tuple(
            (part.form, record.fields[name].kind)
            for part, name in zip(capture.key, record.key, strict=True)
        )
        fields = {info.column: info.name for info in record.fields.values()}
        self._fields = {
            number: fields[column] for number, column in capture.numbers.items() if column in fields
        }

    def key(self, row_key: bytes) -> Key | None:
        """The key, None where the class had another one when this was written."""
        try:
            parts = split(row_key, len(self._key))
            return tuple(
                kind.from_database(as_read(form, part))
                for (form, kind), part in zip(self._key, parts, strict=True)
            )
        except (ValueError, AssertionError, IndexError):
            return None

    def fields(self, numbers: bytes | None) -> tuple[str, ...]:
        """The names of the fields with these numbers, without those the class has no more."""
        found = (self._fields.get(number) for number in numbers_in(numbers or b""))
        return tuple(name for name in found if name is not None)


def _readers(tx: Transaction, tables: Iterable[str]) -> dict[str, _TableReader]:
    """A reader for each table that the running code and the database know alike."""
    names = sorted(tables)
    if not names:
        return {}
    described = tx.rows(
        "SELECT `table_name`, `description` FROM `herdbook_capture` "
        f"WHERE `table_name` IN ({sql.marks(len(names))})",
        names,
    )
    by_table = {record.table: record for record in tx.catalogue.records.values()}
    readers = {}
    for table, description in described:
        record, capture = by_table.get(table), _capture(description)
        if record is not None and _has_key(record, capture):
            readers[table] = _TableReader(record, capture)
    return readers


@lru_cache(maxsize=1_000)
def _capture(description: str) -> Capture:
    """What is captured of a table, from its description."""
    return Capture.from_plain(json.loads(description))


def _has_key(record: RecordInfo, capture: Capture) -> bool:
    """Whether the class has the key that is captured."""
    return tuple(part.name for part in capture.key) == record.columns(record.key)


def _entry(raw: Sequence[Any], reader: _TableReader | None) -> Entry:
    position, table, row_key, kind, numbers, life, origin, stamp, writer = raw
    key = None if reader is None else reader.key(row_key)
    return Entry(
        position=int(position),
        table=table,
        record=None if reader is None or key is None else reader.record.name,
        kind=kind,
        key=key,
        fields=() if reader is None else reader.fields(numbers),
        life=int(life),
        origin=int(origin),
        stamp=int(stamp),
        writer=writer,
    )
