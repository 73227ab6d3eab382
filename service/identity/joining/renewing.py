"""How a node of the herd gets a certificate in the place of its own: for its name and its key.

Who asks shows the former, and that he has its key. So whoever listened would gain nothing.
"""

from __future__ import annotations

from datetime import datetime

from cryptography import x509

from service.identity.authority import Authority, renew
from service.identity.certificates import (
    PrivateKey,
    certificate_pem,
    key_of,
    read_certificate,
)
from service.identity.errors import refused, told_of
from service.identity.joining.invitations import InvitationRefused, Invitations, Phase
from service.identity.joining.messages import FromGate, No, Renew, Renewed
from service.identity.joining.papers import key_digest, new_request, read_request
from service.identity.verifying import belongs, verify_node

_BY_HAND = "let it be renewed by hand: herdbook herd ca renew"


def asked_renewal(former: x509.Certificate, key: PrivateKey) -> Renew:
    """What a node says that wants another certificate."""
    return Renew(certificate_pem(former).decode(), new_request(key).decode())


def renewed(
    asked: Renew, invitations: Invitations, authority: Authority, now: datetime, days: int
) -> tuple[Renewed, str]:
    """The new certificate, and the name of its node.

    IdentityRefused where the former is not of this herd, counts no more, or is for another key than
    the one that has signed; InvitationRefused where the node's invitation was withdrawn.
    """
    former = read_certificate(asked.certificate.encode(), "the certificate to renew")
    key = read_request(asked.request.encode())
    with told_of("the certificate to renew"):
        name = verify_node(former, authority.certificate, now).subject.node or ""
        shown = key_of(former)
        if shown is None or key_digest(shown) != key_digest(key):
            raise refused("who asks has not its key", "renew with the node.key that is beside it")
    if _is_withdrawn(name, key_digest(key), invitations):
        raise InvitationRefused(
            "invitation.withdrawn", f"the invitation of {name} was withdrawn", _BY_HAND
        )
    made = renew(authority, former, now, days)
    return Renewed(certificate_pem(made).decode()), name


def _is_withdrawn(name: str, key: bytes, invitations: Invitations) -> bool:
    """Whether a key came by an invitation that was withdrawn, or the latest of its name was."""
    its = [each for each in invitations if each.name == name]
    came = [each for each in its if each.bond is not None and each.bond.key == key]
    return any(each.phase is Phase.WITHDRAWN for each in [*came, *its[-1:]])


def believed_renewal(
    said: FromGate,
    former: x509.Certificate,
    key: PrivateKey,
    authority: x509.Certificate,
    now: datetime,
) -> x509.Certificate:
    """The certificate that the gate gave, which may take the place of the former.

    InvitationRefused where it gave none, IdentityRefused where that is for something else.
    """
    if isinstance(said, No):
        raise InvitationRefused(said.code, said.message, said.hint)
    if not isinstance(said, Renewed):
        raise refused("the gate answers something else than it was asked", _BY_HAND)
    made = read_certificate(said.certificate.encode(), "what the gate sent")
    with told_of("the certificate that the gate sent"):
        card, before = (
            verify_node(made, authority, now),
            verify_node(former, authority, former.not_valid_before_utc),
        )
        if card.subject != before.subject or not belongs(key, made):
            raise refused("it is not for this node and its key", _BY_HAND)
    return made
