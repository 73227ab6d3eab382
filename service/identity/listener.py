"""What a node shows to applications: a certificate that names hosts, and its key, checked together.

Whoever the node's applications believe has signed it; a herd's own certificates name nodes and no
hosts, so no client could tell by one where it is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple, TypeAlias, TypeVar

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from service.identity.certificates import MALFORMED, extension_of, fingerprint_of, read_any_key
from service.identity.errors import IdentityRefused, Trouble, refused
from service.identity.files import read_private, read_trusted
from service.identity.life import Life, Standing

ListenerKey: TypeAlias = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey

LEAST_RSA_BITS = 2048
"""What OpenSSL's own second level of security takes at least, and browsers do."""

_CURVES = (ec.SECP256R1, ec.SECP384R1, ec.SECP521R1)
"""What clients have in common; with others nobody could come to the end of a handshake."""

_KINDS = (ec.EllipticCurvePrivateKey, rsa.RSAPrivateKey, ed25519.Ed25519PrivateKey)
_NAME = "name the two that were made together"
_CHAIN = "put the node's own certificate first, behind it those that lead up to its authority"
_RENEW = "put a renewed one in its place"
_Read = TypeVar("_Read")


class ListenerPaths(NamedTuple):
    """The certificate, with those that lead up to its authority behind it, and its private key."""

    certificate: Path
    key: Path


class ListenerCredentials(NamedTuple):
    """Both as they were read; the first of the chain is the node's own."""

    chain: tuple[x509.Certificate, ...]
    key: ListenerKey
    life: Life
    fingerprint: str

    @property
    def hosts(self) -> tuple[str, ...]:
        """The names and addresses of hosts that the certificate is for."""
        names = extension_of(self.chain[0], x509.SubjectAlternativeName)
        if names is None:
            return ()
        addresses = names.get_values_for_type(x509.IPAddress)
        return (*names.get_values_for_type(x509.DNSName), *map(str, addresses))

    def __repr__(self) -> str:
        """Without the key."""
        return f"ListenerCredentials({self.fingerprint})"


def load_listener(paths: ListenerPaths, now: datetime) -> ListenerCredentials:
    """What the files hold, at this moment; IdentityRefused with everything wrong with them."""
    troubles: list[Trouble] = []
    chain = _tried(lambda: _chain(paths.certificate), troubles)
    key = _tried(lambda: _key(read_private(paths.key), str(paths.key)), troubles)
    if chain is not None:
        troubles += _against(chain, str(paths.certificate), now)
        if key is not None and _public(key.public_key()) != _public_of(chain[0]):
            what = f"{paths.key} is not the key of {paths.certificate}"
            troubles.append(Trouble(what, _NAME))
    if troubles or chain is None or key is None:
        raise IdentityRefused(troubles)
    return ListenerCredentials(chain, key, _life(chain[0]), fingerprint_of(chain[0]))


def _chain(path: Path) -> tuple[x509.Certificate, ...]:
    try:
        return tuple(x509.load_pem_x509_certificates(read_trusted(path)))
    except MALFORMED:
        raise refused(f"{path} holds no certificate", _CHAIN) from None


def _key(pem: bytes, where: str) -> ListenerKey:
    key = read_any_key(pem, where, _NAME)
    if not isinstance(key, _KINDS):
        raise refused(f"{where} holds a key that TLS has no use for", "make one of P-256")
    _require_strong(key, where)
    return key


def _require_strong(key: ListenerKey, where: str) -> None:
    """IdentityRefused where OpenSSL or most clients take no such key."""
    if isinstance(key, rsa.RSAPrivateKey) and key.key_size < LEAST_RSA_BITS:
        what = f"{where} holds a key of {key.key_size} bits"
        raise refused(what, f"make one of P-256, or of {LEAST_RSA_BITS} bits at least")
    if isinstance(key, ec.EllipticCurvePrivateKey) and not isinstance(key.curve, _CURVES):
        what = f"{where} holds a key of the curve {key.curve.name}"
        raise refused(what, "make one of P-256")


def _against(chain: tuple[x509.Certificate, ...], where: str, now: datetime) -> Iterator[Trouble]:
    """What speaks against certificates at a moment."""
    life = _life(chain[0])
    match life.standing(now):
        case Standing.EARLY:
            text = f"{where} is not valid before {life.begins:%Y-%m-%d %H:%M:%S} UTC"
            yield Trouble(text, "set the clock of this machine by NTP")
        case Standing.OVER:
            yield Trouble(f"{where} has expired at {life.ends:%Y-%m-%d %H:%M:%S} UTC", _RENEW)
    for at, (one, above) in enumerate(pairwise(chain), 1):
        if not _has_issued(above, one):
            yield Trouble(
                f"in {where} certificate {at + 1} has not issued certificate {at}", _CHAIN
            )


def _has_issued(above: x509.Certificate, one: x509.Certificate) -> bool:
    try:
        one.verify_directly_issued_by(above)
    except (InvalidSignature, TypeError, *MALFORMED):
        return False
    return True


def _life(certificate: x509.Certificate) -> Life:
    return Life(certificate.not_valid_before_utc, certificate.not_valid_after_utc)


def _public_of(certificate: x509.Certificate) -> bytes | None:
    try:
        return _public(certificate.public_key())
    except MALFORMED:
        return None


def _public(key: object) -> bytes:
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    found: bytes = key.public_bytes(serialization.Encoding.DER, form)  # type: ignore[attr-defined]
    return found


def _tried(work: Callable[[], _Read], troubles: list[Trouble]) -> _Read | None:
    try:
        return work()
    except IdentityRefused as error:
        troubles += error.troubles
        return None
