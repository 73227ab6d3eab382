"""Writing rows: many in one statement, whatever they are.

These functions take what is valid as far as values go, and let the tables' constraints decide. When
one refuses, `service.store.diagnosis` finds out what all is wrong.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from typing import Any, TypeVar

from records.validation import Key, Row
from records.values import RecordInfo, ReferenceInfo
from service.store import sql
from service.store.alike import alike
from service.store.order import parents_first
from service.store.transaction import Transaction

ROWS_A_STATEMENT = 500
"""Rows in one INSERT or UPDATE; the statement must stay below max_allowed_packet (16 MiB on MariaDB
by default)."""

_KEY_BYTES_A_STATEMENT = 4 * 2**20
"""What the keys in one UPDATE may take: a quarter of max_allowed_packet; the rest is for values."""

_AROUND_A_KEY = 64
"""Bytes of SQL that a key and its value stand in."""

Item = TypeVar("Item")


def chunks(items: Sequence[Item], size: int) -> Iterator[Sequence[Item]]:
    """The items in pieces of at most `size`."""
    return (items[start : start + size] for start in range(0, len(items), size))


def insert(tx: Transaction, record: RecordInfo, rows: Sequence[Row]) -> None:
    """Write complete new rows, parents before children where the class refers to itself."""
    fields = tuple(record.fields)
    if len(rows) > 1:
        rows = parents_first(record, rows, alike(tx, record, rows))
    for part in chunks(rows, ROWS_A_STATEMENT):
        tx.execute(_insert_statement(record, fields, len(part)), _flat(record, fields, part))


def update(tx: Transaction, record: RecordInfo, changes: Sequence[tuple[Key, Row]]) -> None:
    """Write some fields of existing rows; no key stands in it twice."""
    # Rows that change the same fields share a statement, as far as they follow each other.
    for fields, group in groupby(changes, key=lambda change: tuple(change[1])):
        if fields:
            for part in chunks(list(group), _rows_an_update(record, len(fields))):
                _update_alike(tx, record, fields, part)


def _rows_an_update(record: RecordInfo, fields: int) -> int:
    """Rows in one UPDATE of many: it names each key once for every field."""
    key_bytes = _AROUND_A_KEY + sum(record.fields[name].kind.index_bytes() for name in record.key)
    return max(1, min(ROWS_A_STATEMENT, _KEY_BYTES_A_STATEMENT // (fields * key_bytes)))


def set_null(
    tx: Transaction, record: RecordInfo, reference: ReferenceInfo, keys: Iterable[Key]
) -> None:
    """Let go of the parent in these rows."""
    assigned = ", ".join(f"{sql.column(record, name)} = NULL" for name in reference.fields)
    table = sql.quoted(record.table)
    for part in chunks(list(keys), ROWS_A_STATEMENT):
        where = sql.among(record, record.key, len(part))
        tx.execute(f"UPDATE {table} SET {assigned} WHERE {where}", key_parameters(record, part))


def delete(tx: Transaction, record: RecordInfo, keys: Iterable[Key]) -> None:
    """Delete rows; nothing may refer to them any more."""
    for part in chunks(list(keys), ROWS_A_STATEMENT):
        where = sql.among(record, record.key, len(part))
        tx.execute(
            f"DELETE FROM {sql.quoted(record.table)} WHERE {where}", key_parameters(record, part)
        )


def key_parameters(record: RecordInfo, keys: Iterable[Key]) -> list[Any]:
    """Keys as parameters, one after the other."""
    kinds = [record.fields[name].kind for name in record.key]
    return [kind.to_database(part) for key in keys for kind, part in zip(kinds, key, strict=True)]


def key_from_database(record: RecordInfo, raw: Sequence[Any]) -> Key:
    """A key from what the driver returned for its columns."""
    kinds = (record.fields[name].kind for name in record.key)
    return tuple(kind.from_database(part) for kind, part in zip(kinds, raw, strict=True))


def parameter(record: RecordInfo, field: str, value: Any) -> Any:
    """One plain value as a parameter."""
    return None if value is None else record.fields[field].kind.to_database(value)


def _insert_statement(record: RecordInfo, fields: Sequence[str], count: int) -> str:
    """`INSERT` of many rows."""
    row = f"({sql.marks(len(fields))})"
    return (
        f"INSERT INTO {sql.quoted(record.table)} ({sql.columns(record, fields)}) "
        f"VALUES {', '.join([row] * count)}"
    )


def _flat(record: RecordInfo, fields: Sequence[str], rows: Iterable[Row]) -> list[Any]:
    """All values of the rows as parameters, row by row."""
    return [parameter(record, name, row[name]) for row in rows for name in fields]


def _update_alike(
    tx: Transaction,
    record: RecordInfo,
    fields: Sequence[str],
    changes: Sequence[tuple[Key, Row]],
) -> None:
    """Write the same fields of some rows in one statement."""
    assignments, parameters = [], []
    for name in fields:
        column = sql.column(record, name)
        if len(changes) == 1:
            assignments.append(f"{column} = ?")
            parameters.append(parameter(record, name, changes[0][1][name]))
            continue
        match = " AND ".join(f"{sql.column(record, part)} = ?" for part in record.key)
        assignments.append(f"{column} = CASE {f'WHEN {match} THEN ? ' * len(changes)}END")
        for key, values in changes:
            parameters += [*key_parameters(record, [key]), parameter(record, name, values[name])]
    keys = [key for key, _values in changes]
    tx.execute(
        f"UPDATE {sql.quoted(record.table)} SET {', '.join(assignments)} "
        f"WHERE {sql.among(record, record.key, len(keys))}",
        [*parameters, *key_parameters(record, keys)],
    )
