"""Rows that would travel without their parents, since the parents' births are left out.

Whoever knows the parent as dead would take its children for orphans and repair that: delete them,
or bring the parent back. So they wait for the parent, and nothing of theirs is covered.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence

from service.herd.deltas import UPDATE
from service.herd.shapes import Key, Reference
from service.store.herd.described import Described, HerdTable
from service.store.herd.lines import Line
from service.store.herd.rows import parameters
from service.store.herd.spool import Spool
from service.store.herd.values import bytes_of, key_of
from service.store.sealing.entries import Place
from service.store.sealing.keys import KEYS_A_STATEMENT
from service.store.sql import quoted, tuple_of
from service.store.transaction import Transaction


def leave_out_orphans(
    tx: Transaction, described: Described, spool: Spool, unborn: Collection[Place]
) -> list[Line]:
    """Take out of a spool what refers to rows that are not told as born; the lines.

    A row that is born with such a line is not told as born either.
    """
    left: list[Line] = []
    wave = set(unborn)
    while wave:
        following: set[Place] = set()
        for place in _children(tx, described, wave):
            lines = spool.take_out(place)
            left += lines
            if any(line.kind != UPDATE for line in lines):
                following.add(place)
        wave = following
    return left


def _children(tx: Transaction, described: Described, parents: Iterable[Place]) -> Iterator[Place]:
    """The live rows that refer to these."""
    keys: dict[str, list[Key]] = {}
    for name, raw in parents:
        if name in described.tables:
            try:
                key = key_of(described.tables[name].key, raw)
            except ValueError:
                # No row of the table as it is now.
                continue
            keys.setdefault(name, []).append(key)
    for table in described.tables.values():
        for reference in table.shape.references:
            yield from _referring(tx, table, reference, keys.get(reference.parent, ()))


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
