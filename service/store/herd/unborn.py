"""Births that a delta leaves out: whether what is left is whole without them.

A sibling that knows a parent as dead would take its children for orphans and repair that: delete
them, or bring the parent back; and its repair would reach everybody. So no child goes without its
parent.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

from service.errors import Busy
from service.herd.shapes import Key, Reference
from service.store.herd.described import Described, HerdTable
from service.store.herd.rows import parameters, standings
from service.store.herd.spool import Spool
from service.store.herd.values import bytes_of, key_of
from service.store.sealing.entries import Place
from service.store.sealing.keys import KEYS_A_STATEMENT
from service.store.sql import quoted, tuple_of
from service.store.transaction import Transaction


def require_whole(
    tx: Transaction, described: Described, spool: Spool, unborn: Collection[Place]
) -> None:
    """Raise Busy unless these can be told as the dead rows that they were before."""
    for name in sorted({table for table, _key in unborn}):
        table = described.tables.get(name)
        if table is None:
            raise Busy(f"changes of {name} are not sealed yet")
        keys = _keys(table, [raw for of, raw in unborn if of == name])
        stand = standings(tx, table, keys)
        if any(key not in stand or None in stand[key] for key in keys):
            # These are no births over dead rows: the sealer has not come to them.
            raise Busy(f"changes of {name} are not sealed yet")
        for child in _children(tx, described, name, keys):
            if spool.has(child):
                raise Busy(
                    f"a row of {name} was born again and is held by an open transaction, while "
                    f"rows of {child[0]} refer to it already"
                )


def _keys(table: HerdTable, row_keys: Sequence[bytes]) -> list[Key]:
    try:
        return [key_of(table.key, raw) for raw in row_keys]
    except ValueError as error:
        raise Busy(f"the key of {table.name} was changed") from error


def _children(
    tx: Transaction, described: Described, parent: str, keys: Sequence[Key]
) -> Iterator[Place]:
    """The live rows that refer to these."""
    for table in described.tables.values():
        for reference in table.shape.references:
            if reference.parent == parent:
                yield from _referring(tx, table, reference, keys)


def _referring(
    tx: Transaction, table: HerdTable, reference: Reference, parents: Sequence[Key]
) -> Iterator[Place]:
    own = ", ".join(part.column.read_from("alive") for part in table.key)
    names = [f"alive.{quoted(table.by_id[column].name)}" for column in reference.columns]
    for start in range(0, len(parents), KEYS_A_STATEMENT):
        part = parents[start : start + KEYS_A_STATEMENT]
        one = tuple_of(["?"] * len(names))
        found = tx.rows(
            f"SELECT {own} FROM {quoted(table.name)} AS alive "
            f"WHERE {tuple_of(names)} IN ({', '.join([one] * len(part))})",
            parameters(part),
        )
        for raw in found:
            key = tuple(each.column.read(value) for each, value in zip(table.key, raw, strict=True))
            yield table.name, bytes_of(table.key, key)
