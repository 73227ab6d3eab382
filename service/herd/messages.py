"""What two nodes say to each other."""

from __future__ import annotations

from typing import NamedTuple, TypeAlias

from service.herd.deltas import Delta
from service.herd.vectors import Vector

PROTOCOL = 1
"""The version of this language."""


class Hello(NamedTuple):
    """The first message of each side: who it is, and what it has.

    `run` is drawn at each start of a node: it tells a node that called itself from its copy, and
    who has got another origin since he was met.
    """

    protocol: int
    origin: int
    run: int
    name: str
    schema: str
    vector: Vector


class Have(NamedTuple):
    """What the sender has now; no payload comes along."""

    vector: Vector


class Portion(NamedTuple):
    """One part of a delta, unasked on an eager link.

    `number` counts the sender's deltas on this link from 1, `part` the parts of one from 0.
    """

    number: int
    part: int
    delta: Delta


class Applied(NamedTuple):
    """One part of a delta is committed; `vector` is what the receiver has now."""

    number: int
    part: int
    vector: Vector


class Prune(NamedTuple):
    """The receiver gets the same from others: no more of this delta, only `Have` from now on."""

    number: int


class Graft(NamedTuple):
    """The receiver lacks what it heard of: send it, and go on sending."""

    vector: Vector


class Refusal(NamedTuple):
    """Why the sender closes the link; `code` is for programs, `text` for people."""

    code: str
    text: str


Message: TypeAlias = Hello | Have | Portion | Applied | Prune | Graft | Refusal
