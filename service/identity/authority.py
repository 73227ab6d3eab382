"""The herd's certificate authority: made once, and what it vouches for.

Keys are P-256: whatever speaks TLS knows it.
"""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from service.identity.certificates import CURVE, PrivateKey, PublicKey, key_of
from service.identity.errors import refused, told_of
from service.identity.life import AUTHORITY_DAYS, NODE_DAYS, Life, life_from
from service.identity.names import LONGEST, Subject, is_node_name
from service.identity.verifying import verify_authority, verify_node

_USAGES = (
    "digital_signature",
    "content_commitment",
    "key_encipherment",
    "data_encipherment",
    "key_agreement",
    "key_cert_sign",
    "crl_sign",
    "encipher_only",
    "decipher_only",
)


class Authority(NamedTuple):
    """Who vouches for the nodes of a herd. The key is the herd: whoever has it can be any node."""

    certificate: x509.Certificate
    key: PrivateKey


class Issued(NamedTuple):
    """A node's certificate and its private key."""

    certificate: x509.Certificate
    key: PrivateKey


def new_key() -> PrivateKey:
    """A key that nobody else has."""
    return ec.generate_private_key(CURVE)


def new_authority(herd: str, now: datetime, days: int = AUTHORITY_DAYS) -> Authority:
    """An authority for a herd: 32 hexadecimal digits that were drawn for it."""
    key, subject = new_key(), Subject(herd)
    building = _begun(subject, subject, key.public_key(), life_from(now, days))
    # Nobody whom it vouches for can vouch for others.
    building = building.add_extension(x509.BasicConstraints(True, 0), critical=True)
    building = building.add_extension(_usage("key_cert_sign", "crl_sign"), critical=True)
    return Authority(building.sign(key, hashes.SHA256()), key)


def issue(authority: Authority, node: str, now: datetime, days: int = NODE_DAYS) -> Issued:
    """A certificate and a new key for a node.

    Raises IdentityRefused where a node cannot be called so, and where the authority is none that
    counts.
    """
    if not is_node_name(node):
        hint = f"use letters, digits, '.', '-' and '_', {LONGEST} at most"
        raise refused(f"{node!r} is no name for a node", hint)
    key = new_key()
    return Issued(vouched(authority, node, key.public_key(), now, days), key)


def renew(
    authority: Authority, former: x509.Certificate, now: datetime, days: int = NODE_DAYS
) -> x509.Certificate:
    """Another certificate for the same node and the same key, which never leaves the node.

    The former may be expired; IdentityRefused where this authority has not vouched for it.
    """
    begins = former.not_valid_before_utc
    node = verify_node(former, authority.certificate, begins).subject.node
    key = key_of(former)
    assert node is not None
    assert key is not None
    return vouched(authority, node, key, now, days)


def vouched(
    authority: Authority, node: str, key: PublicKey, now: datetime, days: int
) -> x509.Certificate:
    """A certificate for a node and its key; IdentityRefused where the authority is none."""
    with told_of("the herd's authority"):
        herd = verify_authority(authority.certificate, now)
    life = life_from(now, days, herd.life.ends)
    building = _begun(Subject(herd.subject.herd, node), herd.subject, key, life)
    ours = authority.key.public_key()
    usages = [ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]
    building = (
        building.add_extension(x509.BasicConstraints(False, None), critical=True)
        .add_extension(_usage("digital_signature"), critical=True)
        .add_extension(x509.ExtendedKeyUsage(usages), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(ours),
            critical=False,
        )
    )
    return building.sign(authority.key, hashes.SHA256())


def _begun(
    subject: Subject, issuer: Subject, key: PublicKey, life: Life
) -> x509.CertificateBuilder:
    """What all certificates have."""
    name = x509.SubjectAlternativeName([x509.UniformResourceIdentifier(subject.uri)])
    return (
        x509.CertificateBuilder()
        .subject_name(_common_name(subject))
        .issuer_name(_common_name(issuer))
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(life.begins)
        .not_valid_after(life.ends)
        .add_extension(name, critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
    )


def _common_name(subject: Subject) -> x509.Name:
    """For people and their tools; nothing of ours goes by it."""
    shown = subject.node or f"herdbook herd {subject.herd}"
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, shown)])


def _usage(*allowed: str) -> x509.KeyUsage:
    return x509.KeyUsage(**{usage: usage in allowed for usage in _USAGES})
