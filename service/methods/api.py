"""The whole API of a catalogue, built once."""

from __future__ import annotations

from records.catalogue import Catalogue
from service.methods.collections import CollectionMethods
from service.methods.ports import Records
from service.methods.records import RecordMethods
from service.methods.registry import Registry
from service.methods.system import SystemMethods


def build_registry(catalogue: Catalogue, store: Records) -> Registry:
    """The methods of every record class and collection, and those about the node."""
    registry = Registry()
    for record in catalogue.records.values():
        for method in RecordMethods(catalogue, record, store).methods():
            registry.add(method)
        for collection in record.collections.values():
            for method in CollectionMethods(catalogue, record, collection, store).methods():
                registry.add(method)
    for method in SystemMethods(catalogue, registry).methods():
        registry.add(method)
    return registry
