"""Nodes of a herd on real servers, that tell each other what they have."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from records.catalogue import Catalogue
from records.stamps import Version
from records.states import Death, RowState
from schema.capture.columns import numbers_in
from schema.direct import create_tables
from service.database_url import DatabaseUrl
from service.herd.building import build, rows_of
from service.herd.deltas import DELETE, Delta, LogEntry
from service.herd.held import Held, state_to_send
from service.herd.vectors import Vector
from service.server import PrivateServer
from service.store.herd.applier import Applier, Outcome, where
from service.store.herd.described import Described, Descriptions
from service.store.herd.held import every_held
from service.store.herd.session import ApplyingSession
from service.store.herd.tables import StoredTables
from service.store.herd.values import key_of
from service.store.transaction import Transaction
from service.store.work import RetryPolicy, Worker
from tests.service.store.herd.ranch import CATALOGUE
from tests.service.store.sealing.tools import seal_all, sealing
from tests.service.store.tools import PATIENT, database_at, read

SESSION = ApplyingSession(
    connect_seconds=2, statement_seconds=20, lock_wait_seconds=2, grace_seconds=1
)


@dataclass
class Member:
    """One node: its database, and what applies there."""

    url: str
    catalogue: Catalogue = CATALOGUE
    known: Descriptions = field(default_factory=Descriptions)

    def sql(self, *statements: str) -> None:
        """Somebody writes plain SQL, each statement committed by itself."""
        for statement in statements:
            read(self.url, statement)

    def seal(self) -> None:
        """Give positions to all that is committed."""
        with sealing(self.url) as sealer:
            seal_all(sealer)

    def worker(self, policy: RetryPolicy = PATIENT) -> Worker:
        """A worker with a session in which changes are applied."""
        database = database_at(self.url, SESSION)
        return Worker(database, self.catalogue, policy, chance=lambda: 0.5)

    def do(self, work: Callable[[Transaction], Any], policy: RetryPolicy = PATIENT) -> Any:
        """Run and commit some work in such a session; what it returns need not be plain."""
        seen: list[Any] = []
        worker = self.worker(policy)
        try:
            worker.run(lambda tx: seen.append(work(tx)))
        finally:
            worker.close()
        return seen[-1]

    def apply(self, delta: Delta) -> Outcome:
        """Apply a delta."""
        outcome: Outcome = self.do(lambda tx: Applier(self.known).apply(tx, delta))
        return outcome

    def vector(self) -> Vector:
        """What is here."""
        found: Vector = self.do(lambda tx: where(tx).vector)
        return found

    def origin(self) -> int:
        """Which origin it writes with."""
        found: int = read(self.url, "SELECT origin FROM herdbook_node")[0][0]
        return found

    def held(self) -> list[Any]:
        """What is held here."""
        found: list[Any] = self.do(all_held)
        return found

    def rows(self, statement: str, parameters: Sequence[object] = ()) -> list[Any]:
        """What a query finds."""
        return read(self.url, statement, parameters)

    def delta(self, above: Vector) -> Delta:
        """What a node at a vector lacks, once all here is sealed."""
        self.seal()
        found: Delta = in_transaction_of(self, lambda tx, known: _delta(tx, known, above))
        return found

    def tell(self, other: Member) -> Outcome:
        """Another node learns what this one has."""
        return other.apply(self.delta(other.vector()))


def all_held(tx: Transaction) -> list[Held]:
    """All that is held."""
    return [held for some in every_held(tx) for held in some]


@contextmanager
def node_beside(server: PrivateServer, database: str, name: str) -> Iterator[Member]:
    """One more node, with empty tables in a database of its own beside another's."""
    beside = f"{DatabaseUrl.parse(database).database}_{name}"
    server.create_database(beside)
    url = server.url(beside)
    create_tables(DatabaseUrl.parse(url).as_sqlalchemy(), CATALOGUE)
    read(url, "CREATE TABLE herdbook_revision (version_num VARCHAR(32) PRIMARY KEY)")
    yield Member(url)
    server.drop_database(beside)


def in_transaction_of(member: Member, work: Callable[[Transaction, Described], Any]) -> Any:
    """Run work that needs the description of the tables."""
    return member.do(lambda tx: work(tx, member.known.of(tx)))


def _delta(tx: Transaction, known: Described, above: Vector) -> Delta:
    here = where(tx)
    entries = tuple(_entries(tx, known, here.origin, above))
    tables = StoredTables(tx, known, frozenset())
    places = rows_of(entries)
    rows, held = tables.rows(list(places)), tables.held(list(places))
    states = {}
    for place, of_row in places.items():
        state = state_to_send(rows.get(place), held.get(place))
        if state is None:
            last = of_row[-1]
            assert last.kind == DELETE, f"{place} is nowhere"
            death = Death(last.stamp, last.writer)
            state = RowState(last.life, Version(0, 0), {}, {}, death)
        states[place] = state
    return build(here.origin, (dict(above), dict(here.vector)), entries, states, known.shapes)


def _entries(tx: Transaction, known: Described, origin: int, above: Vector) -> list[LogEntry]:
    found = []
    for table, key, kind, fields, life, by, stamp, writer, at in tx.rows(
        "SELECT table_name, row_key, kind, fields, life, origin, stamp, writer, "
        "COALESCE(at_origin, `position`) FROM herdbook_changelog ORDER BY `position`"
    ):
        if at > above.get(by, 0):
            values = key_of(known.tables[table].key, key)
            columns = tuple(str(number) for number in numbers_in(fields or b""))
            found.append(LogEntry(by, at, table, values, kind, columns, life, stamp, writer))
    return found


def quiet(*members: Member, rounds: int = 8) -> None:
    """All tell all others until nobody learns anything."""
    for _round in range(rounds):
        told = False
        for one in members:
            for other in members:
                if one is not other:
                    delta = one.delta(other.vector())
                    if delta.entries:
                        other.apply(delta)
                        told = True
        if not told:
            return
    raise AssertionError(f"no rest after {rounds} rounds")
