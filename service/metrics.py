"""What a node counts about itself, for Prometheus. Base units, and names that start `herdbook_`."""

from __future__ import annotations

from collections.abc import Callable, Container, Mapping, Sized
from datetime import datetime
from functools import partial

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector

from service.herd.status import HerdState, Standing

# From a read that finds everything in memory up to the default of limits.call_seconds.
_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
_NO_SUCH_METHOD = "unknown"


class CallMetrics:
    """The numbers about calls. `methods` holds the names there are.

    Names a client made up are counted together: each label value is a time series that lives as
    long as the process, and clients must not be able to make new ones.
    """

    def __init__(self, registry: CollectorRegistry, methods: Container[str]) -> None:
        self._methods = methods
        self._calls = Counter(
            "herdbook_rpc_calls",
            "Calls that ended, by outcome: ok, cancelled, or the code of the error.",
            ["method", "outcome"],
            registry=registry,
        )
        self._seconds = Histogram(
            "herdbook_rpc_seconds",
            "How long calls took.",
            ["method"],
            registry=registry,
            buckets=_BUCKETS,
        )
        self._running = Gauge(
            "herdbook_rpc_calls_in_flight", "Calls running now.", registry=registry
        )

    def started(self) -> None:
        """Note that a call begins."""
        self._running.inc()

    def ended(self, method: str, outcome: str, seconds: float) -> None:
        """Note how a call ended and how long it took."""
        name = method if method in self._methods else _NO_SUCH_METHOD
        self._running.dec()
        self._calls.labels(name, outcome).inc()
        self._seconds.labels(name).observe(seconds)


class StreamMetrics:
    """The numbers about persistent connections and their subscriptions."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.connections = Gauge(
            "herdbook_stream_connections", "Open connections to the stream.", registry=registry
        )
        self.subscriptions = Gauge(
            "herdbook_feed_subscriptions", "Subscriptions to the feed.", registry=registry
        )
        self.changes = Counter(
            "herdbook_feed_changes_sent", "Changes sent to subscribers.", registry=registry
        )
        self.overflows = Counter(
            "herdbook_feed_overflows",
            "Subscriptions that the node ended, for whatever reason.",
            registry=registry,
        )


class AccessMetrics:
    """The numbers about who was sent away."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._limited = Counter(
            "herdbook_calls_limited",
            "Calls and requests refused as too many, by whose limit it was.",
            ["by"],
            registry=registry,
        )

        self._turned_away = Counter(
            "herdbook_connections_turned_away",
            "Connections refused, or cut off as strangers to make room, by listener and reason.",
            ["listener", "reason"],
            registry=registry,
        )

    def turned_away(self, listener: str, reason: str) -> None:
        """Note a connection that found or lost no place: "full", "address" or "stranger"."""
        self._turned_away.labels(listener, reason).inc()

    def limited(self, by: str) -> None:
        """Note a call that was one too many, by the limit of its "token" or "address"."""
        self._limited.labels(by).inc()


class SealingMetrics:
    """The numbers about sealing."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._sealed = Counter(
            "herdbook_sealed", "Changes this process has sealed.", registry=registry
        )
        self._pruned = Counter(
            "herdbook_pruned", "Changes this process has pruned.", registry=registry
        )
        self._position = Gauge(
            "herdbook_sealed_position", "The last position in the changelog.", registry=registry
        )
        self._holder = Gauge(
            "herdbook_sealer_held", "1 where this process seals, else 0.", registry=registry
        )
        self._held = Gauge(
            "herdbook_inbox_held",
            "Changes that wait for locked rows before they can be sealed.",
            registry=registry,
        )
        self._seconds = Histogram(
            "herdbook_sealing_seconds",
            "How long passes of the sealer took.",
            registry=registry,
            buckets=_BUCKETS,
        )

    def passed(self, sealed: int, held: int, seconds: float) -> None:
        """Note a pass that sealed some changes, left some that are held, and took so long."""
        self._sealed.inc(sealed)
        self._held.set(held)
        self._seconds.observe(seconds)

    def at(self, position: int) -> None:
        """Note the last position."""
        self._position.set(position)

    def holds(self, holder: bool) -> None:
        """Note whether this process seals."""
        self._holder.set(int(holder))

    def pruned(self, changes: int) -> None:
        """Note changes that were pruned."""
        self._pruned.inc(changes)


class HerdMetrics:
    """The numbers about links to siblings; `bytes` and `deltas` by direction, in and out."""

    def __init__(self, registry: CollectorRegistry) -> None:
        octets = Counter(
            "herdbook_link_bytes", "Bytes over links.", ["direction"], registry=registry
        )
        deltas = Counter(
            "herdbook_deltas",
            "Deltas sent and applied; of one that is cut, each part counts.",
            ["direction"],
            registry=registry,
        )
        self.bytes = {way: octets.labels(way) for way in ("in", "out")}
        self.deltas = {way: deltas.labels(way) for way in ("in", "out")}
        self._links = Gauge(
            "herdbook_links", "Siblings by the state of their links.", ["state"], registry=registry
        )
        self._alarms = Gauge(
            "herdbook_herd_alarms", "What is wrong with replication now.", registry=registry
        )

    def show(self, state: Callable[[], HerdState]) -> None:
        """Tell how things stand whenever somebody asks."""

        def count(standing: Standing) -> int:
            return state().standings()[standing]

        for standing in Standing:
            links = self._links.labels(standing.name.lower())
            links.set_function(partial(count, standing))
        self._alarms.set_function(lambda: len(state().alarms))


class AsideMetrics:
    """The numbers about what could not be written, and what lost."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._held = Gauge(
            "herdbook_held",
            "Rows of siblings that are not written here, by reason; dropped ones were given up.",
            ["reason"],
            registry=registry,
        )
        self._entries = Counter(
            "herdbook_journal_entries",
            "Entries that came into the journal while this process ran, by rule.",
            ["rule"],
            registry=registry,
        )
        self._reasons: set[str] = set()

    def held(self, by_reason: Mapping[str, int]) -> None:
        """So many rows are held."""
        self._reasons |= by_reason.keys()
        for reason in self._reasons:
            self._held.labels(reason).set(by_reason.get(reason, 0))

    def noted(self, by_rule: Mapping[str, int]) -> None:
        """So many entries have come into the journal."""
        for rule, count in by_rule.items():
            self._entries.labels(rule).inc(count)


def show_missing_capture(registry: CollectorRegistry, tables: Sized) -> None:
    """Let a registry tell how many tables lack triggers of capture."""
    gauge = Gauge(
        "herdbook_capture_missing",
        "Tables whose changes escape, since a trigger is missing or was changed.",
        registry=registry,
    )
    gauge.set_function(lambda: len(tables))


def show_certificate_end(registry: CollectorRegistry, ends: Callable[[], datetime]) -> None:
    """Let a registry tell until when the certificate counts that listeners show."""
    gauge = Gauge(
        "herdbook_listener_certificate_end_seconds",
        "When the certificate ends that listeners of applications show, as Unix time.",
        registry=registry,
    )
    gauge.set_function(lambda: ends().timestamp())


def show_waiting(registry: CollectorRegistry, waiting: Sized) -> None:
    """Let a registry tell how many calls wait for a change."""
    gauge = Gauge("herdbook_feed_waiting", "Calls that wait for a change.", registry=registry)
    gauge.set_function(lambda: len(waiting))


def new_registry() -> CollectorRegistry:
    """A registry of its own for one node, with the numbers about its process."""
    registry = CollectorRegistry()
    ProcessCollector(registry=registry)
    return registry
