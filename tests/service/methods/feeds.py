"""Calling the methods of the feed on a captured database, without a reactor."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.task import Clock

from records.catalogue import Catalogue
from service.methods.feed import FeedMethods
from service.methods.records import RecordMethods
from service.methods.registry import Registry
from tests.service.methods.calls import Api, Statements
from tests.service.store.direct import stored
from tests.service.store.feeds import CATALOGUE, HandSealing, capture, stored_feed

LONGEST_WAIT = 20.0


@dataclass
class FeedApi(Api):
    """The methods of a catalogue with its feed; time passes only when the test says so."""

    sealing: HandSealing
    clock: Clock

    def __init__(self, registry: Registry, sealing: HandSealing, clock: Clock) -> None:
        super().__init__(registry, Statements())
        self.sealing, self.clock = sealing, clock

    def read(self, **params: Any) -> Any:
        """The answer of feed.read; `start` is sent as `from`."""
        return self.call("feed.read", sent(params))

    def begin(self, **params: Any) -> tuple[Deferred[Any], list[Any]]:
        """A call of feed.read under way, and what it has ended with so far."""
        call = Deferred.fromCoroutine(self.registry.respond("feed.read", sent(params)))
        ended: list[Any] = []
        call.addBoth(ended.append)
        return call, ended


def sent(params: dict[str, Any]) -> dict[str, Any]:
    """The parameters with the name that is a word of Python's."""
    return {"from" if name == "start" else name: value for name, value in params.items()}


@contextmanager
def feeding(database: str, catalogue: Catalogue = CATALOGUE) -> Iterator[FeedApi]:
    """The methods on a fresh, captured database."""
    capture(database, catalogue)
    clock, sealing = Clock(), HandSealing(database, catalogue)
    registry = Registry()
    with (
        stored(database, catalogue) as store,
        stored_feed(database, sealing, clock, catalogue) as feed,
    ):
        for record in catalogue.records.values():
            for method in RecordMethods(catalogue, record, store).methods():
                registry.add(method)
        for method in FeedMethods(catalogue, feed, LONGEST_WAIT, clock.seconds).methods():
            registry.add(method)
        yield FeedApi(registry, sealing, clock)
