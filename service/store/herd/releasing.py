"""Unique values that pass from one row to another: whoever has one lets go of it first.

A row of which it is not needed any more gets NULL for the moment, or a value that nobody has; else
it is set aside: deleted, and inserted again with the births.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import NamedTuple, TypeAlias

from records.states import RowState, Value
from service.herd.shapes import Place, Unique
from service.herd.tables import Claim
from service.store.herd.changes import write_columns
from service.store.herd.deaths import kill
from service.store.herd.described import HerdTable
from service.store.herd.refusals import RowsRefused
from service.store.herd.tables import StoredTables
from service.store.herd.values import HerdColumn
from service.store.herd.writing import Writing
from service.store.sql import marks, quoted
from service.store.transaction import Transaction

Writings: TypeAlias = dict[Place, Writing]

_LARGEST = {
    "tinyint": 2**7 - 1,
    "smallint": 2**15 - 1,
    "mediumint": 2**23 - 1,
    "int": 2**31 - 1,
    "bigint": 2**63 - 1,
}
"""The largest number of each type, with or without a sign."""

_SHORTEST = 16
_SPARE = 20


class _Claims(NamedTuple):
    """What rows hold of one unique key and are to let go of, and what rows are to get."""

    losing: Mapping[Place, Claim]
    gaining: Mapping[Place, Claim]


def release(tx: Transaction, tables: StoredTables, writings: Writings) -> Writings:
    """Make room for the unique values that rows are to get; the writings that are left.

    Raises RowsRefused where a row cannot be set aside, since others refer to it.
    """
    left = dict(writings)
    present = {one.table.name: one.table for one in writings.values()}
    for table in present.values():
        for unique in table.shape.uniques:
            if unique.columns != table.shape.key:
                places = _in_the_way(tables, table, unique, left)
                left.update(_free(tx, table, unique, [left[place] for place in places]))
    return left


def _in_the_way(
    tables: StoredTables, table: HerdTable, unique: Unique, writings: Writings
) -> list[Place]:
    """The rows whose present claim another row is to have."""
    claims = _claims(table, unique, writings)
    if not claims.losing or not claims.gaining:
        return []
    every = [*claims.losing.values(), *claims.gaining.values()]
    folds = tables.folded(table.name, unique, every)
    getting: dict[object, set[Place]] = defaultdict(set)
    for place, fold in zip(claims.gaining, folds[len(claims.losing) :], strict=True):
        getting[fold].add(place)
    return [
        place
        for place, fold in zip(claims.losing, folds, strict=False)
        if getting.get(fold, set()) - {place}
    ]


def _claims(table: HerdTable, unique: Unique, writings: Writings) -> _Claims:
    losing: dict[Place, Claim] = {}
    gaining: dict[Place, Claim] = {}
    for place, one in writings.items():
        if one.table is table:
            had = _claim(unique, one.before.live)
            gets = _claim(unique, one.after if one.after.alive else None)
            if had != gets:
                if had is not None:
                    losing[place] = had
                if gets is not None:
                    gaining[place] = gets
    return _Claims(losing, gaining)


def _claim(unique: Unique, state: RowState | None) -> Claim | None:
    if state is None:
        return None
    claim = tuple(map(state.values.get, unique.columns))
    return None if None in claim else claim


def _free(tx: Transaction, table: HerdTable, unique: Unique, rows: Sequence[Writing]) -> Writings:
    """Let some rows go of their claims, in the way that costs least."""
    if not rows:
        return {}
    column = _column(table, unique)
    values = None if column is None else _values(tx, table, column, rows)
    if column is not None and values is not None:
        try:
            write_columns(tx, rows, (column.id,), lambda one, _column: values[one.place])
            return {one.place: one.touching(column.id) for one in rows}
        except RowsRefused:
            # A CHECK may want other values: then the rows are set aside.
            pass
    kill(tx, rows)
    return {one.place: one.set_aside() for one in rows}


def _column(table: HerdTable, unique: Unique) -> HerdColumn | None:
    """The column that is written for the moment; None where none can be."""
    key = {part.column.id for part in table.key}
    meaning = {c for reference in table.shape.references for c in reference.columns}
    columns = [table.by_id[column] for column in unique.columns if column not in key]
    empty = [column for column in columns if column.nullable]
    plain = [column for column in columns if column.id not in meaning and _has_room(column)]
    return next(iter((*empty, *plain)), None)


def _has_room(column: HerdColumn) -> bool:
    return column.data_type in _LARGEST or (column.length or 0) >= _SHORTEST


def _values(
    tx: Transaction, table: HerdTable, column: HerdColumn, rows: Sequence[Writing]
) -> dict[Place, Value] | None:
    """For each row NULL or a value that nobody has; None where there are not as many."""
    if column.nullable:
        return {one.place: None for one in rows}
    spared = {one.after.values.get(column.id) for one in rows}
    wanted = [value for value in _candidates(column, rows) if value not in spared]
    found = tx.rows(
        f"SELECT {quoted(column.name)} FROM {quoted(table.name)} "
        f"WHERE {quoted(column.name)} IN ({marks(len(wanted))})",
        wanted,
    )
    taken = {value for (value,) in found}
    free = [value for value in wanted if value not in taken]
    if len(free) < len(rows):
        return None
    return dict(zip((one.place for one in rows), free, strict=False))


def _candidates(column: HerdColumn, rows: Iterable[Writing]) -> Iterator[Value]:
    rows = list(rows)
    if column.length is None:
        largest = _LARGEST[column.data_type]
        return iter(range(largest, largest - 2 * len(rows) - _SPARE, -1))
    length = min(column.length, 64)
    digests = (hashlib.sha256(repr(one.place).encode()).hexdigest() for one in rows)
    return ("~" + digest[: length - 1] for digest in islice(digests, len(rows)))
