"""The room of the herd, joined to Twisted's reactor."""

from __future__ import annotations

from functools import partial
from typing import Any

from prometheus_client import CollectorRegistry
from twisted.internet.endpoints import clientFromString
from twisted.internet.threads import deferToThread

from service.config.problems import ValueWrong
from service.config.siblings import check_sibling
from service.config.values import HerdSettings
from service.herd.port import HerdStore
from service.metrics import HerdMetrics
from service.transports.siblings.room import HerdRoom, Who
from service.transports.siblings.terms import Surroundings
from service.transports.siblings.tls import Security
from service.transports.subscribers import Changes


def new_herd_room(
    store: HerdStore,
    who: Who,
    herd: HerdSettings,
    changes: Changes,
    registry: CollectorRegistry,
    reactor: Any,
    security: Security | None = None,
) -> HerdRoom:
    """The links of one node, as it is configured.

    `security` is what they are secured with; None: links stay on this machine, and show nothing.
    """
    around = Surroundings(
        clock=reactor,
        in_thread=deferToThread,
        connect=partial(clientFromString, reactor),
        metrics=HerdMetrics(registry),
        security=security,
        peers_required=herd.peers_required,
        follows_records=herd.follow_records,
        may_dial=_stays_here if security is None else _leads_anywhere,
    )
    return HerdRoom(store, who, herd.siblings, changes, around)


def _stays_here(address: str) -> bool:
    """What is not secured does not leave this machine, whatever a record says."""
    try:
        check_sibling(address)
    except ValueWrong:
        return False
    return True


def _leads_anywhere(_address: str) -> bool:
    """Who is there shows a certificate."""
    return True
