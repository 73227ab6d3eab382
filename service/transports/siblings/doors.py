"""How connections begin: who is let in to be looked at, and what is laid around him."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Protocol

from twisted.internet.interfaces import IAddress
from twisted.internet.protocol import ServerFactory

from service.herd.admission import Admission, Bearer
from service.herd.link_actions import Alarm
from service.herd.peers import Peers
from service.herd.port import Origin
from service.transports.siblings.connection import CROWDED, Ending, SiblingConnection
from service.transports.siblings.terms import Surroundings


class Doorkeeper(Protocol):
    """Who decides whether there is place for one more."""

    def accepted(self, address: IAddress | None) -> SiblingConnection | None:
        """A sibling dials; None: there is no place for it."""


class SiblingFactory(ServerFactory):
    """The listener's side."""

    noisy = False

    def __init__(self, keeper: Doorkeeper) -> None:
        self._keeper = keeper

    def buildProtocol(self, addr: IAddress | None) -> Any:
        """A sibling dials; without a protocol Twisted closes the connection."""
        return self._keeper.accepted(addr)


def listener_of(keeper: Doorkeeper, around: Surroundings) -> Any:
    """What takes those who dial: over TLS where links are secured."""
    factory = SiblingFactory(keeper)
    if around.security is None:
        return factory
    return around.security.server(factory, around.clock)


def endpoint_of(address: str, around: Surroundings) -> Any:
    """What leads to an address: over TLS where links are secured."""
    endpoint = around.connect(address)
    return endpoint if around.security is None else around.security.client(endpoint)


def make_place(connections: Iterable[SiblingConnection], most: int) -> None:
    """Of those who came in and have not shown who they are, the oldest go for one more."""
    shaking = [one for one in connections if one.is_shaking_hands and not one.dialled]
    for oldest in shaking[: max(0, len(shaking) + 1 - most)]:
        oldest.close(CROWDED)


def bearer_of(connection: SiblingConnection) -> Bearer | None:
    """Who has shown a certificate on a connection, and from where he came, if he did."""
    if connection.card is None:
        return None
    kind, _, place = connection.address.partition(":")
    came = kind == "tcp" and not connection.dialled
    # What names no node is not verified; nobody is called so all the same.
    name = connection.card.subject.node or ""
    return Bearer(name, place.rpartition(":")[0] if came else None)


def admission_of(origin: Origin, around: Surroundings) -> Admission:
    """Whom this node lets in, as its database and its configuration say."""
    return Admission(origin.retired, Peers(origin.peers, around.peers_required))


def about_own(around: Surroundings) -> tuple[Sequence[Alarm], Sequence[Alarm]]:
    """Alarms and warnings about this node's own certificate."""
    security = around.security
    return ((), ()) if security is None else (security.alarms(), security.warnings())


def over_by_now(
    connections: Iterable[SiblingConnection], around: Surroundings
) -> list[tuple[SiblingConnection, Ending]]:
    """The links whose other side showed a certificate that counts no more, and why they end.

    Files of this node's own that were exchanged are taken before.
    """
    security = around.security
    if security is None:
        return []
    security.look()
    cards = [(one, one.card) for one in connections if one.card is not None]
    found = [(one, security.against(card)) for one, card in cards]
    return [(one, Ending(*broken)) for one, broken in found if broken is not None]
