"""What a node counts about itself, for Prometheus. Base units, and names that start `herdbook_`."""

from __future__ import annotations

from collections.abc import Container

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector

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


def new_registry() -> CollectorRegistry:
    """A registry of its own for one node, with the numbers about its process."""
    registry = CollectorRegistry()
    ProcessCollector(registry=registry)
    return registry
