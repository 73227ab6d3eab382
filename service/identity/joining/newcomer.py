"""What a newcomer believes of what the gate sends."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from cryptography import x509

from service.identity.certificates import PrivateKey, read_certificate
from service.identity.errors import refused, told_of
from service.identity.joining.invitations import InvitationRefused
from service.identity.joining.messages import VERSION, FromGate, Hello, No, Noted, Welcome
from service.identity.joining.papers import verify_gate
from service.identity.joining.token import JoinToken
from service.identity.verifying import belongs, verify_node

_RELEASES = "use releases of Herdbook that go together on both sides"


class Papers(NamedTuple):
    """What a newcomer was given: certificate and name, verified, whom it dials, what it takes."""

    certificate: x509.Certificate
    name: str
    siblings: tuple[str, ...]
    ranges: tuple[str, ...]


def believed_authority(
    said: FromGate, shown: x509.Certificate, token: JoinToken, now: datetime
) -> x509.Certificate:
    """The herd's authority, once it is certain that who answers is the gate of the token's herd.

    `shown` is the certificate that was shown over TLS. Raises IdentityRefused.
    """
    return believed_gate(said, shown, token.authority, now)


def believed_gate(
    said: FromGate, shown: x509.Certificate, wanted: bytes, now: datetime
) -> x509.Certificate:
    """The same where the herd is known by the digest of its authority's certificate."""
    if not isinstance(said, Hello):
        raise refused("who answers there does not say who it is", _RELEASES)
    authority = read_certificate(said.authority.encode(), "what the gate says of its authority")
    verify_gate(shown, authority, wanted, now)
    # After that it is certain who says so.
    if said.version != VERSION:
        raise refused(f"the gate speaks version {said.version}, and not {VERSION}", _RELEASES)
    return authority


def believed_papers(
    said: FromGate, key: PrivateKey, authority: x509.Certificate, now: datetime
) -> Papers:
    """What the gate gave; InvitationRefused where it gave nothing, IdentityRefused for bad."""
    if isinstance(said, No):
        raise InvitationRefused(said.code, said.message, said.hint)
    if not isinstance(said, Welcome):
        raise refused("the gate answers something else than it was asked", _RELEASES)
    certificate = read_certificate(said.certificate.encode(), "what the gate sent")
    with told_of("the certificate that the gate sent"):
        card = verify_node(certificate, authority, now)
        if card.subject.node != said.name or not belongs(key, certificate):
            raise refused("it is not for this node and its key", _RELEASES)
    return Papers(certificate, said.name, tuple(said.siblings), tuple(said.ranges))


def is_noted(said: FromGate) -> bool:
    """Whether the gate knows now that the newcomer is in."""
    return isinstance(said, Noted)
