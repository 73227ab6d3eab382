"""The tables of a node as planning asks them, within one transaction under READ COMMITTED.

Rows that are to be written are locked when they are read; what is only looked at is not, so that
nobody waits who merely refers to it. Before a plan is carried out, whatever it writes beyond that
is locked and must be as it was: `require_unchanged`.

A parent that is locked gets no more children: an application's INSERT locks it too.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Hashable, Iterable, Mapping, Sequence, Set
from typing import TypeVar

from MySQLdb import Error as DriverError

from records.stamps import Version
from records.states import RowState
from service.herd.held import Held
from service.herd.shapes import Key, Place, Reference, Unique
from service.herd.tables import Claim
from service.herd.vectors import Vector
from service.store.herd import collation, held, unseen
from service.store.herd.batches import batches, weight_of_values
from service.store.herd.described import Described, HerdTable
from service.store.herd.floors import floors_of
from service.store.herd.places import by_table, fits
from service.store.herd.refusals import apart, is_of_rows
from service.store.herd.rows import Standing, standings
from service.store.herd.values import HerdColumn
from service.store.sql import quoted, tuple_of
from service.store.transaction import Transaction

Item = TypeVar("Item")

NOWHERE = Standing()


class Moved(Exception):
    """Somebody wrote rows between their reading and their locking."""

    def __init__(self, places: Collection[Place]) -> None:
        super().__init__(f"{len(places)} rows were written meanwhile")
        self.places = frozenset(places)


class StoredTables:
    """The rows here, live and dead; `written` are to be locked when they are read."""

    def __init__(self, tx: Transaction, described: Described, written: Set[Place]) -> None:
        self.described = described
        self._tx = tx
        self._written = written
        self._standing: dict[Place, Standing] = {}
        self._held: dict[Place, Held | None] = {}

    def standing(self, place: Place) -> Standing:
        """How a row stood when it was read."""
        return self._standing.get(place, NOWHERE)

    def rows(self, places: Collection[Place]) -> Mapping[Place, RowState]:
        """See the port."""
        fresh = [place for place in places if place not in self._standing]
        locked = [place for place in fresh if place in self._written]
        self._standing.update(self._read(locked, lock=True))
        self._standing.update(self._read((p for p in fresh if p not in self._written), lock=False))
        found = ((place, self.standing(place)) for place in places)
        return {place: one.state for place, one in found if one != NOWHERE}

    def require_unchanged(self, places: Iterable[Place]) -> None:
        """Lock these rows as well; raises Moved where one is not as it was read."""
        unlocked = [place for place in places if place not in self._written]
        now = self._read(unlocked, lock=True)
        moved = [place for place in unlocked if now[place] != self.standing(place)]
        if moved:
            raise Moved(moved)

    def require_unborn(self, states: Mapping[Place, RowState]) -> Set[Place]:
        """Nobody has borne a row that was buried, and was not alive here; which these are.

        There was no row to lock. Raises Moved where somebody has, and waits for who is about to.
        """
        buried = {p for p, one in states.items() if not one.alive and not self.standing(p).live}
        born = self._born(buried)
        if born:
            raise Moved(born)
        return buried

    def hold_sealing(self, buried: Collection[Place]) -> bool:
        """Let nothing be sealed until the transaction ends; False: somebody has borne one of these.

        A birth that comes from now on is sealed over the dead row.
        """
        self._tx.rows("SELECT 1 FROM `herdbook_sealer` WHERE `only` = 1 FOR UPDATE")
        return not self._born(buried)

    def _born(self, buried: Collection[Place]) -> list[Place]:
        now = self._read(buried, lock=True)
        return [place for place in buried if now[place].live is not None]

    def _read(self, places: Iterable[Place], *, lock: bool) -> dict[Place, Standing]:
        known = self.described.tables
        found: dict[Place, Standing] = dict.fromkeys(places, NOWHERE)
        wanted = [place for place in found if fits(known, place)]
        for table, keys in by_table(wanted).items():
            for key, standing in standings(self._tx, known[table], keys, lock=lock).items():
                found[table, key] = standing
        return found

    def held(self, places: Collection[Place]) -> Mapping[Place, Held]:
        """See the port."""
        fresh = [place for place in places if place not in self._held]
        found = held.held_of(self._tx, self.described.tables, fresh)
        self._held.update((place, found.get(place)) for place in fresh)
        some = ((place, self._held[place]) for place in places)
        return {place: one for place, one in some if one is not None}

    def children(self, table: str, reference: Reference, parents: Collection[Key]) -> Set[Place]:
        """See the port."""
        return self._holding(table, reference.columns, list(parents))

    def holders(self, table: str, unique: Unique, claims: Collection[Claim]) -> Set[Place]:
        """See the port."""
        return self._holding(table, unique.columns, list(claims))

    def folded(self, table: str, unique: Unique, claims: Sequence[Claim]) -> Sequence[Hashable]:
        """See the port."""
        known = self.described.tables[table].by_id
        return collation.folded(self._tx, [known[column] for column in unique.columns], claims)

    def unseen(self, vector: Vector, places: Collection[Place]) -> Mapping[Place, Set[Version]]:
        """See the port."""
        return unseen.unseen(self._tx, self.described.tables, vector, places)

    def seen(self, vector: Vector, places: Collection[Place], lives: bool = False) -> Set[Place]:
        """See the port."""
        return unseen.seen(self._tx, self.described.tables, vector, places, lives)

    def floors(self) -> Vector:
        """See the port."""
        return floors_of(self._tx)

    def _holding(self, name: str, ids: Sequence[str], wanted: Sequence[Claim]) -> Set[Place]:
        """The keys of the live rows that hold one of some values in these columns."""
        table = self.described.tables[name]
        found: set[Place] = set()

        def look(part: Sequence[Claim]) -> None:
            found.update((name, key) for key in self._keys_where(table, ids, part))

        for part in batches(dict.fromkeys(wanted), weight_of_values, room=self._tx.room):
            _ask(part, look)
        return found

    def _keys_where(
        self, table: HerdTable, ids: Sequence[str], part: Sequence[Claim]
    ) -> Iterable[Key]:
        key = [each.column for each in table.key]
        names = tuple_of([_compared(table.by_id[column]) for column in ids])
        one = tuple_of(["?"] * len(ids))
        rows = self._tx.rows(
            f"SELECT {', '.join(column.read_from('alive') for column in key)} "
            f"FROM {quoted(table.name)} AS alive "
            f"WHERE {names} IN ({', '.join([one] * len(part))})",
            [value for claim in part for value in claim],
        )
        return [tuple(map(HerdColumn.read, key, row)) for row in rows]


def _compared(column: HerdColumn) -> str:
    """A FLOAT equals no number with more digits than it prints, unless it is widened."""
    wide = column.data_type == "float"
    return column.read_from("alive") if wide else f"alive.{quoted(column.name)}"


def _ask(part: Sequence[Item], look: Callable[[Sequence[Item]], None]) -> None:
    """Look for some values; what the server does not compare with a column is in no row."""
    try:
        look(part)
    except DriverError as error:
        if not is_of_rows(error):
            raise
        apart(part, look)
