"""Tokens as text: what people write about them, and the file that keeps them."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, timedelta

import msgspec

from records.errors import HerdbookError
from service.access.roles import ROLES
from service.access.tokens import MOST_TOKENS, Book, Network, Token

LEAST_RATE, MOST_RATE = 0.01, 1_000_000.0
"""Calls a second: one in 100 seconds, and more than a node answers."""

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_DIGEST = re.compile(r"[0-9a-f]{64}")
_MAPPED = ipaddress.IPv6Network("::ffff:0:0/96")
_WRITE_RANGE = "write a block such as 10.0.0.0/8, or an address"


class TokensRefused(HerdbookError):
    """What was written about tokens is wrong, with `hint` saying what to do."""

    def __init__(self, message: str, hint: str) -> None:
        super().__init__(message)
        self.hint = hint


class _Written(msgspec.Struct, forbid_unknown_fields=True):
    """One token in the file. What is not known here could be a limit, so it is refused."""

    name: str
    sha256: str
    role: str
    made: datetime
    until: datetime | None = None
    rate: float | msgspec.UnsetType = msgspec.UNSET
    ranges: list[str] = msgspec.field(default_factory=list, name="from")


class _File(msgspec.Struct, forbid_unknown_fields=True):
    """The whole file."""

    tokens: list[_Written]


def name_of(text: str) -> str:
    """The name of a token; TokensRefused for what is none."""
    if not _NAME.fullmatch(text):
        hint = "use letters, digits, '.', '-' and '_', 64 at most"
        raise TokensRefused(f"{text[:100]!r} is no name of a token", hint)
    return text


def ranges_of(texts: Iterable[str]) -> tuple[Network, ...]:
    """The blocks that a token may be used from; TokensRefused with the first that is none."""
    return tuple(map(_range, texts))


def _range(text: str) -> Network:
    try:
        block = ipaddress.ip_network(text)
    except ValueError as error:
        raise TokensRefused(f"{text[:100]!r} is no block: {error}", _WRITE_RANGE) from None
    if isinstance(block, ipaddress.IPv6Network) and block.subnet_of(_MAPPED):
        hint = "write it as IPv4: clients over IPv4 are told by their IPv4 addresses"
        raise TokensRefused(f"{text[:100]!r} holds IPv4 addresses written as IPv6", hint)
    return block


def rate_of_token(a_second: float) -> float:
    """How many calls a second a token is good for; TokensRefused where that is no such number."""
    if not LEAST_RATE <= a_second <= MOST_RATE:
        hint = f"write calls a second, from {LEAST_RATE:g} to {MOST_RATE:g}"
        raise TokensRefused(f"{a_second:g} is no rate of a token", hint)
    return a_second


def until_of(text: str, now: datetime) -> datetime:
    """When a token ends: a day's last moment (UTC), or a moment; TokensRefused where it is past."""
    ends = _moment(text)
    if ends <= now:
        raise TokensRefused(f"{text} is over", "name a day or a moment to come")
    return ends


def _moment(text: str) -> datetime:
    hint = "write a day such as 2027-12-31, whose end (UTC) is meant, or 2027-12-31T18:00Z"
    try:
        if re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text):
            day = date.fromisoformat(text) + timedelta(days=1)
            return datetime(day.year, day.month, day.day, tzinfo=UTC)
        moment = datetime.fromisoformat(text)
        if moment.tzinfo is not None:
            return moment.astimezone(UTC)
    except (ValueError, OverflowError):
        raise TokensRefused(f"{text[:100]!r} is neither a day nor a moment", hint) from None
    raise TokensRefused(f"{text} does not say in which zone", hint)


def read_book(content: bytes, where: str) -> Book:
    """The tokens in a file's content; TokensRefused, which names the place, where it is none."""
    hint = "put back what was there; `herdbook token` writes this file"
    try:
        tokens = list(map(_token, msgspec.json.decode(content, type=_File).tokens))
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise TokensRefused(f"{where} is no file of tokens: {error}", hint) from None
    except TokensRefused as error:
        raise TokensRefused(f"{where} is no file of tokens: {error}", hint) from None
    twice = [*_twice(token.name for token in tokens), *_twice(token.digest for token in tokens)]
    if twice:
        raise TokensRefused(f"{where} holds a token twice", hint)
    if len(tokens) > MOST_TOKENS:
        raise TokensRefused(f"{where} holds more than {MOST_TOKENS} tokens", hint)
    return Book(tokens)


def _token(written: _Written) -> Token:
    role = ROLES.get(written.role)
    moments = [moment for moment in (written.made, written.until) if moment is not None]
    if role is None or not _DIGEST.fullmatch(written.sha256):
        raise ValueError(f"the role or the digest of {written.name[:64]!r} is none")
    if any(moment.tzinfo is None for moment in moments):
        raise ValueError(f"a moment of {written.name[:64]!r} is in no zone")
    return Token(
        name_of(written.name),
        bytes.fromhex(written.sha256),
        role,
        written.made,
        ranges_of(written.ranges),
        written.until,
        None if isinstance(written.rate, msgspec.UnsetType) else rate_of_token(written.rate),
    )


def _twice(values: Iterable[object]) -> Iterator[object]:
    seen: set[object] = set()
    for value in values:
        if value in seen:
            yield value
        seen.add(value)


def written_book(book: Book) -> bytes:
    """The file's content: JSON over several lines, of secrets only their digests."""
    written = [
        _Written(
            token.name,
            token.digest.hex(),
            token.role.word,
            token.made,
            token.until,
            msgspec.UNSET if token.rate is None else token.rate,
            list(map(str, token.ranges)),
        )
        for token in book
    ]
    return msgspec.json.format(msgspec.json.encode(_File(written)), indent=2) + b"\n"
