"""Whether a certificate is that of a node of the herd, at a moment."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.x509.oid import ExtendedKeyUsageOID

from service.identity.certificates import (
    MALFORMED,
    Card,
    PrivateKey,
    card_of,
    extension_of,
    key_of,
)
from service.identity.errors import IdentityRefused, Trouble
from service.identity.life import Standing

_ISSUE = "issue another with `herdbook herd ca issue`"
_RENEW = "renew it with `herdbook herd ca renew`"
_MAKE = "make another with `herdbook herd ca init`, and new certificates for all nodes"
_CLOCK = "set the clocks of both machines by NTP"


def verify_node(certificate: x509.Certificate, authority: x509.Certificate, now: datetime) -> Card:
    """What a node's certificate says, once it is certain that the herd's authority says so.

    Raises IdentityRefused with everything that speaks against it.
    """
    card = card_of(certificate, "it")
    troubles = [
        *_not_a_node(certificate, card),
        *_not_vouched_for(certificate, card, authority),
        *_out_of_life(card, now, _RENEW),
    ]
    if troubles:
        raise IdentityRefused(troubles)
    return card


def verify_authority(certificate: x509.Certificate, now: datetime) -> Card:
    """What an authority's certificate says; raises IdentityRefused where it is none that counts."""
    card = card_of(certificate, "it")
    troubles = [*_not_an_authority(certificate, card), *_out_of_life(card, now, _MAKE)]
    if troubles:
        raise IdentityRefused(troubles)
    return card


def counts_until(
    certificate: x509.Certificate, name: str, authority: x509.Certificate, now: datetime
) -> datetime | None:
    """Until when it is that of the node of this name; None where it has expired, or is not.

    One that is not valid yet counts too: a clock that was set back makes none of no account.
    """
    try:
        then = max(now, certificate.not_valid_before_utc)
        card = verify_node(certificate, authority, then)
    except IdentityRefused:
        return None
    return card.life.ends if card.subject.node == name else None


def belongs(key: PrivateKey, certificate: x509.Certificate) -> bool:
    """Whether a private key is that of a certificate."""
    public = key_of(certificate)
    return public is not None and key.public_key().public_numbers() == public.public_numbers()


def _not_a_node(certificate: x509.Certificate, card: Card) -> Iterator[Trouble]:
    if card.subject.node is None:
        yield Trouble("it is that of a herd's authority, not of a node", _ISSUE)
        return
    if key_of(certificate) is None:
        yield Trouble("its key is of another kind than those of a herd", _ISSUE)
    if _can_vouch(certificate) or not _is_for_links(certificate):
        yield Trouble("it is not meant for links between nodes", _ISSUE)


def _not_vouched_for(
    certificate: x509.Certificate, card: Card, authority: x509.Certificate
) -> Iterator[Trouble]:
    herd = card_of(authority, "the authority").subject.herd
    if card.subject.herd != herd:
        yield Trouble(f"it is of another herd, {card.subject.herd}, not of {herd}", _ISSUE)
    if not _has_signed(authority, certificate):
        yield Trouble("this herd's authority has not signed it", _ISSUE)


def _not_an_authority(certificate: x509.Certificate, card: Card) -> Iterator[Trouble]:
    hint = "name the ca.crt of the herd"
    if card.subject.node is not None:
        yield Trouble(f"it is that of node {card.subject.node}, not of a herd's authority", hint)
    elif not _can_vouch(certificate) or not _has_signed(certificate, certificate):
        yield Trouble("it is no authority's certificate that has signed itself", hint)


def _out_of_life(card: Card, now: datetime, remedy: str) -> Iterator[Trouble]:
    match card.life.standing(now):
        case Standing.EARLY:
            begins = f"{card.life.begins:%Y-%m-%d %H:%M:%S} UTC"
            yield Trouble(f"it is not valid before {begins}", _CLOCK)
        case Standing.OVER:
            yield Trouble(f"it has expired at {card.life.ends:%Y-%m-%d %H:%M:%S} UTC", remedy)


def _has_signed(authority: x509.Certificate, certificate: x509.Certificate) -> bool:
    try:
        certificate.verify_directly_issued_by(authority)
    except (InvalidSignature, TypeError, *MALFORMED):
        return False
    return True


def _can_vouch(certificate: x509.Certificate) -> bool:
    found = extension_of(certificate, x509.BasicConstraints)
    return found is not None and found.ca


def _is_for_links(certificate: x509.Certificate) -> bool:
    wanted = {ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH}
    found = extension_of(certificate, x509.ExtendedKeyUsage)
    return found is not None and wanted <= set(found)
