"""Reading rows: columns, never objects, and one statement whatever is asked.

page: SELECT … FROM city AS t0 LEFT JOIN country AS t1 ON …
      WHERE (the condition) AND (behind the last row of the page before)
      ORDER BY … LIMIT …
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from records.kinds.base import Kind
from records.validation import Key, Row
from records.values import RecordInfo
from service.methods.query import Condition, Query, SortBy
from service.store import sql
from service.store.conditions import (
    FALSE,
    Fragment,
    Source,
    compile_condition,
    joined,
    ordered_value,
)
from service.store.transaction import Transaction

KEYS_A_STATEMENT = 1_000
"""Keys looked for in one statement: the largest page, read again. Both servers still look each up
in the index there (`eq_range_index_dive_limit` concerns only their estimates)."""


Decode = Callable[[Sequence[Any]], Row]
"""Turns a row of the driver into plain values."""

MakeDecode = Callable[[Sequence[str], Sequence[Kind]], Decode]
"""Makes that for fields of these names and kinds."""


def decoder(names: Sequence[str], kinds: Sequence[Kind]) -> Decode:
    """What turns a row of the driver into plain values; what is plain already is left alone."""
    return _decoder(names, kinds, lambda kind: kind.from_database)


def forgiving_decoder(names: Sequence[str], kinds: Sequence[Kind]) -> Decode:
    """The same, but what is no value of its kind is None: a zero date that a lax session wrote."""
    return _decoder(names, kinds, _forgiving)


def select_by_keys(
    tx: Transaction,
    record: RecordInfo,
    keys: Sequence[Key],
    fields: Sequence[str],
    make_decode: MakeDecode = decoder,
) -> list[Row | None]:
    """The fields of the rows with these keys, in this order; None where there is none."""
    found: dict[Key, Row] = {}
    for start in range(0, len(keys), KEYS_A_STATEMENT):
        part = list(dict.fromkeys(keys[start : start + KEYS_A_STATEMENT]))
        found.update(_rows_by_key(tx, record, part, tuple(fields), make_decode))
    return [found.get(key) for key in keys]


def page(
    tx: Transaction,
    record: RecordInfo,
    query: Query,
    besides: Sequence[Fragment] = (),
    make_decode: MakeDecode = decoder,
) -> list[Row]:
    """The rows of one page, in order, by the names of the paths that are asked for.

    They fulfil what stands in `besides` too, where the record's table is called t0.
    """
    source = Source(tx.catalogue, record)
    selected = [path.kind.column_expression(source.column(path)) for path in query.select]
    order = ", ".join(
        _sorted_column(source, sort) + (" DESC" if sort.descending else "") for sort in query.order
    )
    conditions = [*_conditions(source, query), *besides]
    where = joined(conditions, "AND") if conditions else Fragment("TRUE")
    rows = tx.rows(
        f"SELECT {', '.join(selected)} FROM {source.text} "
        f"WHERE {where.text} ORDER BY {order} LIMIT {query.limit:d}",
        where.parameters,
    )
    names, kinds = [path.name for path in query.select], [path.kind for path in query.select]
    decode = make_decode(names, kinds)
    return [decode(row) for row in rows]


def count(tx: Transaction, record: RecordInfo, where: Condition | None) -> int:
    """How many rows fulfil the condition."""
    source = Source(tx.catalogue, record)
    condition = Fragment("TRUE") if where is None else compile_condition(source, where)
    rows = tx.rows(
        f"SELECT COUNT(*) FROM {source.text} WHERE {condition.text}", condition.parameters
    )
    return int(rows[0][0])


def _decoder(
    names: Sequence[str], kinds: Sequence[Kind], converter: Callable[[Kind], Callable[[Any], Any]]
) -> Decode:
    """Turns rows of the driver into plain values, each by the converter for its kind."""
    converters = [
        (name, converter(kind))
        for name, kind in zip(names, kinds, strict=True)
        if type(kind).from_database is not Kind.from_database
    ]

    def decode(raw: Sequence[Any]) -> Row:
        row = dict(zip(names, raw, strict=True))
        for name, convert in converters:
            if row[name] is not None:
                row[name] = convert(row[name])
        return row

    return decode


def _forgiving(kind: Kind) -> Callable[[Any], Any]:
    """What the kind makes of what the driver returned; None where it cannot."""

    def convert(raw: Any) -> Any:
        try:
            return kind.from_database(raw)
        except ValueError:
            return None

    return convert


def _rows_by_key(
    tx: Transaction,
    record: RecordInfo,
    keys: Sequence[Key],
    fields: tuple[str, ...],
    make_decode: MakeDecode,
) -> Iterator[tuple[Key, Row]]:
    """The rows that there are, each with its key."""
    names = tuple(dict.fromkeys((*record.key, *fields)))
    kinds = [record.fields[name].kind for name in record.key]
    decode = make_decode(names, [record.fields[name].kind for name in names])
    raw_rows = tx.rows(
        f"SELECT {sql.readable(record, names)} FROM {sql.quoted(record.table)} "
        f"WHERE {sql.among(record, record.key, len(keys))}",
        [kind.to_database(part) for key in keys for kind, part in zip(kinds, key, strict=True)],
    )
    for raw in raw_rows:
        row = decode(raw)
        yield tuple(row[name] for name in record.key), {name: row[name] for name in fields}


def _conditions(source: Source, query: Query) -> Iterator[Fragment]:
    """What a row of the page fulfils."""
    if query.where is not None:
        yield compile_condition(source, query.where)
    if query.after is not None:
        yield _behind(source, query.order, query.after)


def _sorted_column(source: Source, sort: SortBy) -> str:
    """What a list is sorted by."""
    column = source.column(sort.path)
    return column if sort.beginning is None else f"LEFT({column}, {sort.beginning:d})"


def _behind(source: Source, order: Sequence[SortBy], after: Sequence[Any]) -> Fragment:
    """The condition to stand behind the row with the values `after`.

    `a > 1 OR (a = 1 AND (b > 2 OR …))`: both servers enter an index over the fields with it. A
    bound of its own for the first field would make MySQL read all that follows instead.
    """
    steps = [_Step(source, sort, value) for sort, value in zip(order, after, strict=True)]
    behind = FALSE
    for step in reversed(steps):
        behind = joined([step.behind, joined([step.level, behind], "AND")], "OR")
    return behind


class _Step:
    """One field of the order: what stands behind a value in it, and what stands level with it.

    Both servers sort NULL before all values, and so behind them when descending.
    """

    def __init__(self, source: Source, sort: SortBy, value: Any) -> None:
        column = _sorted_column(source, sort)
        null, no_null = Fragment(f"{column} IS NULL"), Fragment(f"{column} IS NOT NULL")
        if value is None:
            self.level = null
            self.behind = FALSE if sort.descending else no_null
            return
        given = (ordered_value(sort.path, value),)
        self.level = Fragment(f"{column} = ?", given)
        self.behind = Fragment(f"{column} {'<' if sort.descending else '>'} ?", given)
        if sort.descending and sort.path.allow_none:
            self.behind = joined([self.behind, null], "OR")
