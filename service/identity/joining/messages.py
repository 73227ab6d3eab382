"""What a newcomer and the gate say to each other: JSON, one message a line.

The gate speaks first: whose it is. The newcomer says nothing before it has verified that.
"""

from __future__ import annotations

from typing import TypeVar

import msgspec

from service.identity.errors import refused

VERSION = 1

LARGEST = 65_536
"""Bytes of a line: two certificates and a hundred addresses fit twenty times."""


class Hello(msgspec.Struct, tag_field="says", tag="gate"):
    """The gate: which version it speaks, and the certificate of its authority (PEM)."""

    version: int
    authority: str


class Ask(msgspec.Struct, tag_field="says", tag="ask"):
    """The newcomer: the secret in hexadecimal, and its request (PEM) for a certificate."""

    secret: str
    request: str


class Joined(msgspec.Struct, tag_field="says", tag="joined"):
    """The newcomer: it has all it needs. As in `Ask`."""

    secret: str
    request: str


class Renew(msgspec.Struct, tag_field="says", tag="renew"):
    """A node: its certificate (PEM), and a request (PEM) that is signed with the key of it."""

    certificate: str
    request: str


class Renewed(msgspec.Struct, tag_field="says", tag="renewed"):
    """The gate: another certificate (PEM) for the same node and key."""

    certificate: str


class Welcome(msgspec.Struct, tag_field="says", tag="welcome"):
    """The gate: what the newcomer is called, its certificate (PEM), whom it dials, what it takes.

    `ranges` are as PURPOSE=BLOCK.
    """

    name: str
    certificate: str
    siblings: list[str]
    ranges: list[str] = []


class Noted(msgspec.Struct, tag_field="says", tag="noted"):
    """The gate: it is known that the newcomer is in."""


class No(msgspec.Struct, tag_field="says", tag="no"):
    """The gate: why the newcomer is not let in."""

    code: str
    message: str
    hint: str


FromNewcomer = Ask | Joined | Renew
FromGate = Hello | Welcome | Noted | Renewed | No

_Message = TypeVar("_Message", FromNewcomer, FromGate)


def write_line(message: FromNewcomer | FromGate) -> bytes:
    """A message as it is sent, its line's end included."""
    return msgspec.json.encode(message) + b"\n"


def read_asked(line: bytes) -> FromNewcomer:
    """What a newcomer says; IdentityRefused for what is nothing of that."""
    return _read(line, msgspec.json.Decoder(FromNewcomer), "a newcomer")


def read_answer(line: bytes) -> FromGate:
    """What a gate says; IdentityRefused for what is nothing of that."""
    return _read(line, msgspec.json.Decoder(FromGate), "a gate")


def _read(line: bytes, decoder: msgspec.json.Decoder[_Message], who: str) -> _Message:
    try:
        return decoder.decode(line)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        hint = "both sides must run `herdbook`; check the address"
        raise refused(f"what came in is nothing that {who} says", hint) from None
