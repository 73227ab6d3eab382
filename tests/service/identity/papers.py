"""Herds and certificates for tests, good ones and forged ones."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.x509.oid import NameOID

from service.identity.authority import Authority, Issued, issue, new_authority, new_key
from service.identity.certificates import certificate_pem, key_pem
from service.identity.credentials import Paths
from service.identity.files import NewFile, write_new
from service.identity.names import Subject

NOW = datetime(2026, 11, 30, 12, 0, tzinfo=UTC)
HERD = "0123456789abcdef" * 2
OTHER_HERD = "f" * 32
DAY = timedelta(days=1)


def written(folder: Path, issued: Issued, authority: Authority) -> Paths:
    """A node's three files in a folder of their own."""
    folder.mkdir(parents=True)
    paths = Paths(folder / "node.crt", folder / "node.key", folder / "ca.crt")
    write_new(
        NewFile(paths.certificate, certificate_pem(issued.certificate), private=False),
        NewFile(paths.key, key_pem(issued.key), private=True),
        NewFile(paths.ca, certificate_pem(authority.certificate), private=False),
    )
    return paths


def node_files(folder: Path, authority: Authority, node: str, now: datetime = NOW) -> Paths:
    """A new certificate of a node, and its files."""
    return written(folder, issue(authority, node, now), authority)


def herd(now: datetime = NOW, name: str = HERD) -> Authority:
    """A new authority."""
    return new_authority(name, now)


def self_signed(node: str, now: datetime = NOW, herd: str = HERD) -> Issued:
    """A certificate that says of itself whose it is."""
    key = new_key()
    return Issued(forged([Subject(herd, node).uri], now, Authority(_none(), key), key), key)


def forged(
    uris: list[str],
    now: datetime,
    signer: Authority,
    key: object = None,
    ca: bool = False,
    purposes: Sequence[x509.ObjectIdentifier] = (),
) -> x509.Certificate:
    """Whatever somebody with a key may sign; the issuer's name is that of the herd."""
    from cryptography.hazmat.primitives.asymmetric import ec

    own = key if isinstance(key, ec.EllipticCurvePrivateKey) else new_key()
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"herdbook herd {HERD}")])
    names = [x509.UniformResourceIdentifier(uri) for uri in uris]
    building = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(own.public_key())
        .serial_number(7)
        .not_valid_before(now - DAY)
        .not_valid_after(now + DAY)
        .add_extension(x509.BasicConstraints(ca, None), critical=True)
    )
    if names:
        building = building.add_extension(x509.SubjectAlternativeName(names), critical=False)
    if purposes:
        building = building.add_extension(x509.ExtendedKeyUsage(purposes), critical=False)
    return building.sign(signer.key, hashes.SHA256())


def _none() -> x509.Certificate:
    """A certificate that nothing is asked of."""
    return new_authority(HERD, NOW).certificate
