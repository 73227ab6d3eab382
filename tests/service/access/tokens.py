"""Tokens for tests, their secrets, and a door with a clock that the test sets."""

from __future__ import annotations

from datetime import UTC, datetime

from service.access.door import Door
from service.access.rates import Limiter
from service.access.roles import ROLES
from service.access.secret import digest_of, secret_of
from service.access.tokens import Book, Token
from service.access.written import ranges_of

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)


def secret(number: int) -> str:
    """A secret by its number."""
    return secret_of(number.to_bytes(32))


def token(
    number: int,
    role: str = "read",
    *ranges: str,
    name: str = "",
    until: datetime | None = None,
    rate: float | None = None,
) -> Token:
    """The token over the secret of a number."""
    digest = digest_of(secret(number))
    return Token(name or f"app-{number}", digest, ROLES[role], NOW, ranges_of(ranges), until, rate)


class Watch:
    """A clock that stands still until it is set."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> datetime:
        """What it shows."""
        return self.now


def door(
    *tokens: Token,
    required: bool = True,
    watch: Watch | None = None,
    limiter: Limiter | None = None,
) -> Door:
    """A door that knows these tokens."""
    return Door(required, watch or Watch(), Book(tokens), limiter)
