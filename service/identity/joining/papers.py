"""What is signed when a node comes in: its request, and what the gate shows.

The gate is where the authority's key is, so it shows a certificate that the authority made for it.
That one names no node: nobody who has a node's key can be taken for the gate, and who has the
gate's can be no node.
"""

from __future__ import annotations

import hashlib
from datetime import datetime

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from service.identity.authority import Authority, Issued, new_key
from service.identity.certificates import (
    MALFORMED,
    PrivateKey,
    PublicKey,
    extension_of,
)
from service.identity.errors import IdentityRefused, Trouble, refused
from service.identity.joining.token import authority_digest
from service.identity.life import Life, Standing, life_from
from service.identity.verifying import verify_authority

GATE_DAYS = 30
"""How long a gate's certificate counts: each gate makes its own when it opens."""

_GATE = "gate.herdbook.invalid"
_STRANGER = "check the address with whoever invited you; if it is right, somebody is in between"
_LARGEST = 16_384


def new_request(key: PrivateKey) -> bytes:
    """A request, in PEM, for a certificate of a key; it names nobody, since the herd does."""
    building = x509.CertificateSigningRequestBuilder().subject_name(x509.Name([]))
    return building.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


def read_request(pem: bytes) -> PublicKey:
    """The key of a request; IdentityRefused where it is none, or where its sender lacks the key."""
    hint = "`herdbook join` makes such requests"
    try:
        if len(pem) > _LARGEST:
            raise ValueError
        found = x509.load_pem_x509_csr(pem)
        key, is_signed = found.public_key(), found.is_signature_valid
    except (InvalidSignature, TypeError, *MALFORMED):
        raise refused("that is no request for a certificate", hint) from None
    if not isinstance(key, PublicKey) or not isinstance(key.curve, ec.SECP256R1):
        raise refused("the request is for a key of another kind than P-256", hint)
    if not is_signed:
        raise refused("the request is not signed with its own key", hint)
    return key


def key_digest(key: PublicKey) -> bytes:
    """By what an invitation knows the key that it is bound to: 32 bytes."""
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    return hashlib.sha256(key.public_bytes(serialization.Encoding.DER, form)).digest()


def gate_papers(authority: Authority, now: datetime, days: int = GATE_DAYS) -> Issued:
    """A certificate and a key for a gate; IdentityRefused where the authority counts no more."""
    herd = verify_authority(authority.certificate, now)
    key = new_key()
    life = life_from(now, days, herd.life.ends)
    building = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "herdbook gate")]))
        .issuer_name(authority.certificate.subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(life.begins)
        .not_valid_after(life.ends)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(_GATE)]), critical=True)
        .add_extension(x509.BasicConstraints(False, None), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
    )
    return Issued(building.sign(authority.key, hashes.SHA256()), key)


def verify_gate(
    shown: x509.Certificate, authority: x509.Certificate, wanted: bytes, now: datetime
) -> None:
    """Whether who showed a certificate over TLS is the gate of a herd.

    `authority` is the certificate that it sent, `wanted` the digest in the token. IdentityRefused
    where anything speaks against it; nothing must be told to it then.
    """
    if authority_digest(authority) != wanted:
        raise refused("who answers there is not of the herd that it should be of", _STRANGER)
    verify_authority(authority, now)
    try:
        shown.verify_directly_issued_by(authority)
    except (InvalidSignature, TypeError, *MALFORMED):
        raise refused("this herd's authority has not signed who answers there", _STRANGER) from None
    troubles = [*_not_a_gate(shown), *_out_of_life(shown, now)]
    if troubles:
        raise IdentityRefused(troubles)


def _not_a_gate(shown: x509.Certificate) -> list[Trouble]:
    names = extension_of(shown, x509.SubjectAlternativeName)
    purposes = extension_of(shown, x509.ExtendedKeyUsage)
    is_named = names is not None and list(names) == [x509.DNSName(_GATE)]
    is_meant = purposes is not None and list(purposes) == [ExtendedKeyUsageOID.SERVER_AUTH]
    if is_named and is_meant:
        return []
    return [Trouble("who answers there is of the herd, and not its gate", _STRANGER)]


def _out_of_life(shown: x509.Certificate, now: datetime) -> list[Trouble]:
    life = Life(shown.not_valid_before_utc, shown.not_valid_after_utc)
    if life.standing(now) in (Standing.GOOD, Standing.DUE):
        return []
    span = f"from {life.begins:%Y-%m-%d %H:%M} to {life.ends:%Y-%m-%d %H:%M} UTC"
    hint = "set the clocks of both machines by NTP; where they are right, open the gate anew"
    return [Trouble(f"the gate's certificate counts {span}", hint)]
