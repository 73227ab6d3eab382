"""What links may cost, and what they need of the world around them."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from service.herd.frames import LONGEST
from service.metrics import HerdMetrics
from service.transports.siblings.tls import Security
from service.transports.timing import Clock

InThread: TypeAlias = Callable[..., Any]
"""Runs a function in another thread; a Deferred of what it returns."""

Connect: TypeAlias = Callable[[str], Any]
"""Twisted's client endpoint for its description."""


@dataclass(frozen=True)
class LinkLimits:
    """The bounds of a link.

    `greeting_bytes`: the largest message of somebody who has not said yet who he is; a vector of
    four thousand origins fits in.
    `inline_bytes`: messages up to this are read and written at once, larger ones in a thread; it
    takes about as long as going to a thread and back.
    `handshake_seconds`: from the connection to the end of TLS's handshake, which takes three
    ways over the wire.
    `handshakes`: connections that came in and have not come to that end; who comes beyond them
    takes the place of who has taken longest, so that strangers who stay silent keep nobody out.
    `greeting_seconds`: from then to the other side's first message.
    `silent_seconds`: every side says something each minute, so three without a byte mean that
    nobody is there.
    `stall_seconds`: how long the other side may take to read 64 KiB; at 20 kbit/s it is 26 s.
    `linger_seconds`: how long it may take to read why a link is closed.
    `waiting`: messages that are not yet bytes, since the other side does not read; in good order
    there are a few parts of a delta and their acknowledgements.
    `links`: connections that are open at once.
    `reading_seconds`: how long a snapshot is kept of which nothing is asked for; a few parts over
    a slow wire take minutes, and a snapshot that is open for hours is a load for the server.
    """

    longest: int = LONGEST
    greeting_bytes: int = 65_536
    inline_bytes: int = 16_384
    handshake_seconds: float = 10.0
    handshakes: int = 50
    greeting_seconds: float = 10.0
    silent_seconds: float = 180.0
    stall_seconds: float = 60.0
    linger_seconds: float = 5.0
    waiting: int = 1_000
    links: int = 200
    reading_seconds: float = 600.0
    tick_seconds: float = 0.2
    note_seconds: float = 5.0


def _draw_run() -> int:
    return random.getrandbits(63)


@dataclass(frozen=True)
class Surroundings:
    """The clock, threads, the network and chance, as arguments.

    `chance` draws a number from 0 to 1, `draw_run` the number that tells this start of the node
    from others. `security` is what links are secured with; None: nothing. `peers_required`: who has
    shown a certificate and has no `peers` range is not let in either. `follows_records`: those are
    dialled too whom the herd's records choose, as far as `may_dial` allows their addresses.
    """

    clock: Clock
    in_thread: InThread
    connect: Connect
    metrics: HerdMetrics
    chance: Callable[[], float] = random.random
    draw_run: Callable[[], int] = _draw_run
    limits: LinkLimits = field(default_factory=LinkLimits)
    security: Security | None = None
    peers_required: bool = False
    follows_records: bool = False
    may_dial: Callable[[str], bool] = lambda _address: True
