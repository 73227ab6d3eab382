"""Certificates with a bit turned: nothing that was signed can be changed, nothing breaks out."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from service.identity.authority import Authority, Issued, issue
from service.identity.certificates import read_certificate
from service.identity.errors import IdentityRefused
from service.identity.verifying import belongs, verify_authority, verify_node
from tests.service.identity.papers import NOW, herd

AUTHORITY: Authority = herd()
NODE: Issued = issue(AUTHORITY, "barn", NOW)

BITS = [1 << bit for bit in range(8)]


def turned(certificate: x509.Certificate) -> Iterator[tuple[int, bytes]]:
    """Its PEM with each of its bits turned, one at a time, and at which byte that is."""
    der = certificate.public_bytes(Encoding.DER)
    for at in range(len(der)):
        for bit in BITS:
            broken = der[:at] + bytes([der[at] ^ bit]) + der[at + 1 :]
            text = base64.encodebytes(broken).decode()
            yield (
                at,
                f"-----BEGIN CERTIFICATE-----\n{text}-----END CERTIFICATE-----\n".encode(),
            )


# What the library would rather not read any more it reads with a warning.
@pytest.mark.filterwarnings("ignore::cryptography.utils.CryptographyDeprecationWarning")
@pytest.mark.parametrize(
    ("certificate", "verify"),
    [
        (NODE.certificate, lambda read: verify_node(read, AUTHORITY.certificate, NOW)),
        (AUTHORITY.certificate, lambda read: verify_authority(read, NOW)),
    ],
    ids=["node", "authority"],
)
def test_a_certificate_with_a_bit_turned_is_refused_and_nothing_else(
    certificate: x509.Certificate, verify: Callable[[x509.Certificate], object]
) -> None:
    """Wherever the bit is in what was signed; of what was not signed nothing is believed."""
    signed = certificate.public_bytes(Encoding.DER).index(certificate.tbs_certificate_bytes)
    end, refused, tried = signed + len(certificate.tbs_certificate_bytes), 0, 0
    for at, pem in turned(certificate):
        tried += signed <= at < end
        try:
            read = read_certificate(pem, "it")
            belongs(NODE.key, read)
            verify(read)
        except IdentityRefused:
            refused += signed <= at < end
    assert refused == tried > 2_000
