"""The methods of a node in a herd; every node has them, also one without siblings."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from records.catalogue import Catalogue
from service.methods.held import HeldMethods
from service.methods.held_port import HeldRows
from service.methods.herd import HerdMethods
from service.methods.herd_port import Herd
from service.methods.journal import JournalMethods
from service.methods.journal_port import Journal
from service.methods.registry import Method


@dataclass(frozen=True)
class HerdPorts:
    """What these methods need of the node."""

    herd: Herd
    journal: Journal
    held: HeldRows


def herd_methods(catalogue: Catalogue, ports: HerdPorts) -> Iterator[Method]:
    """The methods of `herd`, `journal` and `held`."""
    yield from HerdMethods(ports.herd).methods()
    yield from JournalMethods(catalogue, ports.journal).methods()
    yield from HeldMethods(catalogue, ports.held).methods()
