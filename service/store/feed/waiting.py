"""Who waits until something is sealed; all of it in the reactor's thread."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from twisted.internet.defer import Deferred, succeed


class Positions(Protocol):
    """Tells of what is sealed."""

    def position(self) -> int:
        """The last position that is known to be given."""
        ...

    def subscribe(self, on_sealed: Callable[[int], None]) -> Callable[[], None]:
        """Be told each new last position; returns what ends that."""
        ...


class Clock(Protocol):
    """What the reactor is needed for."""

    def callLater(self, delay: float, call: Callable[..., Any], /, *given: Any) -> Any:  # noqa: N802
        """Call a function after a while; returns an IDelayedCall."""


class Waiting:
    """Those who wait. Each is told once, gives up, or is told in the end that nothing came.

    Nothing is subscribed to while nobody waits.
    """

    def __init__(self, positions: Positions, clock: Clock) -> None:
        self._positions = positions
        self._clock = clock
        self._waiters: dict[Deferred[bool], tuple[int, Any]] = {}
        self._closed = False
        self._unsubscribe: Callable[[], None] | None = None

    def __len__(self) -> int:
        """How many wait."""
        return len(self._waiters)

    def beyond(self, position: int, seconds: float) -> Deferred[bool]:
        """Fires with True when something after a position is sealed, with False when time is up."""
        if self._closed or self._positions.position() > position:
            return succeed(not self._closed)
        waiter: Deferred[bool] = Deferred(self._leave)
        deadline = self._clock.callLater(seconds, self._tell, waiter, False)
        self._waiters[waiter] = position, deadline
        if self._unsubscribe is None:
            self._unsubscribe = self._positions.subscribe(self._sealed)
        return waiter

    def close(self) -> None:
        """Tell everybody that nothing came; nobody waits from now on."""
        self._closed = True
        for waiter in tuple(self._waiters):
            self._tell(waiter, False)

    def _sealed(self, last: int) -> None:
        """Wake those who wait for less."""
        reached = [waiter for waiter, (position, _) in self._waiters.items() if position < last]
        for waiter in reached:
            self._tell(waiter, True)

    def _tell(self, waiter: Deferred[bool], came: bool) -> None:
        """Tell one, unless it has left because of what another one did."""
        if waiter in self._waiters:
            self._leave(waiter)
            waiter.callback(came)

    def _leave(self, waiter: Deferred[bool]) -> None:
        """Take one out: it is told, or its caller has gone."""
        _position, deadline = self._waiters.pop(waiter)
        if deadline.active():
            deadline.cancel()
        if not self._waiters and self._unsubscribe is not None:
            unsubscribe, self._unsubscribe = self._unsubscribe, None
            unsubscribe()
