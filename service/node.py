"""One node: the only place that builds the parts and joins them.

Node(configuration, catalogue, reactor).start()
"""

from __future__ import annotations

import logging
import signal
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from prometheus_client import CollectorRegistry
from twisted.internet.defer import Deferred
from twisted.internet.threads import deferToThread

from records.catalogue import Catalogue
from schema.scripts import load_revisions, needs_of, own_revisions
from service.assembly import Assembly
from service.config import Configuration
from service.herd.port import HerdStore
from service.herd.status import HerdState
from service.memory import be_patient, settle
from service.methods.api import build_registry
from service.methods.guard import guarded
from service.methods.registry import Registry
from service.metrics import (
    AccessMetrics,
    AsideMetrics,
    CallMetrics,
    StreamMetrics,
    new_registry,
    show_missing_capture,
    show_waiting,
)
from service.store.capture_watch import CaptureWatch
from service.store.feed.pages import Bounds
from service.store.feed.stored import StoredFeed
from service.store.feed.waiting import Waiting
from service.store.herd.aside_watch import AsideWatch
from service.store.herd.building import new_comparing
from service.store.ranges.stored import StoredRanges
from service.store.records import StoredRecords
from service.store.schema_watch import SchemaWatch
from service.store.undo import StoredUndo
from service.transports.admin import AdminFactory
from service.transports.calls import CallRunner
from service.transports.http import RpcFactory
from service.transports.lines import LineFactory
from service.transports.listening import Listener, Listeners
from service.transports.readiness import Check
from service.transports.siblings.building import new_herd_room
from service.transports.siblings.room import HerdRoom, Who
from service.transports.token_watch import TokenWatch

DRAIN_SECONDS = 10.0
"""How long calls under way may take when the node stops; process managers wait 30 and more."""

_log = logging.getLogger("herdbook.node")


Advise = Callable[[str], str]
"""Puts options into the commands that a text names, so that they are about this node."""


def _unchanged(advice: str) -> str:
    """For nodes that no command has started."""
    return advice


@dataclass(frozen=True)
class Addresses:
    """Where a running node can be reached; a URL, or the endpoint where it has none."""

    rpc: str
    stream: str
    admin: str
    herd: str | None = None


class Node:
    """A node that serves the records of a catalogue from one database.

    Its links read and write `herd_store`; None: what siblings say goes into that database too.
    """

    def __init__(
        self,
        configuration: Configuration,
        catalogue: Catalogue,
        reactor: Any,
        advise: Advise = _unchanged,
        herd_store: HerdStore | None = None,
    ) -> None:
        self._configuration = configuration
        self._advise = advise
        self._reactor = reactor
        self._metrics: CollectorRegistry = new_registry()
        self._parts = Assembly(configuration, catalogue, reactor)
        self._sealing = self._parts.sealing_lane(self._metrics)
        self._reading = self._parts.lane("read")
        self._writing = self._parts.lane("write", self._sealing.wake)
        self._stored_herd = self._parts.stored_herd(self._reading, self._sealing)
        self._capture = self._capture_watch()
        self._schema = self._schema_watch()
        self._aside = self._aside_watch()
        self._security = self._parts.security()
        self._own = self._parts.own_node(self._reading, self._writing, self._security)
        limits = configuration.limits
        self._feed = self._stored_feed()
        self._ranges = self._stored_ranges(catalogue)
        registry = self._registry(catalogue)
        calls = CallMetrics(self._metrics, frozenset(method.name for method in registry))
        away = AccessMetrics(self._metrics)
        self._door = self._parts.door(away)
        self._bounds = self._parts.bounds()
        self._runner = CallRunner(guarded(registry, self._door), limits, calls, reactor)
        self._rpc = self._calls(partial(away.turned_away, "rpc"))
        self._stream = self._lines(partial(away.turned_away, "stream"))
        self._tokens = TokenWatch(
            configuration.tokens_file, self._door, reactor, self._stream.look_again
        )
        self.herd = (
            self._herd_room(herd_store or self._stored_herd)
            if configuration.herd.is_wanted
            else None
        )
        self._arriving = self._parts.arriving(self._own, self._ranges, self._links)
        self._admin = self._probes(partial(away.turned_away, "admin"))
        self._tls = self._parts.listener_tls(self._metrics)
        self._listeners = Listeners(reactor, self._tls)

    async def start(self) -> Addresses:
        """Begin to serve; raises CannotListen or TokensRefused and leaves nothing open."""
        self._tokens.start()
        if self._tls is not None:
            self._tls.start()
        self._reading.start()
        self._writing.start()
        self._sealing.start()
        self._stored_herd.start()
        try:
            if self.herd is not None:
                await self._own.keep()
                self._own.start()
            rpc = await self._listen("listen.rpc", self._rpc)
            stream = await self._listen("listen.stream", self._stream)
            admin = await self._listen("listen.admin", self._admin)
            herd = await self._start_herd()
        except BaseException:
            await self.stop()
            raise
        self._capture.start()
        self._schema.start()
        self._aside.start()
        if self._ranges is not None:
            self._ranges.start()
        if self._arriving is not None:
            self._arriving.start()
        node = self._configuration.node
        _log.info("node %s serves %s at %s and %s", node.name, node.records, rpc, stream)
        return Addresses(rpc=rpc, stream=stream, admin=admin, herd=herd)

    async def stop(self) -> None:
        """Take no more calls, finish those under way, and close everything, probes last."""
        for name in ("listen.rpc", "listen.stream", "herd.listen"):
            await self._listeners.close(name)
        self._tokens.stop()
        if self._tls is not None:
            self._tls.stop()
        if self.herd is not None:
            await self.herd.stop()
        self._capture.stop()
        self._schema.stop()
        self._aside.stop()
        self._own.stop()
        if self._arriving is not None:
            self._arriving.stop()
        if self._ranges is not None:
            self._ranges.stop()
        self._feed.close()
        draining = [factory.drain(DRAIN_SECONDS) for factory in (self._rpc, self._stream)]
        for drained in draining:
            await drained
        # A statement whose caller is gone may run on for a while; probes are answered meanwhile.
        for lane in (self._reading, self._writing, self._stored_herd, self._sealing):
            await deferToThread(lane.stop)
        await self._listeners.close("listen.admin")
        await self._admin.close()

    async def _start_herd(self) -> str | None:
        """Begin to look for siblings; where they find this node, if they may look for it."""
        if self.herd is None:
            return None
        self.herd.start()
        if not self._configuration.herd.listen:
            return None
        herd = await self._listen("herd.listen", self.herd.listener)
        _log.info("siblings are listened for at %s", herd)
        return herd

    async def _listen(self, name: str, factory: Any) -> str:
        """Open the listener of a key; where it can be reached."""
        section, key = name.split(".")
        endpoint: str = getattr(getattr(self._configuration, section), key)
        is_default = self._configuration.origins[name] == "default"
        return await self._listeners.open(Listener(name, endpoint, is_default), factory)

    def _checks(self) -> dict[str, Check]:
        """What /readyz looks at."""
        checks: dict[str, Check] = {
            "calls": self._runner.readiness,
            "database": self._database_problem,
            "sealing": self._sealing_problem,
            "capture": self._capture_problem,
            "schema": self._schema_problem,
            "access": self._access_problem,
        }
        if self._configuration.listen.files is not None:
            checks["listeners"] = self._listeners_problem
        if self.herd is not None:
            checks["herd"] = self._herd_problem
        return checks

    def _capture_watch(self) -> CaptureWatch:
        """What looks after the triggers of capture."""
        every = self._configuration.capture.check_seconds
        watch = CaptureWatch(self._reading, self._reactor, every, self._advise)
        show_missing_capture(self._metrics, watch)
        return watch

    def _schema_watch(self) -> SchemaWatch:
        """What looks after the schema; raises a SchemaError where revision files are broken."""
        node, every = self._configuration.node, self._configuration.capture.check_seconds
        revisions = load_revisions(node.migrations or own_revisions(node.records))
        return SchemaWatch(needs_of(revisions), self._reading, self._reactor, every, self._advise)

    def _registry(self, catalogue: Catalogue) -> Registry:
        """All that can be asked."""
        return build_registry(
            catalogue,
            StoredRecords(catalogue, self._reading, self._writing),
            self._feed,
            self._configuration.limits.longest_wait,
            StoredUndo(self._reading, self._writing),
            self._parts.herd_ports(
                self._reading, self._writing, self._stored_herd, self._herd_state
            ),
            new_comparing(self._reading, self._stored_herd),
            self._ranges,
        )

    def _stored_ranges(self, catalogue: Catalogue) -> StoredRanges | None:
        """The ranges of all nodes; None where the catalogue has no such class."""
        if "range" not in catalogue.records:
            return None
        return StoredRanges(
            catalogue, self._reading, self._writing, self._sealing, self._reactor, settle
        )

    def _aside_watch(self) -> AsideWatch:
        """What counts what could not be written, and what lost."""
        every = self._configuration.capture.check_seconds
        return AsideWatch(self._reading, self._reactor, every, AsideMetrics(self._metrics))

    def _stored_feed(self) -> StoredFeed:
        """The feed. A page may take a quarter of a result, since its size is only estimated."""
        bounds = Bounds(size=self._configuration.limits.result_bytes // 4)
        waiting = Waiting(self._sealing, self._reactor)
        show_waiting(self._metrics, waiting)
        return StoredFeed(self._reading, self._writing, self._sealing, waiting, bounds)

    def _herd_room(self, store: HerdStore) -> HerdRoom:
        """The links to siblings."""
        node = self._configuration.node
        return new_herd_room(
            store,
            Who(node.name, self._parts.schema_identity),
            self._configuration.herd,
            self._sealing,
            self._metrics,
            self._reactor,
            self._security,
        )

    def _calls(self, turned_away: Callable[[str], None]) -> RpcFactory:
        """The listener of calls over HTTP."""
        return RpcFactory(self._runner, self._bounds.rpc, self._reactor, self._door, turned_away)

    def _probes(self, turned_away: Callable[[str], None]) -> AdminFactory:
        """The listener of probes and numbers."""
        bounds = self._bounds.admin
        return AdminFactory(
            self._checks(), self._metrics, self._reactor, self._door, bounds, turned_away
        )

    def _lines(self, turned_away: Callable[[str], None]) -> LineFactory:
        """The listener whose connections stay."""
        return LineFactory(
            self._runner,
            self._configuration.limits,
            self._bounds.stream,
            StreamMetrics(self._metrics),
            self._sealing,
            self._reactor,
            self._door,
            turned_away,
        )

    async def _database_problem(self) -> str | None:
        """What /readyz says of the database: the problem, or None."""
        try:
            await self._reading.run(lambda tx: tx.rows("SELECT 1"))
        except Exception as error:
            _log.warning("the database does not answer: %s", error)
            return "the database does not answer"
        return None

    async def _sealing_problem(self) -> str | None:
        """What /readyz says of sealing."""
        return self._sealing.problem()

    def _herd_state(self) -> HerdState | None:
        """How links stand, and what of joining is to be known; None without siblings."""
        state = self._links()
        if state is None or self._arriving is None:
            return state
        return state._replace(warnings=(*state.warnings, *self._arriving.warnings))

    def _links(self) -> HerdState | None:
        """How links stand; None where the node has no siblings."""
        return self.herd.state() if self.herd is not None else None

    async def _herd_problem(self) -> str | None:
        """What /readyz says of siblings."""
        return self.herd.problem() if self.herd is not None else None

    async def _capture_problem(self) -> str | None:
        """What /readyz says of capture."""
        return self._capture.problem()

    async def _access_problem(self) -> str | None:
        """What /readyz says of the tokens. Where its file is, is told to the log only."""
        return None if self._tokens.problem() is None else "the file of tokens cannot be read"

    async def _listeners_problem(self) -> str | None:
        """What /readyz says of what listeners show."""
        return None if self._tls is None else self._tls.problem()

    async def _schema_problem(self) -> str | None:
        """What /readyz says of the schema."""
        return self._schema.problem()


def _stop_on_hangup(reactor: Any) -> None:
    """Stop in good order when the terminal closes too, unless `nohup` said otherwise."""
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
        stop = partial(reactor.callFromThread, reactor.stop)
        signal.signal(signal.SIGHUP, lambda _number, _frame: stop())


def run_node(
    configuration: Configuration,
    catalogue: Catalogue,
    on_ready: Callable[[Addresses], None],
    advise: Advise = _unchanged,
) -> None:
    """Serve until a signal (SIGINT, SIGTERM) ends it; blocks.

    `on_ready` is told the addresses, `advise` puts this node's options into commands. Raises what
    kept the node from starting.
    """
    from twisted.internet import reactor as installed

    reactor: Any = installed
    be_patient()
    node = Node(configuration, catalogue, reactor, advise)
    trouble: list[BaseException] = []

    async def serve() -> None:
        try:
            addresses = await node.start()
            settle()
            on_ready(addresses)
        except BaseException as error:
            trouble.append(error)
            reactor.stop()

    reactor.callWhenRunning(lambda: Deferred.fromCoroutine(serve()))
    reactor.callWhenRunning(lambda: _stop_on_hangup(reactor))
    reactor.addSystemEventTrigger("before", "shutdown", lambda: Deferred.fromCoroutine(node.stop()))
    # Twisted answers Ctrl-C only where nobody but Python does.
    if signal.getsignal(signal.SIGINT) is not signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    reactor.run()
    if trouble:
        raise trouble[0]
