"""Rows that are there and get other values: many in one UPDATE, which fires no other triggers.

An INSERT that updates what it meets would be as fast, but runs an application's triggers for rows
that are not born.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from functools import partial

from records.states import Value
from service.store.herd.batches import batches
from service.store.herd.described import HerdTable
from service.store.herd.refusals import write_all
from service.store.herd.rows import among, parameters
from service.store.herd.tables import Moved
from service.store.herd.writing import META, Writing, key_names, meta_of, names
from service.store.sql import quoted
from service.store.transaction import Transaction

MOST_ROWS = 100
"""The server walks through half of the cases for each value."""


def change(tx: Transaction, changes: Iterable[Writing]) -> None:
    """Write what is new of rows that are there and locked. Raises RowsRefused, Moved."""
    alike: dict[tuple[str, tuple[str, ...]], list[Writing]] = defaultdict(list)
    for one in changes:
        alike[one.table.name, one.columns_to_write].append(one)
    for (_name, ids), group in alike.items():
        _write(tx, group, ids, partial(_values, ids), [*names(group[0].table, ids), *META])
    _give_defaults(tx, [one for group in alike.values() for one in group])


def fill(tx: Transaction, births: Iterable[Writing]) -> None:
    """Write the references that were empty at first. Raises RowsRefused, Moved."""
    alike: dict[tuple[str, tuple[str, ...]], list[Writing]] = defaultdict(list)
    for one in births:
        if one.emptied:
            alike[one.table.name, tuple(sorted(one.emptied))].append(one)
    for (_name, ids), group in alike.items():
        write_columns(tx, group, ids, lambda one, column: one.after.values[column])


def write_columns(
    tx: Transaction,
    rows: Sequence[Writing],
    ids: Sequence[str],
    value: Callable[[Writing, str], Value],
) -> None:
    """Write columns of rows of one table, and nothing else. Raises RowsRefused, Moved."""
    columns = names(rows[0].table, ids)
    _write(tx, rows, ids, lambda one: [value(one, column) for column in ids], columns)


def _values(ids: Sequence[str], one: Writing) -> list[Value]:
    return [*(one.after.values[column] for column in ids), *meta_of(one.after)]


def _write(
    tx: Transaction,
    rows: Sequence[Writing],
    ids: Sequence[str],
    values: Callable[[Writing], list[Value]],
    columns: Sequence[str],
) -> None:
    for batch in batches(rows, lambda one: one.weight, MOST_ROWS):
        write_all(
            batch, lambda one: one.place, lambda part: _update(tx, part, ids, values, columns)
        )


def _update(
    tx: Transaction,
    part: Sequence[Writing],
    ids: Sequence[str],
    values: Callable[[Writing], list[Value]],
    columns: Sequence[str],
) -> None:
    table = part[0].table
    written = list(zip(*map(values, part), strict=True))
    given: list[Value] = []
    assigned = []
    for column, of_rows in zip(columns, written, strict=True):
        assigned.append(f"this.{column} = {_case(table, part, of_rows, given)}")
    timed = [c for c in table.columns if c.timed and c.id not in ids]
    assigned += [f"this.{quoted(c.name)} = this.{quoted(c.name)}" for c in timed]
    keys = [one.key for one in part]
    touched = tx.execute(
        f"UPDATE {quoted(table.name)} AS this SET {', '.join(assigned)} "
        f"WHERE {among(table, 'this', len(keys))}",
        [*given, *parameters(keys)],
    )
    if touched != len(part):
        raise Moved([one.place for one in part])


def _case(
    table: HerdTable, part: Sequence[Writing], values: Sequence[Value], given: list[Value]
) -> str:
    """The value of a column for each of the rows."""
    if len(set(map(repr, values))) == 1:
        given.append(values[0])
        return "?"
    key = key_names(table, "this")
    for one, value in zip(part, values, strict=True):
        given += (*one.key, value)
    if len(key) == 1:
        return f"CASE {key[0]} {'WHEN ? THEN ? ' * len(part)}END"
    met = " AND ".join(f"{name} = ?" for name in key)
    return f"CASE {f'WHEN {met} THEN ? ' * len(part)}END"


def _give_defaults(tx: Transaction, rows: Iterable[Writing]) -> None:
    """A row that was born anew where a column is not known has there what the column has."""
    lacking: dict[tuple[str, str], list[Writing]] = defaultdict(list)
    for one in rows:
        if one.before.live is not None and one.after.life != one.before.live.life:
            for column in one.table.columns:
                if column.id not in one.after.values:
                    lacking[one.table.name, column.name].append(one)
    for (name, lacked), group in lacking.items():
        for batch in batches(group, lambda one: 64):
            tx.execute(
                f"UPDATE {quoted(name)} AS this SET this.{quoted(lacked)} = DEFAULT "
                f"WHERE {among(batch[0].table, 'this', len(batch))}",
                parameters([one.key for one in batch]),
            )
