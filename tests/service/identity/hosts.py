"""Authorities that vouch for hosts, and certificates of listeners."""

from __future__ import annotations

import ipaddress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from service.identity.listener import ListenerPaths

NOW = datetime.now(UTC).replace(microsecond=0)
DAY = timedelta(days=1)

_AUTHORITY_USES = x509.KeyUsage(
    digital_signature=False,
    content_commitment=False,
    key_encipherment=False,
    data_encipherment=False,
    key_agreement=False,
    key_cert_sign=True,
    crl_sign=True,
    encipher_only=False,
    decipher_only=False,
)


class Signed(NamedTuple):
    """A certificate with its key, which may sign others."""

    certificate: x509.Certificate
    key: Any


def signed(
    name: str,
    *hosts: str,
    by: Signed | None = None,
    key: Any = None,
    begins: datetime = NOW - DAY,
    ends: datetime = NOW + 90 * DAY,
) -> Signed:
    """A certificate for some hosts; without any one of an authority. By nobody: by itself."""
    own = key or ec.generate_private_key(ec.SECP256R1())
    signer_key = own if by is None else by.key
    issuer = _named(name) if by is None else by.certificate.subject
    building = (
        x509.CertificateBuilder()
        .subject_name(_named(name))
        .issuer_name(issuer)
        .public_key(own.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begins)
        .not_valid_after(ends)
        .add_extension(x509.BasicConstraints(not hosts, None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(own.public_key()), critical=False)
    )
    # Without the uses of an authority, and without who signed it, Python 3.13 takes none.
    if not hosts:
        building = building.add_extension(_AUTHORITY_USES, critical=True)
    if by is not None:
        above = x509.AuthorityKeyIdentifier.from_issuer_public_key(by.key.public_key())
        building = building.add_extension(above, critical=False)
    if hosts:
        names = x509.SubjectAlternativeName(list(map(_host, hosts)))
        building = building.add_extension(names, critical=False)
    return Signed(building.sign(signer_key, hashes.SHA256()), own)


def put(folder: Path, mine: Signed, *above: Signed) -> ListenerPaths:
    """The files of a listener, with those that lead up to its authority; those there are replaced.

    Each takes the other's place as a whole, as `mv` does it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    paths = ListenerPaths(folder / "listener.crt", folder / "listener.key")
    form = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    _moved(paths.key, mine.key.private_bytes(serialization.Encoding.PEM, *form), 0o600)
    _moved(paths.certificate, b"".join(map(pem, (mine, *above))), 0o644)
    return paths


def authority_file(folder: Path, authority: Signed) -> Path:
    """What clients are told to believe."""
    path = folder / "listener-ca.crt"
    path.write_bytes(pem(authority))
    return path


def pem(one: Signed) -> bytes:
    """A certificate as it is written to a file."""
    return one.certificate.public_bytes(serialization.Encoding.PEM)


def _moved(path: Path, content: bytes, mode: int) -> None:
    new = path.with_suffix(".new")
    new.unlink(missing_ok=True)
    new.touch(mode)
    new.write_bytes(content)
    new.rename(path)


def _named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def _host(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)
