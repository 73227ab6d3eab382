"""Which writes of the changelog a node at some vector has not seen."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator
from typing import Any

from records.stamps import Version
from service.herd.deltas import DELETE, UPDATE
from service.herd.shapes import Place
from service.herd.vectors import Vector
from service.store.herd.batches import batches
from service.store.herd.places import Tables, row_key_of
from service.store.herd.renewing import origin_of
from service.store.transaction import Transaction

_COLUMNS = "`table_name`, `row_key`, `kind`, `writer`, `stamp`, `origin`"


def unseen(
    tx: Transaction, tables: Tables, vector: Vector, places: Collection[Place]
) -> dict[Place, set[Version]]:
    """The versions of the writes to these rows that lie above a vector; deaths are none."""
    found: dict[Place, set[Version]] = defaultdict(set)
    for place, kind, version, _writer in entries_above(tx, tables, vector, places):
        if kind != DELETE:
            found[place].add(version)
    return found


def seen(
    tx: Transaction,
    tables: Tables,
    vector: Vector,
    places: Collection[Place],
    lives: bool = False,
) -> set[Place]:
    """The rows of which nothing lies above a vector, deaths included; or no birth and no death."""
    above = entries_above(tx, tables, vector, places)
    return set(places) - {place for place, kind, *_ in above if not lives or kind != UPDATE}


def entries_above(
    tx: Transaction, tables: Tables, vector: Vector, places: Collection[Place]
) -> Iterator[tuple[Place, str, Version, str]]:
    """What lies above a vector of some rows: the row, the kind, the version, and who wrote it."""
    named = {(place[0], row_key_of(tables, place)): place for place in places}
    for part in batches(named, lambda name: len(name[1]), room=tx.room):
        parameters = [value for name in part for value in name]
        among = f"(`table_name`, `row_key`) IN ({', '.join(['(?, ?)'] * len(part))})"
        for table, key, kind, writer, stamp, origin in _entries(tx, vector, among, parameters):
            yield named[table, key], kind, Version(stamp, origin), writer


def _entries(
    tx: Transaction, vector: Vector, among: str, parameters: list[Any]
) -> Iterator[tuple[Any, ...]]:
    """What was written here, sealed or not, and what came from siblings.

    What the sealer moves meanwhile is met twice rather than never: each statement sees what is
    committed when it begins, so the inbox is read before that to which it is moved.
    """
    for *entry, at_origin in tx.rows(
        f"SELECT {_COLUMNS}, `at_origin` FROM `herdbook_inbox` WHERE {among}",
        parameters,
    ):
        if at_origin is None or at_origin > vector.get(entry[-1], 0):
            yield tuple(entry)
    ours = origin_of(tx)
    yield from tx.rows(
        f"SELECT {_COLUMNS} FROM `herdbook_changelog` WHERE `position` > ? "
        f"AND `at_origin` IS NULL AND `origin` = ? AND {among}",
        (vector.get(ours, 0), ours, *parameters),
    )
    for origin in _origins(tx):
        yield from tx.rows(
            f"SELECT {_COLUMNS} FROM `herdbook_changelog` FORCE INDEX (`herdbook_came`) "
            f"WHERE `origin` = ? AND `at_origin` > ? AND {among}",
            (origin, vector.get(origin, 0), *parameters),
        )


def _origins(tx: Transaction) -> list[int]:
    """The nodes from which entries came; a look at each in the index."""
    found = tx.rows(
        "SELECT DISTINCT `origin` FROM `herdbook_changelog` FORCE INDEX (`herdbook_came`) "
        "WHERE `at_origin` > 0"
    )
    return [origin for (origin,) in found]
