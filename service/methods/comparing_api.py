"""The methods by which two nodes are compared, and made equal."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from records.catalogue import Catalogue
from service.methods.mending import MendingMethods
from service.methods.mending_port import Mending
from service.methods.registry import Method
from service.methods.verifying import VerifyingMethods
from service.methods.verifying_port import Verifying


@dataclass(frozen=True)
class ComparingPorts:
    """What these methods need of the node."""

    verifying: Verifying
    mending: Mending


def comparing_methods(catalogue: Catalogue, ports: ComparingPorts) -> Iterator[Method]:
    """The methods that `herdbook verify` calls."""
    yield from VerifyingMethods(catalogue, ports.verifying).methods()
    yield from MendingMethods(ports.mending).methods()
