"""What a node is told about its links and its own state, as values."""

from __future__ import annotations

from typing import NamedTuple, TypeAlias

from service.herd.admission import Admission, Bearer
from service.herd.deltas import Delta
from service.herd.messages import Message
from service.herd.vectors import Vector


class LinkOpened(NamedTuple):
    """There is a connection. `link` is larger than that of every connection made before.

    `bearer` has shown a certificate; None without certificates.
    """

    link: int
    dialled: bool
    bearer: Bearer | None = None


class Received(NamedTuple):
    """A message came."""

    link: int
    message: Message


class LinkClosed(NamedTuple):
    """The connection is gone, and with it what was on its way."""

    link: int


class Grown(NamedTuple):
    """Something is committed and sealed here: the node has at least this now."""

    vector: Vector


class Admissions(NamedTuple):
    """Whom this node lets in, as its database tells it."""

    admission: Admission


class Built(NamedTuple):
    """The answer to `Build`."""

    link: int
    number: int
    part: int
    delta: Delta


class BuildFailed(NamedTuple):
    """The other answer to `Build`: nothing could be read. It is tried again later."""

    link: int
    number: int
    text: str


class Committed(NamedTuple):
    """The answer to `Apply`: it is committed, and this is the node's vector since."""

    link: int
    number: int
    part: int
    vector: Vector


class ApplyFailed(NamedTuple):
    """The other answer to `Apply`: nothing of it is committed. It is tried again later."""

    link: int
    number: int
    part: int
    text: str


class Ticked(NamedTuple):
    """A fixed interval has passed; a fifth of a second is meant."""


Event: TypeAlias = (
    LinkOpened
    | Received
    | LinkClosed
    | Grown
    | Admissions
    | Built
    | BuildFailed
    | Committed
    | ApplyFailed
    | Ticked
)
