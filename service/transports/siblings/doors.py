"""How connections begin: who is let in to be looked at, and what is laid around him."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Protocol

from twisted.internet.interfaces import IAddress
from twisted.internet.protocol import ServerFactory

from service.herd.link_actions import Alarm, Blame
from service.transports.siblings.connection import CROWDED, Ending, SiblingConnection
from service.transports.siblings.terms import Surroundings
from service.transports.siblings.tls import EXPIRED

_OVER = "its certificate has expired"


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


def own_alarms(around: Surroundings) -> Sequence[Alarm]:
    """What is wrong with this node's own certificate."""
    return () if around.security is None else around.security.alarms()


def over_by_now(
    connections: Iterable[SiblingConnection], around: Surroundings
) -> list[tuple[SiblingConnection, Ending]]:
    """The links whose other side showed a certificate that counts no more, and why they end.

    Files of this node's own that were exchanged are taken as well.
    """
    security = around.security
    if security is None:
        return []
    security.look()
    return [
        (one, Ending(Blame.THEIRS, EXPIRED, _OVER))
        for one in connections
        if one.card is not None and security.is_over(one.card)
    ]
