"""A sibling's delta becomes part of this node, in one transaction.

    read where this node stands
    plan          rows here, some of them locked, and the delta
    carry out     rows are written, every constraint holds
    note          journal, what is held, the vector, and last the log entries
    wake          what was waiting for these rows
    COMMIT

Where others wrote in between, it is planned again. Where the database does not take a row, all is
undone to the savepoint and planned again without the row, which is held then.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from typing import NamedTuple, TypeAlias

from MySQLdb import Error as DriverError

from schema.capture.triggers import NOW
from service.errors import Busy
from service.herd.deltas import Delta, DeltaRow, LogEntry
from service.herd.held import Held
from service.herd.planning.forgetting import forgets_with, is_behind
from service.herd.planning.plan import NOTHING, Here, Plan, plan
from service.herd.planning.retrying import retry
from service.herd.shapes import Place, Shapes
from service.herd.vectors import Vector, includes, joined
from service.store.herd import held, journal, noting
from service.store.herd.carrying import carry_out
from service.store.herd.described import Descriptions
from service.store.herd.floors import floors_of, raise_floors
from service.store.herd.leaving import Unnamed, forget, forget_deaths, note_named
from service.store.herd.named import Named
from service.store.herd.refusals import RowsRefused
from service.store.herd.tables import Moved, StoredTables
from service.store.herd.waking import Came, altogether, came_of, waiting, woken_by
from service.store.herd.writers import writers_of
from service.store.sealing.keys import is_absent
from service.store.transaction import Transaction

MOST_ROUNDS = 50
"""So often a plan is made anew; each round bars more rows, or somebody wrote in between."""

MOST_COLLISIONS = 5
"""So often a collision is taken for somebody's writing in between, and not for the row's fault."""

MOST_WAKES = 20
"""So many generations of waiting rows are woken at once; the others wait for the next delta."""

_SAVEPOINT = "herdbook_planned"

_log = logging.getLogger(__name__)

Planner: TypeAlias = Callable[[StoredTables, Shapes, Mapping[Place, str]], Plan]


class Outcome(NamedTuple):
    """What was applied: the plan as it was carried out, and this node's vector after it."""

    plan: Plan
    vector: Vector


@dataclass
class _Trouble:
    """What has gone wrong so far with one plan, and what follows from it for the next try."""

    places: frozenset[Place]
    locked: set[Place]
    refused: dict[Place, str] = field(default_factory=dict)
    collisions: int = 0

    def take(self, error: RowsRefused) -> None:
        """Rows were refused: by chance, or for good."""
        self.collisions += error.collided
        if error.collided and self.collisions <= MOST_COLLISIONS:
            return
        new = error.texts.keys() - self.refused.keys()
        # What is refused again although it was left out is not to be told from the rest.
        texts = error.texts if new else dict.fromkeys(self.places, "it cannot be written")
        self.refused.update(texts)


class Applier:
    """Applies deltas, in a session that is set up as `ApplyingSession` says."""

    def __init__(self, descriptions: Descriptions) -> None:
        self._descriptions = descriptions
        self._buried: set[Place] = set()

    def apply(
        self,
        tx: Transaction,
        delta: Delta,
        *,
        parts_before: bool = False,
        named: Named | None = None,
    ) -> Outcome:
        """Apply a delta, or a part of one with what waited for it.

        Where parts came before, all that waits for rows is tried: those may have come with them.
        `named` are the rows that the parts of a snapshot have named, those of this part as well.
        Nothing is done where the sender lacks what was pruned here.

        Raises DeltaRefused; Busy where others write the same rows all the time; the driver's error
        for what a unit of work may be run again for.
        """
        self._buried.clear()
        here = where(tx)
        if is_behind(delta, floors_of(tx)):
            _log.info("a delta of origin %d waits until that has a snapshot", delta.sender)
            return Outcome(NOTHING, here.vector)
        if delta.last and named is not None and not includes(here.vector, delta.covers):
            outcome = self._apply_last(tx, delta, named, here)
        else:
            outcome = self._apply(tx, delta, here, parts_before)
        self._hold_sealing(tx)
        return outcome

    def name(self, tx: Transaction, delta: Delta, named: Named) -> None:
        """A part of a snapshot came: keep in mind which rows it names."""
        note_named(self._descriptions.of(tx), named, delta)

    def _apply_last(self, tx: Transaction, delta: Delta, named: Named, here: Here) -> Outcome:
        """Apply the last part of a snapshot; what it has not named has died.

        Those deaths are like further parts before the last one, so they are not all in memory.
        What cannot die without a repair waits for the last, as in any other part.
        """
        waited: tuple[DeltaRow, ...] = ()
        with closing(Unnamed(tx, self._descriptions.of(tx), delta)) as left:
            left.find(named)
            for died in left.dying(here.now):
                part = delta._replace(rows=died, entries=(), last=False)
                made = self._apply(tx, part, here, False).plan
                forget_deaths(tx, self._descriptions.of(tx), died, made.rows)
                waited += made.waiting
            outcome = self._apply(tx, delta._replace(rows=delta.rows + waited), here, True)
            forget_deaths(tx, self._descriptions.of(tx), waited, outcome.plan.rows)
            if forgets_with(delta, here.vector):
                for dead in left.dead():
                    forget(tx, self._descriptions.of(tx), dead)
        return outcome

    def _apply(self, tx: Transaction, delta: Delta, here: Here, parts_before: bool) -> Outcome:
        def planner(tables: StoredTables, shapes: Shapes, refused: Mapping[Place, str]) -> Plan:
            return plan(delta, tables, shapes, here, refused)

        made = self._settle(tx, here, planner, (row.place for row in delta.rows), delta)
        done, vector = made, here.vector
        if delta.last:
            if delta.floors is not None and forgets_with(delta, here.vector):
                raise_floors(tx, delta.floors.items())
            noting.raise_vector(tx, here, delta.covers)
            vector = joined(vector, {**delta.covers, here.origin: 0})
            here = here._replace(vector=vector)
            came = self._came(tx, made)
            if parts_before:
                came = self._retry_each(tx, here, waiting(tx))
            self._wake(tx, here, came)
        return Outcome(done, vector)

    def retry(self, tx: Transaction, helds: Iterable[Held]) -> Plan:
        """Try to write what is held; raises what `apply` does."""
        self._buried.clear()
        made = self._retry(tx, where(tx), tuple(helds))
        self._hold_sealing(tx)
        return made

    def _hold_sealing(self, tx: Transaction) -> None:
        """Last of all: a birth that comes beside a row just buried is sealed after the commit."""
        if not self._buried:
            return
        tables = StoredTables(tx, self._descriptions.of(tx), frozenset())
        if not tables.hold_sealing(self._buried):
            raise Busy("a row was created while its deletion came from a sibling")

    def _wake(self, tx: Transaction, here: Here, came: Came) -> None:
        """Write what was waiting for rows that came, and so on."""
        for _generation in range(MOST_WAKES):
            if not came.written:
                return
            came = self._retry_each(tx, here, woken_by(tx, came))

    def _retry_each(self, tx: Transaction, here: Here, groups: Iterable[tuple[Held, ...]]) -> Came:
        """Try what is held, one group after the other; what came of that."""
        return altogether(self._came(tx, self._retry(tx, here, helds)) for helds in groups)

    def _came(self, tx: Transaction, made: Plan) -> Came:
        return came_of(self._descriptions.of(tx).tables, made)

    def _retry(self, tx: Transaction, here: Here, helds: tuple[Held, ...]) -> Plan:
        def planner(tables: StoredTables, shapes: Shapes, refused: Mapping[Place, str]) -> Plan:
            return retry(helds, tables, shapes, here, refused)

        return self._settle(tx, here, planner, (one.row.place for one in helds), None)

    def _settle(
        self,
        tx: Transaction,
        here: Here,
        planner: Planner,
        places: Iterable[Place],
        delta: Delta | None,
    ) -> Plan:
        """Plan, carry out and note, until it is done."""
        every = frozenset(places)
        trouble = _Trouble(every, set(every))
        tx.execute(f"SAVEPOINT {_SAVEPOINT}")
        for _round in range(MOST_ROUNDS):
            tables = StoredTables(tx, self._descriptions.of(tx), trouble.locked)
            try:
                made = planner(tables, tables.described.shapes, trouble.refused)
                tables.require_unchanged(made.rows)
                carry_out(tx, tables, made.rows)
                _note(tx, here, tables, made, delta)
                buried = tables.require_unborn(made.rows)
            except Moved as moved:
                trouble.locked |= moved.places
            except RowsRefused as error:
                trouble.take(error)
            except DriverError as error:
                if not is_absent(error):
                    raise
                self._descriptions.forget()
            else:
                self._buried -= {place for place, one in made.rows.items() if one.alive}
                self._buried |= buried
                return made
            tx.execute(f"ROLLBACK TO SAVEPOINT {_SAVEPOINT}")
        raise Busy("the rows of a sibling's changes are written by others all the time")


def where(tx: Transaction) -> Here:
    """The node as it stands: its origin, its vector, and the database's time."""
    ((origin, written, now),) = tx.rows(
        f"SELECT node.`origin`, sealer.`written`, {NOW} FROM `herdbook_node` AS node "
        "JOIN `herdbook_sealer` AS sealer ON sealer.`only` = node.`only` WHERE node.`only` = 1"
    )
    vector = dict(tx.rows("SELECT `origin`, `position` FROM `herdbook_vector`"))
    return Here(origin, {**vector, origin: written}, now)


def _note(
    tx: Transaction, here: Here, tables: StoredTables, made: Plan, delta: Delta | None
) -> None:
    known = tables.described.tables
    sender, covers = (None, None) if delta is None else (delta.sender, delta.covers)
    writers = writers_of(tx, known, made, covers)
    journal.note(tx, known, made.journal, sender, here.now, writers)
    held.release(tx, known, made.released)
    held.hold(tx, known, made.held, here.now)
    kept: list[LogEntry] = noting.to_keep(made.kept, here)
    noting.note(tx, tables, made.rows, kept, made.noted)
    if made.held:
        _log.info("%d rows of origin %s are held", len(made.held), sender)
