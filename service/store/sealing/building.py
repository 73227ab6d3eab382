"""Puts a sealing lane together."""

from __future__ import annotations

import random
import time
import uuid

from twisted.internet.interfaces import IReactorFromThreads

from records.catalogue import Catalogue
from service.database_url import DatabaseUrl
from service.store.database import HerdbookDatabase
from service.store.retention import Pruner, Retention
from service.store.sealing.lane import Counts, SealingLane
from service.store.sealing.passes import Sealer
from service.store.sealing.session import SealingSession
from service.store.work import RetryPolicy, Worker

# What fails is tried again by the room, which tells the log of it.
_POLICY = RetryPolicy(attempts=3)


def new_sealing_lane(
    reactor: IReactorFromThreads,
    url: DatabaseUrl,
    session: SealingSession,
    catalogue: Catalogue,
    retention: Retention,
    counts: Counts,
) -> SealingLane:
    """A lane on a connection of its own; it connects once it is started."""
    worker = Worker(HerdbookDatabase(url, session), catalogue, _POLICY, random.random)
    # A name of its own for each start: nobody takes an earlier process's lease for its own.
    name = uuid.uuid4().hex
    pruner = Pruner(worker, name, retention, lambda: time.time_ns() // 1_000)
    return SealingLane(reactor, Sealer(worker, name), pruner.prune, counts)
