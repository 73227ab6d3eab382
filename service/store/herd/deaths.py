"""Rows that die: children before their parents, and what becomes of them in the graveyard."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from itertools import groupby

from records.states import Value
from schema.capture.columns import DIED, WRITER, WRITER_LENGTH, graveyard_of
from service.herd.deltas import DeltaRow
from service.herd.ordering import rows_in_order
from service.herd.shapes import Key, Shapes
from service.store.herd.batches import batches
from service.store.herd.changes import write_columns
from service.store.herd.collation import folded
from service.store.herd.described import HerdTable
from service.store.herd.refusals import write_all
from service.store.herd.rows import among, parameters
from service.store.herd.tables import Moved
from service.store.herd.values import HerdColumn
from service.store.herd.writing import META, Writing, key_names, meta_of
from service.store.sql import marks, quoted
from service.store.transaction import Transaction


def in_order(deaths: Iterable[Writing], shapes: Shapes) -> list[Writing]:
    """Children before their parents, by what the rows hold now."""
    by_place = {one.place: one for one in deaths}
    rows = [
        DeltaRow(*place, one.before.live, whole=True)
        for place, one in by_place.items()
        if one.before.live is not None
    ]
    return [by_place[row.place] for row in reversed(rows_in_order(rows, shapes))]


def kill(tx: Transaction, deaths: Sequence[Writing]) -> None:
    """Delete the rows, in this order. Raises RowsRefused, Moved."""
    _let_go(tx, deaths)
    for _table, some in groupby(deaths, lambda one: one.table.name):
        for batch in batches(some, lambda one: 64):
            write_all(batch, lambda one: one.place, lambda part: _delete(tx, part))


def _let_go(tx: Transaction, deaths: Sequence[Writing]) -> None:
    """Empty the references to rows that go first, as they do where references run in a circle."""
    rank = {one.place: number for number, one in enumerate(deaths)}
    early: dict[tuple[str, tuple[str, ...]], list[Writing]] = defaultdict(list)
    for number, one in enumerate(deaths):
        assert one.before.live is not None, f"{one.place} is not there"
        values = one.before.live.values
        for reference in one.table.shape.references:
            parent = (reference.parent, tuple(map(values.get, reference.columns)))
            if rank.get(parent, number + 1) <= number:
                ids = tuple(c for c in reference.columns if one.table.by_id[c].nullable)
                early[one.table.name, ids].append(one)
    for (_name, ids), group in early.items():
        if ids:
            write_columns(tx, group, ids, lambda _one, _column: None)


def _delete(tx: Transaction, part: Sequence[Writing]) -> None:
    table = part[0].table
    keys = [one.key for one in part]
    given = parameters(keys)
    order = ""
    if any(reference.parent == table.name for reference in table.shape.references):
        # A foreign key is checked row by row, within the statement too.
        met = " AND ".join(f"{name} = ?" for name in key_names(table))
        cases = " ".join(f"WHEN {met} THEN {number:d}" for number in range(len(part)))
        order = f" ORDER BY CASE {cases} END"
        given += parameters(keys)
    touched = tx.execute(
        f"DELETE FROM {quoted(table.name)} "
        f"WHERE {among(table, quoted(table.name), len(keys))}{order}",
        given,
    )
    if touched != len(part):
        raise Moved([one.place for one in part])


def respelled(
    tx: Transaction, deaths: Sequence[Writing], births: Iterable[Writing]
) -> list[Writing]:
    """The deaths of rows whose key is also that of a birth, as the database takes it."""
    keys: dict[str, list[Key]] = defaultdict(list)
    for one in births:
        keys[one.table.name].append(one.key)
    found: list[Writing] = []
    for name, some in groupby(deaths, lambda one: one.table.name):
        dying = list(some)
        if name in keys and _has_spellings(dying[0].table):
            found += _met(tx, dying, keys[name])
    return found


def _met(tx: Transaction, dead: Sequence[Writing], keys: Sequence[Key]) -> list[Writing]:
    """The dead rows with one of these keys, as the database takes it."""
    columns = [part.column for part in dead[0].table.key]
    folds = folded(tx, columns, [*(one.key for one in dead), *keys])
    wanted = set(folds[len(dead) :])
    return [one for one, fold in zip(dead, folds, strict=False) if fold in wanted]


def _has_spellings(table: HerdTable) -> bool:
    return any(part.column.collation is not None for part in table.key)


def bury(tx: Transaction, dead: Iterable[Writing]) -> None:
    """Put dead rows into their graveyards, in the place of earlier dead ones.

    But not where a row lives whose key the database takes for the same: both would be one place.
    """
    ordered = sorted(dead, key=lambda one: one.table.name)
    for _table, some in groupby(ordered, lambda one: one.table.name):
        for batch in batches(some, lambda one: one.weight):
            buried = _without_living(tx, batch) if _has_spellings(batch[0].table) else batch
            if buried:
                write_all(buried, lambda one: one.place, lambda part: _bury(tx, part))


def _without_living(tx: Transaction, dead: Sequence[Writing]) -> list[Writing]:
    table = dead[0].table
    columns = [part.column for part in table.key]
    rows = tx.rows(
        f"SELECT {', '.join(column.read_from('alive') for column in columns)} "
        f"FROM {quoted(table.name)} AS alive FORCE INDEX (PRIMARY) "
        f"WHERE {among(table, 'alive', len(dead))}",
        parameters([one.key for one in dead]),
    )
    if not rows:
        return list(dead)
    living = _met(tx, dead, [tuple(map(HerdColumn.read, columns, row)) for row in rows])
    return [one for one in dead if one not in living]


def _bury(tx: Transaction, part: Sequence[Writing]) -> None:
    table = part[0].table
    given: list[Value] = []
    for one in part:
        known = _values(one)
        given += [known.get(column.id) for column in table.columns]
        assert one.after.death is not None, f"{one.place} lives"
        died, writer = one.after.death
        given += [*meta_of(one.after), died, writer[:WRITER_LENGTH]]
    columns = [*(quoted(column.name) for column in table.columns), *META, DIED, WRITER]
    line = f"({marks(len(columns))})"
    tx.execute(
        f"REPLACE INTO {quoted(graveyard_of(table.name))} ({', '.join(columns)}) "
        f"VALUES {', '.join([line] * len(part))}",
        given,
    )


def _values(one: Writing) -> dict[str, Value]:
    """The values of a dead row.

    Of one that went past the triggers, by TRUNCATE, the sender has none: it keeps what is here.
    """
    key = {part.column.id: value for part, value in zip(one.table.key, one.key, strict=True)}
    if one.after.values:
        return {**key, **one.after.values}
    here = one.before.live or one.before.dead
    return {**key, **({} if here is None else here.values)}
