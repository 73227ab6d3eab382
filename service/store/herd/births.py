"""Rows that are born: parents before their children, many in a statement.

A plain INSERT, never one that updates: through another unique key it would hit another row.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import groupby

from schema.capture.columns import LIFE, graveyard_of
from service.herd.deltas import DeltaRow
from service.herd.ordering import rows_in_order
from service.herd.shapes import Place, Shapes
from service.store.herd.batches import batches
from service.store.herd.described import HerdTable
from service.store.herd.places import by_table
from service.store.herd.refusals import write_all
from service.store.herd.rows import among, parameters
from service.store.herd.tables import Moved
from service.store.herd.values import HerdColumn
from service.store.herd.writing import META, Writing, key_names, meta_of
from service.store.sql import marks, quoted
from service.store.transaction import Transaction


def in_order(births: Iterable[Writing], shapes: Shapes) -> list[Writing]:
    """Parents before children; where they run in a circle, a reference is empty at first."""
    by_place = {one.place: one for one in births}
    rows = [DeltaRow(*place, one.after, whole=True) for place, one in by_place.items()]
    ordered = [row.place for row in rows_in_order(rows, shapes)]
    rank = {place: number for number, place in enumerate(ordered)}
    return [_begun(by_place[place], rank, number) for number, place in enumerate(ordered)]


def _begun(one: Writing, rank: dict[Place, int], number: int) -> Writing:
    """A birth without the references to rows that come later, where they may be empty."""
    values, columns = one.after.values, one.table.by_id
    early = {
        column
        for reference in one.table.shape.references
        if rank.get((reference.parent, tuple(map(values.get, reference.columns))), -1) > number
        for column in reference.columns
        if columns[column].nullable
    }
    return one.with_columns(emptied=frozenset(early)) if early else one


def bear(tx: Transaction, births: Sequence[Writing]) -> None:
    """Insert the rows, in this order, and take their dead ones out of the graveyard.

    Raises RowsRefused, and Moved where somebody was born and died meanwhile.
    """
    for _table, some in groupby(births, lambda one: one.table.name):
        for batch in batches(some, lambda one: one.weight):
            write_all(batch, lambda one: one.place, lambda part: _insert(tx, part))
    exhume(tx, births)


def _insert(tx: Transaction, part: Sequence[Writing]) -> None:
    table = part[0].table
    given: list[object] = []
    lines = []
    for one in part:
        marked = [_mark(one, column, given) for column in table.columns]
        given += meta_of(one.after)
        lines.append(f"({', '.join(marked)}, {marks(len(META))})")
    columns = ", ".join([*(quoted(column.name) for column in table.columns), *META])
    tx.execute(f"INSERT INTO {quoted(table.name)} ({columns}) VALUES {', '.join(lines)}", given)


def _mark(one: Writing, column: HerdColumn, given: list[object]) -> str:
    """The place of a value; what a row does not say is what the column has by itself."""
    if column.id not in one.after.values:
        return "DEFAULT"
    given.append(one.value(column.id))
    return "?"


def exhume(tx: Transaction, living: Sequence[Writing]) -> None:
    """Take the dead rows of living ones out of their graveyards, of which the rows are locked.

    Raises Moved where there is one that was not there, or another one.
    """
    known = {one.place: one for one in living}
    tables = {one.table.name: one.table for one in living}
    for name, keys in by_table(known).items():
        for batch in batches(keys, lambda key: 64):
            dead = _dead(tx, tables[name], batch)
            moved = [
                (name, key)
                for key, life in dead.items()
                if (name, key) in known and _expected(known[name, key]) != life
            ]
            if moved:
                raise Moved(moved)
            if dead:
                _remove(tx, tables[name], list(dead))


def _expected(one: Writing) -> int | None:
    return None if one.before.dead is None else one.before.dead.life


def _dead(
    tx: Transaction, table: HerdTable, keys: Sequence[tuple[object, ...]]
) -> dict[tuple[object, ...], int]:
    columns = [part.column for part in table.key]
    found = tx.rows(
        f"SELECT {', '.join(column.read_from('dead') for column in columns)}, dead.{LIFE} "
        f"FROM {quoted(graveyard_of(table.name))} AS dead FORCE INDEX (PRIMARY) "
        f"WHERE {among(table, 'dead', len(keys))}",
        parameters(keys),
    )
    return {tuple(map(HerdColumn.read, columns, key)): life for *key, life in found}


def _remove(tx: Transaction, table: HerdTable, keys: Sequence[tuple[object, ...]]) -> None:
    left = key_names(table)
    one = f"({marks(len(left))})"
    condition = f"({', '.join(left)}) IN ({', '.join([one] * len(keys))})"
    tx.execute(
        f"DELETE FROM {quoted(graveyard_of(table.name))} WHERE {condition}", parameters(keys)
    )
