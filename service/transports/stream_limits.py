"""What one persistent connection, and all of them together, may cost."""

from __future__ import annotations

from dataclasses import dataclass

STRANGER_BYTES = 4096
"""Of a line, from who has yet to show a token: room for `session.login`, thirty times over."""

STRANGER_LINES = 8
"""Without a call in them, from the same: enough to see one's mistake, by hand too."""


@dataclass(frozen=True)
class StreamLimits:
    """The bounds of the stream listener.

    `connections`: each is a socket and little more while nothing happens on it.
    `of_block`: of one block of addresses, but for the loopback; 0: no limit.
    `calls`: messages of one connection that are answered at once; eight times the threads of a lane
    keep these busy, more only wait.
    `receive_seconds`: from the first byte of a line to its last; 8 MiB at 1.2 Mbit/s.
    `idle_seconds`: longer than the intervals in which programs usually look after their pools.
    `stall_seconds`: how long a subscriber may read nothing at all.
    `login_seconds`: how long a client may take to show a token, where nobody gets in without.
    `linger_seconds`: how long a client that was refused may take to read why.
    `subscriptions`: of one connection; each may cost a page of memory.
    """

    connections: int = 1000
    of_block: int = 0
    calls: int = 32
    receive_seconds: float = 60.0
    idle_seconds: float = 600.0
    stall_seconds: float = 30.0
    login_seconds: float = 10.0
    linger_seconds: float = 5.0
    subscriptions: int = 16
