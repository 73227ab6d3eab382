"""What is held as the methods see it: pages of it, and rows by their place."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from records.validation import Key
from records.values import RecordInfo
from service.herd.deltas import DeltaRow
from service.herd.held import DROPPED
from service.herd.wire.single import row_of_bytes
from service.methods.held_port import HeldPage, HeldQuery, Waiting
from service.methods.raw_values import plain_key
from service.store.herd.held import CODES
from service.store.herd.naming import Names, names_of, nodes_by_origin
from service.store.herd.pages import fitting
from service.store.sql import marks
from service.store.transaction import Transaction

_COLUMNS = "`place`, `table_name`, `reason`, `text`, `content`, `held_at`"
_KEYS_A_LOOK = 500


class HeldRow(NamedTuple):
    """One row of the table of what is held."""

    place: bytes
    table: str
    reason: str
    text: str
    content: bytes
    held_at: int


def held_page(tx: Transaction, query: HeldQuery, own_name: str) -> HeldPage:
    """One page, the eldest first: the places first, so that no more is read than is told."""
    where, given = _conditions(query)
    if query.after is not None:
        where.append("(`held_at`, `place`) > (?, ?)")
        given += query.after
    found = tx.rows(
        f"SELECT `place`, LENGTH(`content`) FROM `herdbook_held`{_where(where)} "
        f"ORDER BY `held_at`, `place` LIMIT {query.limit + 1:d}",
        given,
    )
    count = fitting([size for _place, size in found], query.limit)
    rows = rows_at(tx, [place for place, _size in found[:count]])
    rows.sort(key=lambda row: (row.held_at, row.place))
    return HeldPage(told(tx, rows), nodes_by_origin(tx, own_name), count == len(found))


def places_after(
    tx: Transaction, query: HeldQuery, after: bytes | None
) -> tuple[list[bytes], bool]:
    """The next places of a query in their order, and whether more follow."""
    where, given = _conditions(query)
    if after is not None:
        where.append("`place` > ?")
        given.append(after)
    found = tx.rows(
        f"SELECT `place`, LENGTH(`content`) FROM `herdbook_held`{_where(where)} "
        f"ORDER BY `place` LIMIT {query.limit + 1:d}",
        given,
    )
    count = fitting([size for _place, size in found], query.limit)
    return [bytes(place) for place, _size in found[:count]], count < len(found)


def rows_at(tx: Transaction, places: Sequence[bytes], *, lock: bool = False) -> list[HeldRow]:
    """What is held at these places."""
    if not places:
        return []
    return [
        HeldRow(*raw)
        for raw in tx.rows(
            f"SELECT {_COLUMNS} FROM `herdbook_held` WHERE `place` IN ({marks(len(places))})"
            f"{' FOR UPDATE' if lock else ''}",
            places,
        )
    ]


def place_of(tx: Transaction, record: RecordInfo, key: Key) -> bytes | None:
    """The place of what is held of a record.

    All that is held of its class is looked through: the same key may have been packed in another
    way, by a node whose columns are of other types.
    """
    query, after, more = HeldQuery(record.table, limit=_KEYS_A_LOOK, dropped=True), None, True
    names = names_of(tx, [record.table])
    while more:
        places, more = places_after(tx, query, after)
        for row in rows_at(tx, places):
            if plain_key(record, names.row(row.table, row_of_bytes(row.content).key)) == key:
                return row.place
        after = places[-1] if places else None
    return None


def told(tx: Transaction, rows: Sequence[HeldRow]) -> tuple[Waiting, ...]:
    """The rows with their values by name."""
    names = names_of(tx, (row.table for row in rows))
    return tuple(_waiting(row, row_of_bytes(row.content), names) for row in rows)


def _waiting(held: HeldRow, row: DeltaRow, names: Names) -> Waiting:
    values = (
        (names.column(row.table, column), value, row.state.version(column))
        for column, value in row.state.values.items()
    )
    return Waiting(
        place=held.place,
        row=names.row(row.table, row.key),
        reason=held.reason,
        text=held.text,
        held_at=held.held_at,
        whole=row.whole,
        life=row.state.life,
        values=tuple(values),
    )


def _conditions(query: HeldQuery) -> tuple[list[str], list[object]]:
    conditions = {"`table_name` = ?": query.table, "`reason` = ?": query.reason}
    if query.reason is None and not query.dropped:
        conditions["`reason` <> ?"] = CODES[DROPPED]
    given = {text: value for text, value in conditions.items() if value is not None}
    return list(given), list(given.values())


def _where(conditions: Sequence[str]) -> str:
    return f" WHERE {' AND '.join(conditions)}" if conditions else ""
