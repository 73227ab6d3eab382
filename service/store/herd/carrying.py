"""A plan is carried out, in an order in which every constraint holds after each row.

release    whoever holds a unique value that another row is to have lets go of it
births     parents before children
changes    nobody refers to what dies any more
deaths     children before parents
"""

from __future__ import annotations

from collections.abc import Mapping

from records.states import RowState
from service.herd.shapes import Place
from service.store.herd import births, changes, deaths
from service.store.herd.releasing import release
from service.store.herd.tables import StoredTables
from service.store.herd.writing import Writing
from service.store.transaction import Transaction


def carry_out(tx: Transaction, tables: StoredTables, states: Mapping[Place, RowState]) -> None:
    """Write the states that rows are to have; the rows are locked.

    Raises RowsRefused where the database does not take some of them, Moved where others wrote.
    """
    known = tables.described.tables
    writings = {
        (table, key): Writing(known[table], key, tables.standing((table, key)), state)
        for (table, key), state in states.items()
    }
    shapes = tables.described.shapes
    left = release(tx, tables, writings).values()
    born = births.in_order((one for one in left if one.born), shapes)
    changed = [one for one in left if one.changed]
    dying = deaths.in_order((one for one in left if one.dies), shapes)
    respelled = deaths.respelled(tx, dying, born)
    deaths.kill(tx, respelled)
    births.bear(tx, born)
    changes.fill(tx, born)
    changes.change(tx, changed)
    births.exhume(tx, [one for one in changed if one.before.dead is not None])
    gone = {one.place for one in respelled}
    deaths.kill(tx, [one for one in dying if one.place not in gone])
    deaths.bury(tx, (one for one in left if not one.after.alive))
