"""Deltas read from the database, part by part. All of it blocks; the reactor's side is elsewhere.

    open a snapshot         of the rows, the changelog, the vector and the inbox
    wait for the sealer     until what the snapshot shows unsealed has positions
    spool the lines         those above the other's vector: of the snapshot, and those given since
    read the rows           in the same snapshot, and cut them into parts, a batch at a time

Where the other lacks what was pruned here, all rows are read, and not only those with lines.

The snapshot is open until the last part was read, the reading closed, or idle for too long.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator
from contextlib import closing
from dataclasses import dataclass, field
from typing import TypeVar

from MySQLdb import Error as DriverError
from storm.exceptions import Error as StormError

from records.catalogue import Catalogue
from service.errors import Busy, Unavailable
from service.herd.deltas import Delta
from service.herd.vectors import Vector, includes
from service.store.database import HerdbookDatabase
from service.store.herd.delta_parts import Batches, Sizes
from service.store.herd.described import Described, Descriptions
from service.store.herd.every_row import every_row
from service.store.herd.held import every_held
from service.store.herd.lines import lines_above
from service.store.herd.places import row_key_of
from service.store.herd.snapshots import Moment, Snapshot, moment_of, told_by_service_errors
from service.store.herd.spool import Spool
from service.store.herd.states import HeldOf, States, nothing_held
from service.store.herd.unborn import require_whole
from service.store.herd.unsealed import MOST_UNSEALED, Patience, Reach, SealerWatch
from service.store.records_store import RecordStore
from service.store.transaction import Transaction

Result = TypeVar("Result")

_TRIES = 3


@dataclass(frozen=True)
class Bounds:
    """How much is in memory at once, how long the sealer is waited for, and how much for."""

    sizes: Sizes = field(default_factory=Sizes)
    patience: Patience = field(default_factory=Patience)
    most_unsealed: int = MOST_UNSEALED


class DeltaReader:
    """Reads deltas from one database; each reading has a connection of its own.

    `wake` tells the sealer that there is something to do, from any thread.
    """

    def __init__(
        self,
        database: HerdbookDatabase,
        catalogue: Catalogue,
        wake: Callable[[], None],
        held_of: HeldOf = nothing_held,
        bounds: Bounds | None = None,
    ) -> None:
        self._database = database
        self._catalogue = catalogue
        self._wake = wake
        self._held_of = held_of
        self._bounds = bounds or Bounds()
        self._lock = threading.Lock()
        self._descriptions = Descriptions()
        # Entries that were waited for in vain: the next reading does not wait for them again.
        self._stuck: frozenset[int] = frozenset()

    def read(self, above: Vector) -> DeltaReading:
        """Begin to read what is here and not at a vector; raises ServiceError."""
        with told_by_service_errors():
            for _try in range(_TRIES):
                snapshot = Snapshot(self._database, self._catalogue)
                try:
                    moment = moment_of(snapshot.tx, self._bounds.most_unsealed + 1)
                    if len(moment.unsealed) <= self._bounds.most_unsealed:
                        return self._begun(snapshot, moment, above)
                except BaseException:
                    snapshot.close()
                    raise
                # It would be held open for long.
                snapshot.close()
                self._watching(lambda watch: watch.drained(self._bounds.most_unsealed))
        raise Busy("too many changes are not sealed yet for a delta to be read")

    def _begun(self, snapshot: Snapshot, moment: Moment, above: Vector) -> DeltaReading:
        reach = Reach((), moment.vector, ())
        if moment.unsealed:
            reach = self._watching(lambda watch: watch.reach(moment, self._stuck))
            self._stuck = frozenset(entry.entry for entry in reach.left_out)
        head = head_of(moment, reach, above)
        return DeltaReading(snapshot, self._parts(snapshot.tx, moment, head, reach, above))

    def _parts(
        self, tx: Transaction, moment: Moment, head: Delta, reach: Reach, above: Vector
    ) -> Generator[Delta]:
        """The parts; what they need beside the snapshot is made with the first and goes with them.

        Raises ServiceError.
        """
        with closing(Spool()) as spool, told_by_service_errors():
            for lines in lines_above(tx, moment, above):
                spool.add(lines)
            spool.add(late for late in reach.lines if late.at > above.get(late.origin, 0))
            try:
                described = self._described(tx)
                if head.floors is not None:
                    head = head._replace(tables=tuple(sorted(described.tables)))
                    add_every_row(tx, described, spool)
                require_whole(tx, described, spool, reach.unborn)
                states = States(tx, described, self._held_of, reach.unborn)
                yield from Batches(head, spool, states, self._bounds.sizes).parts()
            except (DriverError, StormError):
                # Something may not be as it is described.
                with self._lock:
                    self._descriptions.forget()
                raise

    def _described(self, tx: Transaction) -> Described:
        with self._lock:
            return self._descriptions.of(tx)

    def _watching(self, look: Callable[[SealerWatch], Result]) -> Result:
        """What is found on a connection that sees what is committed now."""
        with closing(RecordStore(self._database, self._catalogue)) as store:
            tx = Transaction(store, self._catalogue)
            return look(SealerWatch(tx, self._wake, self._bounds.patience))


class DeltaReading:
    """A delta that is being read. It belongs to the thread that began it."""

    def __init__(self, snapshot: Snapshot, parts: Generator[Delta]) -> None:
        self._snapshot = snapshot
        self._parts = parts
        self._closed = False

    @property
    def closed(self) -> bool:
        """Whether it is over: the last part was read, it failed, or it was given up."""
        return self._closed

    def next(self) -> Delta:
        """The next part; raises ServiceError, and then it is over."""
        if self._closed:
            raise Unavailable("the reading of the delta is over")
        try:
            part = next(self._parts)
        except BaseException:
            self.close()
            raise
        if part.last:
            self.close()
        return part

    def close(self) -> None:
        """Give the connection and the file back; also when that was done already."""
        if not self._closed:
            self._closed = True
            self._parts.close()
            self._snapshot.close()


def head_of(moment: Moment, reach: Reach, above: Vector) -> Delta:
    """The delta for a node at a vector, without rows and entries.

    For one that lacks what was pruned here it is a snapshot: all rows, and the entries above its
    vector. Who has less would pass on a gap. Its tables are told when they are known.
    """
    floors = None if includes(above, moment.floors) else dict(moment.floors)
    return Delta(moment.origin, dict(above), reach.covers, (), (), last=False, floors=floors)


def add_every_row(tx: Transaction, described: Described, spool: Spool) -> None:
    """Let a delta name all rows, live and dead, and all that is held."""
    known = described.tables
    for alive, places in every_row(tx, described):
        spool.add_rows(((place[0], row_key_of(known, place)) for place in places), alive=alive)
    for some in every_held(tx):
        for held in some:
            place = held.row.place
            spool.add_rows([(place[0], row_key_of(known, place))], alive=held.row.state.alive)
