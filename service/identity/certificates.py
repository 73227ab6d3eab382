"""Certificates and keys as values: read from PEM and written to it, and what they say."""

from __future__ import annotations

from typing import NamedTuple, TypeVar

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes

from service.identity.errors import refused
from service.identity.life import Life
from service.identity.names import Subject, parse

PrivateKey = ec.EllipticCurvePrivateKey
PublicKey = ec.EllipticCurvePublicKey
CURVE = ec.SECP256R1()

MALFORMED = (
    ValueError,
    UnsupportedAlgorithm,
    x509.InvalidVersion,
    x509.DuplicateExtension,
    x509.UnsupportedGeneralNameType,
)
"""What the library raises where a certificate, or a part of it, is none that it can read."""

_Extension = TypeVar("_Extension", bound=x509.ExtensionType)

_MADE = "name a file that `herdbook herd ca` has made"


class Card(NamedTuple):
    """What a certificate says. `fingerprint` is as `openssl x509 -fingerprint -sha256` shows it."""

    subject: Subject
    life: Life
    fingerprint: str


def read_certificate(pem: bytes, where: str) -> x509.Certificate:
    """The one certificate of a PEM text; IdentityRefused says what `where` holds instead."""
    try:
        found = x509.load_pem_x509_certificates(pem)
    except MALFORMED:
        raise refused(f"{where} holds no certificate", _MADE) from None
    if len(found) != 1:
        raise refused(f"{where} holds {len(found)} certificates in place of one", _MADE)
    return found[0]


def read_der(der: bytes, where: str) -> x509.Certificate:
    """A certificate as TLS carries it; IdentityRefused where it is none."""
    try:
        return x509.load_der_x509_certificate(der)
    except MALFORMED:
        raise refused(f"{where} is no certificate", _MADE) from None


def read_any_key(pem: bytes, where: str, hint: str) -> PrivateKeyTypes:
    """The private key of a PEM text, of any kind; IdentityRefused never quotes it.

    `hint` is what to do where there is none.
    """
    try:
        return serialization.load_pem_private_key(pem, None)
    except TypeError:
        of_no_use = "keys with a passphrase are of no use to a node that starts by itself"
        raise refused(f"{where} holds a key with a passphrase", of_no_use) from None
    except (ValueError, UnsupportedAlgorithm):
        raise refused(f"{where} holds no private key", hint) from None


def read_key(pem: bytes, where: str) -> PrivateKey:
    """A private key as the herd's are: P-256; IdentityRefused never quotes it."""
    key = read_any_key(pem, where, _MADE)
    if not isinstance(key, PrivateKey) or not isinstance(key.curve, ec.SECP256R1):
        raise refused(f"{where} holds a key of another kind than P-256", _MADE)
    return key


def certificate_pem(certificate: x509.Certificate) -> bytes:
    """A certificate as it is written to a file."""
    return certificate.public_bytes(serialization.Encoding.PEM)


def key_pem(key: PrivateKey) -> bytes:
    """A private key as it is written to a file, without a passphrase."""
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )


def card_of(certificate: x509.Certificate, where: str) -> Card:
    """What a certificate says; IdentityRefused where it names nobody of any herd."""
    subject = _subject_of(certificate)
    if subject is None:
        raise refused(f"{where} is no certificate of a herd: it names neither node nor herd", _MADE)
    life = Life(certificate.not_valid_before_utc, certificate.not_valid_after_utc)
    return Card(subject, life, fingerprint_of(certificate))


def fingerprint_of(certificate: x509.Certificate) -> str:
    """The SHA-256 of a certificate: 32 bytes in hexadecimal, with colons between them."""
    return certificate.fingerprint(hashes.SHA256()).hex(":").upper()


def key_of(certificate: x509.Certificate) -> PublicKey | None:
    """Its public key; None where that is of another kind than those of a herd, or is broken."""
    try:
        key = certificate.public_key()
    except MALFORMED:
        return None
    return key if isinstance(key, PublicKey) and isinstance(key.curve, ec.SECP256R1) else None


def extension_of(certificate: x509.Certificate, kind: type[_Extension]) -> _Extension | None:
    """An extension; None where there is none of that kind, or where any of them is broken."""
    try:
        return certificate.extensions.get_extension_for_class(kind).value
    except (x509.ExtensionNotFound, *MALFORMED):
        return None


def _subject_of(certificate: x509.Certificate) -> Subject | None:
    """Whom it names; a certificate with several names, or of several kinds, names nobody."""
    names = extension_of(certificate, x509.SubjectAlternativeName)
    uris = names.get_values_for_type(x509.UniformResourceIdentifier) if names is not None else []
    is_alone = names is not None and len(list(names)) == 1
    return parse(uris[0]) if uris and is_alone else None
