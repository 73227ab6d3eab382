"""Whom a certified link may be with: who the certificate names, from where it may come.

And nobody who is retired.
Links without certificates, on one machine, have no such rule: there nobody's name is certain.
"""

from __future__ import annotations

from typing import NamedTuple

from service.herd.link_actions import Blame
from service.herd.link_greeting import Refused, shown
from service.herd.messages import Hello
from service.herd.peers import ANYWHERE, Peers
from service.herd.retirement import NOBODY, Retired

RETIRED = "sibling.retired"
MISNAMED = "sibling.misnamed"
WRONG_ADDRESS = "sibling.wrong_address"


class Admission(NamedTuple):
    """Whom a node refuses: who is retired, and who comes from elsewhere than he should."""

    retired: Retired = NOBODY
    peers: Peers = ANYWHERE


EVERYBODY = Admission()


class Bearer(NamedTuple):
    """Who has shown a certificate: the name in it, and the address that he comes from.

    None: he comes by a socket of this machine, or was dialled.
    """

    name: str
    address: str | None = None


def refused_at_once(bearer: Bearer | None, admission: Admission) -> Refused | None:
    """What stands against the bearer of a certificate before he has said anything."""
    if bearer is None:
        return None
    if bearer.name in admission.retired.names:
        return _retired(bearer.name)
    if bearer.address is not None and not admission.peers.take(bearer.name, bearer.address):
        return _elsewhere(bearer.name, bearer.address)
    return None


def refused_at_greeting(
    bearer: Bearer | None, admission: Admission, origin: int, name: str
) -> Refused | None:
    """What stands against somebody who says who he is."""
    if bearer is None:
        return None
    if name != bearer.name:
        text = f"it calls itself {shown(name)}, and its certificate is that of {bearer.name}"
        return Refused(Blame.THEIRS, MISNAMED, text)
    if origin in admission.retired.origins:
        return _retired(bearer.name)
    return refused_at_once(bearer, admission)


def refused_hello(bearer: Bearer | None, admission: Admission, hello: Hello) -> Refused | None:
    """The same, of a first message."""
    return refused_at_greeting(bearer, admission, hello.origin, hello.name)


def _retired(name: str) -> Refused:
    text = f"{name} was retired; `herdbook herd readmit`, at the node that says so, takes it back"
    return Refused(Blame.THEIRS, RETIRED, text)


def _elsewhere(name: str, address: str) -> Refused:
    """Which addresses are the right ones is not told: somebody may have stolen a certificate."""
    text = (
        f"{name} came from {shown(address)}, which is in no `peers` range of it; `herdbook range"
        f" add CIDR --purpose peers --node {name}`, at the node that says so, lets it in"
    )
    return Refused(Blame.THEIRS, WRONG_ADDRESS, text)
