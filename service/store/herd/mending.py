"""Rows of another node are taken in outside of any delta, to make two nodes equal again.

They are merged and repaired as a delta's are, with two differences. Where both nodes have one
version of a column, the value that came is written even so, since one of the two is damaged. And
what is written is noted as this node's own entries, so that readers of the feed and other nodes
learn of it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence, Set

from records.errors import Failure, pointer
from records.states import RowState
from service.errors import ParametersRefused
from service.herd.deltas import DELETE, INSERT, UPDATE, Delta, DeltaRow, LogEntry
from service.herd.planning.draft import WRITER
from service.herd.planning.plan import UNNUMBERED, Here, Plan, plan
from service.herd.shapes import Place, Shapes
from service.methods.mending_port import Mended
from service.store.herd.applier import Applier, Planner, where
from service.store.herd.described import Descriptions, describe
from service.store.herd.digests import table_of
from service.store.herd.held_states import states_with_held
from service.store.herd.looking import key_at
from service.store.herd.tables import NOWHERE, StoredTables
from service.store.threads import Lane
from service.store.transaction import Transaction


class Mender(Applier):
    """Takes rows in, in a session that is set up for applying."""

    def mend(self, tx: Transaction, rows: Sequence[DeltaRow]) -> Mended:
        """Merge rows with those here; raises what `apply` does."""
        self._buried.clear()
        here = where(tx)
        made = self._settle(tx, here, _planner(rows, here), (row.place for row in rows), None)
        self._wake(tx, here, self._came(tx, made))
        self._hold_sealing(tx)
        return Mended(len(made.rows), len(made.held))


class StoredMending:
    """Implements `service.methods.mending_port.Mending` on MySQL."""

    def __init__(self, reading: Lane, applying: Lane) -> None:
        """`applying` has sessions as `ApplyingSession` sets them up."""
        self._reading = reading
        self._applying = applying
        self._mender = Mender(Descriptions())

    async def fetch(self, table: str, keys: Sequence[bytes]) -> list[DeltaRow | None]:
        """See the port."""
        return await self._reading.run(lambda tx: _fetched(tx, table, keys))

    async def mend(self, rows: Sequence[DeltaRow]) -> Mended:
        """See the port."""
        return await self._applying.run(lambda tx: self._mender.mend(tx, rows))


def _fetched(tx: Transaction, name: str, row_keys: Sequence[bytes]) -> list[DeltaRow | None]:
    table = table_of(describe(tx), name)
    keys = [key_at(table, row_key, at) for at, row_key in enumerate(row_keys)]
    try:
        found = states_with_held(tx, table, keys)
    except ValueError as error:
        message = f"a row of {name} cannot be read: {error}"
        raise ParametersRefused([Failure("row.malformed", message, pointer("keys"))]) from None
    return [DeltaRow(name, key, found[key], whole=True) if key in found else None for key in keys]


def _planner(rows: Sequence[DeltaRow], here: Here) -> Planner:
    """Plans as for a delta that holds these rows and no entries."""
    delta = Delta(here.origin, {}, {}, tuple(rows), ())

    def planner(tables: StoredTables, shapes: Shapes, refused: Mapping[Place, str]) -> Plan:
        made = plan(delta, tables, shapes, here, refused)
        held = {one.row.place for one in made.held} | _waiting(rows, made, tables)
        forced = {
            row.place: _forced(row.state, made.rows.get(row.place), tables, row.place)
            for row in rows
            if row.place not in held
        }
        states = {**made.rows, **forced}
        noted = [
            entry for place in forced for entry in _entries(tables, place, states[place], here)
        ]
        return made._replace(rows=states, noted=(*made.noted, *noted))

    return planner


def _waiting(rows: Sequence[DeltaRow], made: Plan, tables: StoredTables) -> Set[Place]:
    """The rows that go on being held as they were: nothing of them can be written."""
    held = tables.held([row.place for row in rows])
    return {place for place, one in held.items() if one.row.whole} - made.released


def _forced(
    given: RowState, planned: RowState | None, tables: StoredTables, place: Place
) -> RowState:
    """What was planned, or stands; but with what was given wherever versions are the same.

    The row is written also where nothing of its state changes: what it names as its latest version
    may be damaged too.
    """
    standing = tables.standing(place)
    base = planned if planned is not None else given if standing == NOWHERE else standing.state
    if base.life != given.life:
        return base
    same = [
        column
        for column in given.values
        if column in base.values and base.version(column) == given.version(column)
    ]
    slots = {column: given.slots[column] for column in same if column in given.slots}
    values = {column: given.values[column] for column in same}
    return base._replace(slots={**base.slots, **slots}, values={**base.values, **values})


def _entries(tables: StoredTables, place: Place, after: RowState, here: Here) -> Iterator[LogEntry]:
    """What is noted of a row that came out otherwise than it stood."""
    standing = tables.standing(place)
    before = None if standing == NOWHERE else standing.state
    kind, columns, stamp = UPDATE, tuple[str, ...](), after.latest.stamp
    if after.death is not None:
        kind, stamp = DELETE, after.death.died
    elif before is None or before.life != after.life:
        kind = INSERT
    else:
        columns = tuple(
            column
            for column, value in after.values.items()
            if repr(before.values.get(column)) != repr(value)
            or before.version(column) != after.version(column)
        )
    if before != after and (kind != UPDATE or columns):
        yield LogEntry(here.origin, UNNUMBERED, *place, kind, columns, after.life, stamp, WRITER)
