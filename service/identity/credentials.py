"""What a node shows to its siblings and by what it knows them: three files, checked together."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import NamedTuple, TypeVar

from cryptography import x509

from service.identity.certificates import Card, PrivateKey, card_of, read_certificate, read_key
from service.identity.errors import IdentityRefused, Trouble, told_of
from service.identity.files import read_private, read_trusted
from service.identity.verifying import belongs, verify_authority, verify_node

_Read = TypeVar("_Read")


class Paths(NamedTuple):
    """The node's certificate, its private key, and the certificate of the herd's authority."""

    certificate: Path
    key: Path
    ca: Path


class Credentials(NamedTuple):
    """The three as they were read; `card` is what the node's certificate says."""

    certificate: x509.Certificate
    key: PrivateKey
    ca: x509.Certificate
    card: Card

    @property
    def remedy(self) -> str:
        """What to do before the node's certificate ends."""
        if self.card.life.ends < self.ca.not_valid_after_utc:
            return "renew it with `herdbook herd ca renew` and put it in its place"
        # None can be made that counts longer.
        return (
            "the herd's authority ends then too: make another with `herdbook herd ca init`, and "
            "new certificates for all nodes"
        )

    def __repr__(self) -> str:
        """Without the key."""
        return f"Credentials({self.card})"


def name_in(path: Path) -> str:
    """The name of the node in a certificate's file, believed by nobody yet; empty for none.

    Raises IdentityRefused where that is no certificate, or others could have written it.
    """
    certificate = read_certificate(read_trusted(path), str(path))
    return card_of(certificate, str(path)).subject.node or ""


def load_credentials(paths: Paths, node: str, now: datetime) -> Credentials:
    """What the files hold, for a node of this name at this moment.

    Raises IdentityRefused with everything that is wrong with them.
    """
    troubles: list[Trouble] = []
    certificate = _tried(lambda: _certificate(paths.certificate), troubles)
    key = _tried(lambda: read_key(read_private(paths.key), str(paths.key)), troubles)
    ca = _tried(lambda: _authority(paths.ca, now), troubles)
    card = None
    if certificate is not None and ca is not None:
        card = _tried(lambda: _about(paths.certificate, certificate, ca, now), troubles)
    if certificate is not None and key is not None and not belongs(key, certificate):
        what = f"{paths.key} is not the key of {paths.certificate}"
        troubles.append(Trouble(what, "name the two that were issued together"))
    if card is not None and card.subject.node != node:
        what = f"{paths.certificate} is that of node {card.subject.node}, and this is {node}"
        troubles.append(Trouble(what, "correct [node] name, or name this node's own certificate"))
    if troubles or certificate is None or key is None or ca is None or card is None:
        raise IdentityRefused(troubles)
    return Credentials(certificate, key, ca, card)


def _certificate(path: Path) -> x509.Certificate:
    return read_certificate(read_trusted(path), str(path))


def _authority(path: Path, now: datetime) -> x509.Certificate:
    certificate = _certificate(path)
    with told_of(path):
        verify_authority(certificate, now)
    return certificate


def _about(path: Path, certificate: x509.Certificate, ca: x509.Certificate, now: datetime) -> Card:
    with told_of(path):
        return verify_node(certificate, ca, now)


def _tried(work: Callable[[], _Read], troubles: list[Trouble]) -> _Read | None:
    try:
        return work()
    except IdentityRefused as error:
        troubles += error.troubles
        return None
