"""The room of the herd, joined to Twisted's reactor."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

from prometheus_client import CollectorRegistry
from twisted.internet.endpoints import clientFromString
from twisted.internet.threads import deferToThread

from service.herd.port import HerdStore
from service.metrics import HerdMetrics
from service.transports.siblings.room import HerdRoom, Who
from service.transports.siblings.terms import Surroundings
from service.transports.siblings.tls import Security
from service.transports.subscribers import Changes


def new_herd_room(
    store: HerdStore,
    who: Who,
    siblings: Sequence[str],
    changes: Changes,
    registry: CollectorRegistry,
    reactor: Any,
    security: Security | None = None,
    peers_required: bool = False,
) -> HerdRoom:
    """The links of one node; `siblings` are Twisted's endpoint strings.

    `security` is what they are secured with; None: links stay on this machine, and show nothing.
    `peers_required`: nobody dials this node over TLS whose addresses no `peers` range tells.
    """
    around = Surroundings(
        clock=reactor,
        in_thread=deferToThread,
        connect=partial(clientFromString, reactor),
        metrics=HerdMetrics(registry),
        security=security,
        peers_required=peers_required,
    )
    return HerdRoom(store, who, siblings, changes, around)
