"""The secret of a token: how it looks, what is kept of it, and how it is kept out of texts."""

from __future__ import annotations

import base64
import hashlib
import re

PREFIX = "hb_"
"""By which people, and programs that look for secrets where none belong, know a token."""

RANDOM_BYTES = 32

_IN_TEXT = re.compile(PREFIX + r"[A-Za-z0-9_-]{40,}")


def secret_of(random: bytes) -> str:
    """The secret over 32 random bytes: `hb_` and 43 characters; ValueError for another number."""
    if len(random) != RANDOM_BYTES:
        raise ValueError(f"a secret is made of {RANDOM_BYTES} bytes, and not of {len(random)}")
    return PREFIX + base64.urlsafe_b64encode(random).decode().rstrip("=")


def digest_of(secret: str) -> bytes:
    """What is kept of a secret, or of whatever was sent as one: its SHA-256.

    A secret holds 256 bits of chance, so nobody finds it by trying; a slow hash, which makes
    guessing passwords dear, would only make each call dear.
    """
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).digest()


def mask_tokens(text: str) -> str:
    """Any text with the secrets in it replaced by `hb_***`."""
    return _IN_TEXT.sub(f"{PREFIX}***", text)
