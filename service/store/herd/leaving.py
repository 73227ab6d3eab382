"""What a snapshot does not name: rows that died and were forgotten, while this node was away."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping

from records.states import RowState
from schema.capture.columns import graveyard_of
from service.herd.deltas import Delta, DeltaRow
from service.herd.parts import MOST_BYTES
from service.herd.planning.forgetting import left_out, names_rows_of
from service.herd.shapes import Place
from service.store.herd.batches import batches, weight_of_values
from service.store.herd.delta_parts import ranks_of
from service.store.herd.described import Described
from service.store.herd.every_row import every_row
from service.store.herd.named import Named
from service.store.herd.places import by_table, digest, row_key_of
from service.store.herd.rows import among, parameters
from service.store.herd.sizes import fitting
from service.store.herd.spool import Spool, Spooled
from service.store.herd.tables import StoredTables
from service.store.herd.values import key_of
from service.store.sql import quoted
from service.store.transaction import Transaction

AT_ONCE = 1_000
"""So many rows die together: others are in a file until it is their turn."""


def note_named(described: Described, named: Named, delta: Delta) -> None:
    """A part of a snapshot names its rows."""
    known = described.tables
    named.add(digest(row.table, row_key_of(known, row.place)) for row in delta.rows)


class Unnamed:
    """The rows here that a snapshot has not named with all its parts: in a file, by their keys.

    `delta` is its last part. Rows of tables that its sender does not have are left alone.
    """

    def __init__(self, tx: Transaction, described: Described, delta: Delta) -> None:
        self._tx = tx
        self._described = described
        self._delta = delta
        self._spool = Spool()

    def find(self, named: Named) -> None:
        """Look through all rows."""
        known = self._described.tables
        for alive, places in every_row(self._tx, self._described, self._names):
            keys = {digest(place[0], row_key_of(known, place)): place for place in places}
            there = named.among(keys)
            left = [place for one, place in keys.items() if one not in there]
            # Those that live are to die: the spool has the order for that.
            self._spool.add_rows(((p[0], row_key_of(known, p)) for p in left), alive=not alive)
        self._spool.arrange(lambda names: ranks_of(names, self._described.shapes))

    def close(self) -> None:
        """Drop the file."""
        self._spool.close()

    def dying(self, now: int) -> Iterator[tuple[DeltaRow, ...]]:
        """The deaths that the snapshot tells of by leaving rows out, some at a time.

        Children come before their parents, except where a table refers to itself.
        """
        for places in self._pages(self._spool.dead):
            tables = StoredTables(self._tx, self._described, frozenset())
            yield left_out(self._delta, places, tables, now)

    def dead(self) -> Iterator[list[Place]]:
        """Those that were dead before, as far as the sender had seen all that became of them."""
        for places in self._pages(self._spool.live):
            tables = StoredTables(self._tx, self._described, frozenset())
            yield sorted(tables.seen(self._delta.covers, places), key=repr)

    def _names(self, table: str) -> bool:
        return names_rows_of(self._delta, table)

    def _pages(
        self, following: Callable[[Spooled | None, int], list[Spooled]]
    ) -> Iterator[list[Place]]:
        """Rows of one table at a time, as many as may be in memory."""
        last: Spooled | None = None
        while some := following(last, AT_ONCE):
            table = self._described.tables[some[0].table]
            keys = [key_of(table.key, row.key) for row in some]
            count = fitting(self._tx, table, keys, MOST_BYTES)
            last = some[count - 1]
            yield [(table.name, key) for key in keys[:count]]


def forget_deaths(
    tx: Transaction,
    described: Described,
    died: Collection[DeltaRow],
    after: Mapping[Place, RowState],
) -> None:
    """Keep no dead rows of those that have died just now, unless a repair wrote to them.

    One that lived and died again of repairs has entries of that, which are nothing without it.
    """
    gone = [
        row.place for row in died if row.place in after and after[row.place].life == row.state.life
    ]
    forget(tx, described, gone)


def forget(tx: Transaction, described: Described, gone: Collection[Place]) -> None:
    """Take dead rows out of the graveyards that the sender of a snapshot has forgotten."""
    for name, keys in by_table(gone).items():
        for part in batches(keys, weight_of_values, room=tx.room):
            tx.execute(
                f"DELETE dead FROM {quoted(graveyard_of(name))} AS dead "
                f"WHERE {among(described.tables[name], 'dead', len(part))}",
                parameters(part),
            )
