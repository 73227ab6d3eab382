"""The token of an invitation: whom the newcomer may believe, and the secret that lets it in once.

57 bytes: a version, the end, the digest of the authority's certificate, the secret, and three by
which a slip of the hand is found.
"""

from __future__ import annotations

import base64
import hashlib
import re
from datetime import UTC, datetime
from typing import NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives import hashes

from service.identity.errors import refused

PREFIX = "hb_join_"
"""Begins like the tokens of applications, so whatever masks those masks this too."""

SECRET_BYTES = 16
"""128 bits of chance: nobody finds it by trying."""

_VERSION = 1
_AUTHORITY_BYTES = 32
_END_BYTES = 5
_CHECK_BYTES = 3
_BYTES = 1 + _END_BYTES + _AUTHORITY_BYTES + SECRET_BYTES + _CHECK_BYTES
_HINT = "copy the whole line that `herdbook node invite` printed"


class JoinToken(NamedTuple):
    """What a token holds. `authority` is the SHA-256 of the authority's certificate, 32 bytes.

    `ends` is in UTC, of whole seconds; `secret` has 16 bytes.
    """

    ends: datetime
    authority: bytes
    secret: bytes

    @property
    def digest(self) -> bytes:
        """What is kept of the secret."""
        return digest_of(self.secret)

    def __repr__(self) -> str:
        """Without the secret."""
        return f"JoinToken(until {self.ends:%Y-%m-%d %H:%M} UTC)"


def digest_of(secret: bytes) -> bytes:
    """What is kept of a secret, or of whatever was sent as one: its SHA-256."""
    return hashlib.sha256(secret).digest()


def authority_digest(certificate: x509.Certificate) -> bytes:
    """By what a token knows an authority: the SHA-256 of its certificate, 32 bytes."""
    return certificate.fingerprint(hashes.SHA256())


def write_token(token: JoinToken) -> str:
    """A token as text: `hb_join_` and 76 characters; ValueError where a part has another length."""
    if len(token.authority) != _AUTHORITY_BYTES or len(token.secret) != SECRET_BYTES:
        raise ValueError("the authority's digest has 32 bytes, the secret 16")
    ends = int(token.ends.timestamp()).to_bytes(_END_BYTES, "big")
    body = bytes([_VERSION]) + ends + token.authority + token.secret
    return PREFIX + base64.urlsafe_b64encode(body + _check(body)).decode()


def read_token(text: str) -> JoinToken:
    """What a token holds; IdentityRefused, which never quotes it, where it is none."""
    written = text.strip()
    if not re.fullmatch(PREFIX + r"[A-Za-z0-9_-]+", written):
        raise refused("that is no token of an invitation", _HINT)
    coded = written.removeprefix(PREFIX)
    body = base64.urlsafe_b64decode(coded + "=" * (-len(coded) % 4)) if len(coded) % 4 != 1 else b""
    if body[:1] and body[0] != _VERSION:
        hint = "use the release of Herdbook that made it, or let it be made by this one"
        raise refused("the token is of a kind that is not known here", f"{_HINT}; {hint}")
    if len(body) != _BYTES or _check(body[:-_CHECK_BYTES]) != body[-_CHECK_BYTES:]:
        raise refused("the token is not whole, or has a slip in it", _HINT)
    return _parts(body)


def _parts(body: bytes) -> JoinToken:
    after_end = 1 + _END_BYTES
    after_authority = after_end + _AUTHORITY_BYTES
    seconds = int.from_bytes(body[1:after_end], "big")
    try:
        ends = datetime.fromtimestamp(seconds, UTC)
    except (ValueError, OverflowError, OSError):
        raise refused("the token has an end that no calendar has", _HINT) from None
    secret = body[after_authority : after_authority + SECRET_BYTES]
    return JoinToken(ends, body[after_end:after_authority], secret)


def _check(body: bytes) -> bytes:
    return hashlib.sha256(body).digest()[:_CHECK_BYTES]
