"""What a snapshot does not name: rows that died and were forgotten, while this node was away."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from records.states import RowState
from schema.capture.columns import graveyard_of
from service.herd.deltas import Delta, DeltaRow
from service.herd.planning.forgetting import left_out, names_rows_of
from service.herd.shapes import Place
from service.store.herd.batches import batches
from service.store.herd.described import Described
from service.store.herd.every_row import every_row
from service.store.herd.named import Named
from service.store.herd.places import by_table, digest, row_key_of
from service.store.herd.rows import among, parameters
from service.store.herd.tables import StoredTables
from service.store.sql import quoted
from service.store.transaction import Transaction


def note_named(described: Described, named: Named, delta: Delta) -> None:
    """A part of a snapshot names its rows."""
    known = described.tables
    named.add(digest(row.table, row_key_of(known, row.place)) for row in delta.rows)


def unnamed(
    tx: Transaction, described: Described, named: Named, delta: Delta
) -> tuple[list[Place], list[Place]]:
    """The rows here, live and dead, that a snapshot has not named with all its parts.

    `delta` is its last part. Rows of tables that its sender does not have are left alone.
    """
    live: list[Place] = []
    dead: list[Place] = []
    known = described.tables
    for alive, places in every_row(tx, described, lambda table: names_rows_of(delta, table)):
        digests = {digest(place[0], row_key_of(known, place)): place for place in places}
        there = named.among(digests)
        (live if alive else dead).extend(
            place for one, place in digests.items() if one not in there
        )
    return live, dead


def dead_rows_of(
    tx: Transaction, described: Described, delta: Delta, places: Collection[Place], now: int
) -> tuple[DeltaRow, ...]:
    """The deaths that a snapshot tells of by leaving rows out."""
    return left_out(delta, places, StoredTables(tx, described, frozenset()), now)


def forget(
    tx: Transaction,
    described: Described,
    delta: Delta,
    died: Collection[DeltaRow],
    dead: Collection[Place],
    after: Mapping[Place, RowState],
) -> None:
    """Take dead rows out of the graveyards that the sender has forgotten.

    `died` are those that have died of it just now, as far as nothing keeps them alive, `dead` those
    that were dead before.
    """
    gone = [row.place for row in died if row.place in after and not after[row.place].alive]
    tables = StoredTables(tx, described, frozenset())
    gone += sorted(tables.seen(delta.covers, dead), key=repr) if dead else []
    for name, keys in by_table(gone).items():
        for part in batches(keys, lambda _key: 64):
            tx.execute(
                f"DELETE dead FROM {quoted(graveyard_of(name))} AS dead "
                f"WHERE {among(described.tables[name], 'dead', len(part))}",
                parameters(part),
            )
