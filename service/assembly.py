"""The parts of a node, built as its configuration says; `service.node` joins them."""

from __future__ import annotations

import logging
import random
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from typing import Any, NamedTuple

from prometheus_client import CollectorRegistry

from records.catalogue import Catalogue
from schema.version import SCHEMA_NUMBER
from service.access.door import Door
from service.access.rates import Limiter, rate_of
from service.config import Configuration
from service.config.advertised import advertised_url
from service.herd.status import HerdState
from service.identity.credentials import Paths
from service.identity.listener import ListenerPaths
from service.methods.family_port import NewRange
from service.methods.herd_api import HerdPorts
from service.metrics import AccessMetrics, SealingMetrics, show_certificate_end
from service.ranges.wanted import read_wanted
from service.store.database import HerdbookDatabase
from service.store.herd.building import new_stored_herd
from service.store.herd.figures import StoredHerdFigures
from service.store.herd.held_rows import StoredHeld
from service.store.herd.journal_pages import StoredJournal
from service.store.herd.stored import StoredHerd
from service.store.own_node import OwnNode, Told
from service.store.ranges.stored import StoredRanges
from service.store.retention import Retention
from service.store.sealing.building import new_sealing_lane
from service.store.sealing.lane import SealingLane
from service.store.sealing.session import SealingSession
from service.store.settings import SessionSettings
from service.store.threads import Lane
from service.store.work import RetryPolicy, Worker
from service.transports.admin import admin_limits
from service.transports.arriving import JOINING, Arriving, Wishes
from service.transports.descriptors import MOST, RESERVED, make_room, most_within
from service.transports.siblings.tls import Security
from service.transports.stream_limits import StreamLimits
from service.transports.tls_listeners import ListenerTls
from service.transports.web import WebLimits

_log = logging.getLogger("herdbook.node")


class Bounds(NamedTuple):
    """What each listener of applications may cost."""

    rpc: WebLimits
    stream: StreamLimits
    admin: WebLimits


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

    def door(self, metrics: AccessMetrics) -> Door:
        """Who is let in, and how often he may call."""
        access = self._configuration.access
        limiter = Limiter(
            rate_of(access.token_rate),
            rate_of(access.address_rate),
            self._reactor.seconds,
            metrics.limited,
        )
        return Door(access.required, lambda: datetime.now(UTC), limiter=limiter)

    def bounds(self) -> Bounds:
        """What each listener may cost, by what the system lets this process open."""
        access, feed = self._configuration.access, self._configuration.feed
        lanes = self._configuration.lanes.read + self._configuration.lanes.write
        descriptors = make_room(RESERVED + sum(MOST) + lanes) - lanes
        most, near = most_within(descriptors), access.address_connections
        if most != MOST:
            _log.warning("%d files may be open: %s", descriptors, most)
        stream = StreamLimits(
            most.stream,
            near,
            stall_seconds=feed.stall_seconds,
            subscriptions=feed.subscriptions,
        )
        body = self._configuration.limits.body_bytes
        return Bounds(WebLimits(body, most.rpc, near), stream, admin_limits(most.admin, near))

    def listener_tls(self, metrics: CollectorRegistry) -> ListenerTls | None:
        """What listeners show; raises IdentityRefused where its files are no good."""
        files = self._configuration.listen.files
        if files is None:
            return None
        tls = ListenerTls(ListenerPaths(*files), self._reactor)
        show_certificate_end(metrics, lambda: tls.life.ends)
        return tls

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

    def security(self) -> Security | None:
        """What links are secured with; raises IdentityRefused where its files are no good."""
        node, herd = self._configuration.node, self._configuration.herd
        if herd.certificate is None or herd.key is None or herd.ca is None:
            return None
        return Security(Paths(herd.certificate, herd.key, herd.ca), node.name)

    def own_node(self, reading: Lane, writing: Lane, security: Security | None) -> OwnNode:
        """What keeps the record of this node, for its siblings."""

        def fingerprint() -> str | None:
            return None if security is None else security.card.fingerprint

        state = JOINING if self._configuration.herd.joining else "active"
        advertised = self._configuration.herd.advertise
        url = advertised_url(advertised) if advertised else None
        told = Told(self._configuration.node.name, fingerprint, state, url)
        every = self._configuration.capture.check_seconds
        return OwnNode(told, reading, writing, self._reactor, every)

    def arriving(
        self, own: OwnNode, ranges: StoredRanges | None, state: Callable[[], HerdState | None]
    ) -> Arriving | None:
        """What looks after a node that joins; None: it does not."""
        herd = self._configuration.herd
        if ranges is None or not (herd.joining and herd.is_wanted):
            return None
        wanted = map(read_wanted, herd.ranges)
        new = [NewRange(None, each.block, each.purpose) for each in wanted]
        return Arriving(own, Wishes(ranges, new), state, self._reactor)

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
