"""Puts the herd's store together."""

from __future__ import annotations

import logging
import random
from functools import partial

from twisted.internet.interfaces import IReactorFromThreads
from twisted.internet.threads import deferToThread

from records.catalogue import Catalogue
from schema.errors import SchemaError
from schema.origin import follow_origin
from service.database_url import DatabaseUrl
from service.methods.comparing_api import ComparingPorts
from service.store.database import HerdbookDatabase
from service.store.herd.applier import Applier
from service.store.herd.arrivals import Arrivals
from service.store.herd.described import Descriptions
from service.store.herd.held import held_at
from service.store.herd.mending import StoredMending
from service.store.herd.reading import DeltaReader
from service.store.herd.session import ApplyingSession
from service.store.herd.snapshots import IDLE_SECONDS, ReadingSession
from service.store.herd.stored import StoredHerd
from service.store.herd.verifying import StoredVerifying
from service.store.sealing.lane import SealingLane
from service.store.settings import SessionSettings
from service.store.threads import Lane, StepLane
from service.store.work import RetryPolicy, Worker

READINGS = 4
"""Deltas that are read at once; each holds a snapshot, a connection and a thread."""


FOLLOW_SECONDS = 60.0
"""How long is waited for a migration that is running."""

_log = logging.getLogger("herdbook.herd")


def new_stored_herd(
    reactor: IReactorFromThreads,
    url: DatabaseUrl,
    settings: SessionSettings,
    catalogue: Catalogue,
    reading: Lane,
    sealing: SealingLane,
) -> StoredHerd:
    """The store of one node; it connects when it is first asked. `settings` are its time limits."""
    session = ApplyingSession(settings.connect_seconds, settings.statement_seconds)
    database = HerdbookDatabase(url, session)
    watching = ReadingSession(settings.connect_seconds, settings.statement_seconds)
    make_worker = partial(Worker, database, catalogue, RetryPolicy(), random.random)
    return StoredHerd(
        reading,
        Lane(reactor, "applying", 1, make_worker, sealing.wake),
        StepLane(reactor, "deltas", READINGS, IDLE_SECONDS),
        DeltaReader(HerdbookDatabase(url, watching), catalogue, sealing.wake, held_at),
        Arrivals(Applier(Descriptions())),
        partial(deferToThread, _follow, url.as_sqlalchemy()),
    )


def new_comparing(reading: Lane, herd: StoredHerd) -> ComparingPorts:
    """What compares this node with another one, and what makes them equal."""
    return ComparingPorts(StoredVerifying(reading), StoredMending(reading, herd.applying))


def _follow(url: str) -> None:
    """Let triggers follow a new origin; what keeps them from it is told to the log."""
    try:
        follow_origin(url, FOLLOW_SECONDS)
    except SchemaError as error:
        _log.warning("triggers do not know the new origin yet: %s %s", error.message, error.hint)
