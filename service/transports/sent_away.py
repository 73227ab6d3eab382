"""Connections that find no place: each is told why, and gone in time.

Over TLS a connection that was closed stays until the other side closes it too, so these have a
bound and a time of their own.
"""

from __future__ import annotations

from typing import Any

from twisted.internet.protocol import Protocol
from twisted.python.failure import Failure

from service.transports.timing import Clock, Timer

MOST = 50
"""At a time; whoever comes beyond them is told nothing."""


class SentAway:
    """Those of one listener. Each may take so many `seconds` to read why, and to end."""

    def __init__(self, clock: Clock, seconds: float, most: int = MOST) -> None:
        self._clock = clock
        self._seconds = seconds
        self._most = most
        self._told: set[_Told] = set()

    def tell(self, line: bytes) -> Protocol | None:
        """A connection that says this and closes; None, which closes it, where many do so already.

        `line` is sent as it is.
        """
        if len(self._told) >= self._most:
            return None
        told = _Told(line, self)
        self._told.add(told)
        return told

    def timer(self, told: _Told) -> Timer:
        """What cuts one off that does not end."""
        return Timer(self._clock, self._seconds, told.abort)

    def forget(self, told: _Told) -> None:
        """Note that one is gone."""
        self._told.discard(told)


class _Told(Protocol):
    """One connection."""

    transport: Any

    def __init__(self, line: bytes, others: SentAway) -> None:
        self._line = line
        self._others = others
        self._linger = others.timer(self)

    def connectionMade(self) -> None:
        """Say why, and close."""
        self._linger.start()
        self.transport.write(self._line)
        self.transport.loseConnection()

    def connectionLost(self, reason: Failure | None = None) -> None:
        """It is gone."""
        self._linger.stop()
        self._others.forget(self)

    def abort(self) -> None:
        """Cut it off."""
        self.transport.abortConnection()
