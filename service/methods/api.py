"""The whole API of a catalogue, built once."""

from __future__ import annotations

from collections.abc import Iterator

from records.catalogue import Catalogue, is_built_in
from records.values import RecordInfo
from service.methods.collections import CollectionMethods
from service.methods.comparing_api import ComparingPorts, comparing_methods
from service.methods.family import family_methods
from service.methods.family_port import Ranges
from service.methods.feed import FeedMethods
from service.methods.feed_port import Feed
from service.methods.feed_request import LONGEST_WAIT
from service.methods.herd_api import HerdPorts, herd_methods
from service.methods.logging_in import LoginMethods
from service.methods.ports import Records
from service.methods.records import RecordMethods
from service.methods.registry import Method, Registry
from service.methods.subscribing import SubscriptionMethods
from service.methods.system import SystemMethods
from service.methods.undo import UndoMethods
from service.methods.undo_port import Undo


def build_registry(
    catalogue: Catalogue,
    store: Records,
    feed: Feed | None = None,
    longest_wait: float = LONGEST_WAIT,
    undo: Undo | None = None,
    herd: HerdPorts | None = None,
    comparing: ComparingPorts | None = None,
    ranges: Ranges | None = None,
) -> Registry:
    """The methods of every record class and collection, those of the feed, and about the node.

    Without a feed its methods are left out, with those of the stream, without undo those that bring
    records back, and without a herd those of siblings and of what was put aside, without comparing
    those that compare nodes, and without ranges those about nodes and their ranges, which are not
    written as other records.
    `longest_wait` are the seconds a call may wait for a change.
    """
    registry = Registry()
    for record in catalogue.records.values():
        for method in () if is_built_in(record) else _methods_of(catalogue, record, store, undo):
            registry.add(method)
    if feed is not None:
        for method in FeedMethods(catalogue, feed, longest_wait).methods():
            registry.add(method)
        for method in (*SubscriptionMethods(catalogue, feed).methods(), *LoginMethods().methods()):
            registry.add(method)
    for method in () if herd is None else herd_methods(catalogue, herd):
        registry.add(method)
    for method in () if comparing is None else comparing_methods(catalogue, comparing):
        registry.add(method)
    for method in () if ranges is None else family_methods(catalogue, store, ranges):
        registry.add(method)
    for method in SystemMethods(catalogue, registry).methods():
        registry.add(method)
    return registry


def _methods_of(
    catalogue: Catalogue, record: RecordInfo, store: Records, undo: Undo | None
) -> Iterator[Method]:
    """The methods of one record class and its collections."""
    yield from RecordMethods(catalogue, record, store).methods()
    if undo is not None:
        yield from UndoMethods(catalogue, record, undo).methods()
    for collection in record.collections.values():
        yield from CollectionMethods(catalogue, record, collection, store).methods()
