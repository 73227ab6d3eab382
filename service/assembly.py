"""The parts of a node, built as its configuration says; `service.node` joins them."""

from __future__ import annotations

import random
from collections.abc import Callable
from functools import partial
from typing import Any

from prometheus_client import CollectorRegistry

from records.catalogue import Catalogue
from schema.version import SCHEMA_NUMBER
from service.config import Configuration
from service.herd.status import HerdState
from service.methods.herd_api import HerdPorts
from service.metrics import SealingMetrics
from service.store.database import HerdbookDatabase
from service.store.herd.building import new_stored_herd
from service.store.herd.figures import StoredHerdFigures
from service.store.herd.held_rows import StoredHeld
from service.store.herd.journal_pages import StoredJournal
from service.store.herd.stored import StoredHerd
from service.store.retention import Retention
from service.store.sealing.building import new_sealing_lane
from service.store.sealing.lane import SealingLane
from service.store.sealing.session import SealingSession
from service.store.settings import SessionSettings
from service.store.threads import Lane
from service.store.work import RetryPolicy, Worker


class Assembly:
    """Builds parts for one node."""

    def __init__(self, configuration: Configuration, catalogue: Catalogue, reactor: Any) -> None:
        self._configuration = configuration
        self._catalogue = catalogue
        self._reactor = reactor

    def lane(self, name: str, on_commit: Callable[[], None] | None = None) -> Lane:
        """A lane with a connection for each of its threads.

        Without `on_commit` it is for reading: its connections commit each statement.
        """
        database = HerdbookDatabase(
            self._configuration.database.url,
            session_settings(self._configuration, autocommit=on_commit is None),
        )
        make_worker = partial(Worker, database, self._catalogue, RetryPolicy(), random.random)
        threads: int = getattr(self._configuration.lanes, name)
        return Lane(self._reactor, name, threads, make_worker, on_commit or (lambda: None))

    def sealing_lane(self, metrics: CollectorRegistry) -> SealingLane:
        """The lane that seals, with a connection of its own."""
        database, retention = self._configuration.database, self._configuration.retention
        session = SealingSession(
            connect_seconds=database.connect_seconds, statement_seconds=database.statement_seconds
        )
        return new_sealing_lane(
            self._reactor,
            database.url,
            session,
            self._catalogue,
            Retention(retention.days, retention.entries),
            SealingMetrics(metrics),
        )

    def stored_herd(self, reading: Lane, sealing: SealingLane) -> StoredHerd:
        """What siblings are told of the database, and what they tell is written to."""
        return new_stored_herd(
            self._reactor,
            self._configuration.database.url,
            session_settings(self._configuration, autocommit=False),
            self._catalogue,
            reading,
            sealing,
        )

    def herd_ports(
        self,
        reading: Lane,
        writing: Lane,
        stored: StoredHerd,
        state: Callable[[], HerdState | None],
    ) -> HerdPorts:
        """What the methods about the herd need; `state` gives None where there are no links."""
        name = self._configuration.node.name
        alone = HerdState(name, None, {}, schema=self.schema_identity)
        return HerdPorts(
            StoredHerdFigures(reading, lambda: state() or alone),
            StoredJournal(reading, writing, name),
            StoredHeld(reading, stored.applying, name),
        )

    @property
    def schema_identity(self) -> str:
        """What the node says of its schema to siblings."""
        return f"{self._configuration.node.records} {SCHEMA_NUMBER}"


def session_settings(configuration: Configuration, autocommit: bool) -> SessionSettings:
    """The time limits of connections, from a configuration."""
    database = configuration.database
    return SessionSettings(
        connect_seconds=database.connect_seconds,
        statement_seconds=database.statement_seconds,
        lock_wait_seconds=database.lock_wait_seconds,
        autocommit=autocommit,
    )
