"""A node's tables as sums and digests, in one snapshot each time."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence, Set
from itertools import chain
from typing import Any

from records.errors import Failure, pointer
from service.errors import ParametersRefused, TableUnverifiable
from service.herd.digests import Sum, Sums, exchanged, of_halves, summed, with_phantoms
from service.methods.verifying_port import MOST_ROWS, Digested
from service.store.herd.by_value import digest_with, documents_of
from service.store.herd.described import Described, HerdTable
from service.store.herd.digest_sql import DigestSql, phantom_sql
from service.store.herd.digest_twin import digest_of
from service.store.herd.held_states import held_states
from service.store.herd.rows import among, parameters
from service.store.herd.values import KeyColumn, key_of
from service.store.sealing.keys import KEYS_A_STATEMENT
from service.store.sql import marks, quoted
from service.store.transaction import Transaction

ROWS_A_READ = 1_000
"""Rows whose documents are in memory at once."""


def table_of(described: Described, name: str) -> HerdTable:
    """A captured table; raises ParametersRefused where there is none of this name."""
    table = described.tables.get(name)
    if table is None:
        message = f"there is no captured table {name[:100]}"
        raise ParametersRefused([Failure("table.unknown", message, pointer("table"))])
    return table


def sums_of(
    tx: Transaction,
    table: HerdTable,
    digits: int,
    wanted: Sequence[str] | None,
    phantoms: Sequence[int],
) -> Sums:
    """The sums of all rows by bucket; raises ParametersRefused or TableUnverifiable."""
    sql = sql_of(tx, table, wanted)
    planted = list(with_phantoms(phantoms))
    if sql.documents:
        rows = ((bucket, digest) for bucket, _key, digest in _each(tx, sql, digits, ()))
        sums: Sums = summed(chain(rows, planted))
    else:
        statement = sql.sums(digits, [phantom_sql(*phantom) for phantom in planted])
        sums = {bucket: _sum(table, *counted) for bucket, *counted in tx.rows(statement)}
    return exchanged(sums, _changed_by_held(tx, sql, digits))


def dead_of(tx: Transaction, table: HerdTable) -> int:
    """How many deleted rows are among those that are summed up."""
    ((count,),) = tx.rows(f"SELECT COUNT(*) {DigestSql(table, (), ()).dead}")
    return int(count)


def rows_of(
    tx: Transaction, table: HerdTable, buckets: Sequence[str], wanted: Sequence[str] | None
) -> list[Digested]:
    """The rows of some buckets; raises as `sums_of`, and where they are too many."""
    found: list[Digested] = []
    digits = len(buckets[0]) if buckets else 0
    for _bucket, key, digest in _with_held(tx, sql_of(tx, table, wanted), digits, buckets):
        found.append(Digested(key, digest))
        _require_few(len(found))
    return found


def _require_few(rows: int) -> None:
    if rows > MOST_ROWS:
        message = f"there are more than {MOST_ROWS} rows in these buckets; ask for fewer"
        raise ParametersRefused([Failure("buckets.too_large", message, pointer("buckets"))])


def sql_of(tx: Transaction, table: HerdTable, wanted: Sequence[str] | None) -> DigestSql:
    """The SQL for the columns that are wanted, None: all; raises ParametersRefused."""
    ids = set(table.by_id if wanted is None else wanted)
    unknown = ids - table.by_id.keys()
    if unknown:
        message = f"{table.name} has no column {min(unknown)[:20]}"
        raise ParametersRefused([Failure("column.unknown", message, pointer("columns"))])
    documents = tuple(column for column in documents_of(tx, table) if column.id in ids)
    columns = [c for c in table.columns if c.id in ids and c not in documents]
    in_order = tuple(sorted(columns, key=lambda column: int(column.id)))
    documents = tuple(sorted(documents, key=lambda column: int(column.id)))
    return DigestSql(table, in_order, documents)


def _sum(table: HerdTable, rows: int, digested: int, high: Any, low: Any) -> Sum:
    """A bucket's sum. A row without a digest would be missing from it without a trace."""
    if rows != digested:
        raise _without_digest(table)
    return of_halves(int(rows), int(high), int(low))


def _without_digest(table: HerdTable) -> TableUnverifiable:
    return TableUnverifiable(f"a row of {table.name} has no digest")


def _changed_by_held(
    tx: Transaction, sql: DigestSql, digits: int
) -> Iterator[tuple[int, str, int]]:
    """What of the sums gives way to what is held: -1 or 1, bucket and digest."""
    for held in held_states(tx, sql.table):
        for bucket, digest in _written_of(tx, sql, digits, held):
            yield -1, bucket, digest
        for key, state in held.items():
            yield 1, bucket_of(key, digits), digest_of(sql, state)


def _written_of(
    tx: Transaction, sql: DigestSql, digits: int, wanted: Collection[bytes]
) -> Iterator[tuple[str, int]]:
    """Bucket and digest of some rows, as far as they stand in the tables."""
    keys = [key_of(sql.table.key, row_key) for row_key in wanted]
    for start in range(0, len(keys), KEYS_A_STATEMENT):
        part = keys[start : start + KEYS_A_STATEMENT]
        for alias, source in _SOURCES:
            condition = f" AND {among(sql.table, alias, len(part))}"
            for bucket, row_key, digest in _walk(
                tx, sql, alias, f"{source(sql)}{condition}", (digits, parameters(part))
            ):
                # A collation finds rows whose keys are spelled otherwise.
                if row_key in wanted:
                    yield bucket, digest


def bucket_of(row_key: bytes, digits: int) -> str:
    """The bucket that servers put a row into."""
    return hashlib.sha256(row_key).hexdigest()[:digits]


def _with_held(
    tx: Transaction, sql: DigestSql, digits: int, buckets: Sequence[str]
) -> Iterator[tuple[str, bytes, int]]:
    """Bucket, key and digest of each row, in the state that this node passes on."""
    held = _held_in(tx, sql, digits, frozenset(buckets))
    for bucket, key, digest in _each(tx, sql, digits, buckets):
        if key not in held:
            yield bucket, key, digest
    for key, digest in held.items():
        yield bucket_of(key, digits), key, digest


def _held_in(
    tx: Transaction, sql: DigestSql, digits: int, buckets: Set[str]
) -> Mapping[bytes, int]:
    """The digests of rows of which something is held, of some buckets or (none are named) of all.

    Raises ParametersRefused where they are more than an answer may have.
    """
    found: dict[bytes, int] = {}
    for held in held_states(
        tx, sql.table, lambda key: not buckets or bucket_of(key, digits) in buckets
    ):
        found |= {key: digest_of(sql, state) for key, state in held.items()}
        _require_few(len(found))
    return found


def _each(
    tx: Transaction, sql: DigestSql, digits: int, buckets: Sequence[str]
) -> Iterator[tuple[str, bytes, int]]:
    """Bucket, key and digest of each row, of some buckets or (none are named) of all."""
    for alias, source in _SOURCES:
        among_them = f" AND {sql.bucket(alias, digits)} IN ({marks(len(buckets))})"
        condition = among_them if buckets else ""
        yield from _walk(tx, sql, alias, f"{source(sql)}{condition}", (digits, buckets))


_SOURCES: tuple[tuple[str, Callable[[DigestSql], str]], ...] = (
    ("r", lambda sql: f"{sql.live} WHERE TRUE"),
    ("g", lambda sql: sql.dead),
)
"""Rows that live and rows that are dead: their alias, and where they are."""


def _walk(
    tx: Transaction,
    sql: DigestSql,
    alias: str,
    source: str,
    given: tuple[int, Sequence[Any]],
) -> Iterator[tuple[str, bytes, int]]:
    """Rows in the order of their keys, some at a time.

    `given`: the digits of the buckets, and the parameters of the source.
    """
    digits, wanted = given
    key, documents = sql.table.key, len(sql.documents)
    ordered = ", ".join(f"{alias}.{quoted(part.column.name)}" for part in key)
    statement = f"SELECT {sql.each(alias, digits)} {source}"
    after, begun = "", list[Any]()
    while True:
        found = tx.rows(
            f"{statement}{after} ORDER BY {ordered} LIMIT {ROWS_A_READ:d}", [*wanted, *begun]
        )
        for bucket, core, row_key, *rest in found:
            if core is None:
                raise _without_digest(sql.table)
            digest = digest_with(core, rest[:documents]) if documents else int(core, 16)
            yield bucket, row_key, digest
        if len(found) < ROWS_A_READ:
            return
        after, begun = _after(key, alias, found[-1][3 + documents :])


def _after(key: Sequence[KeyColumn], alias: str, values: Sequence[Any]) -> tuple[str, list[Any]]:
    """That a key comes after another: written out, since servers find no range for a tuple."""
    names = [f"{alias}.{quoted(part.column.name)}" for part in key]
    choices, parameters = [], list[Any]()
    for at, name in enumerate(names):
        same = "".join(f"{earlier} = ? AND " for earlier in names[:at])
        choices.append(f"({same}{name} > ?)")
        parameters += values[: at + 1]
    return f" AND ({' OR '.join(choices)})", parameters
