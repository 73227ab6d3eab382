"""Runs the calls of any transport within bounds: one body in, one reply out.

The calls of one body run in order, one after the other, so that a client may rely on an earlier
one having ended; different bodies run side by side. A body that is being answered counts as one
pending call, because only one call of it runs at a time.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from enum import Enum
from typing import Any, TypeAlias, cast

from twisted.internet import defer
from twisted.internet.defer import CancelledError, Deferred
from twisted.python.failure import Failure

from service.errors import Busy, ServiceError, ShuttingDown, TimedOut
from service.metrics import CallMetrics
from service.rpc.exchange import Call, Exchange
from service.rpc.faults import Fault, Faults
from service.rpc.limits import Limits
from service.rpc.messages import Params
from service.transports.timing import Clock, within_time

Respond: TypeAlias = Callable[[str, Params], Coroutine[Any, Any, object]]


class Phase(Enum):
    """Where a runner stands; it only ever moves down this list."""

    OPEN = "takes new bodies"
    DRAINING = "finishes what it has"
    CLOSED = "has cut short what was left"


class CallRunner:
    """Answers bodies through `respond`, the one function that knows the methods."""

    def __init__(
        self,
        respond: Respond,
        limits: Limits,
        metrics: CallMetrics,
        clock: Clock,
        faults: Faults | None = None,
    ) -> None:
        self._respond = respond
        self._limits = limits
        self._metrics = metrics
        self._clock = clock
        self._faults = faults or Faults()
        self._phase = Phase.OPEN
        self._pending = 0
        self._running: set[Deferred[object]] = set()
        self._drained: list[Deferred[None]] = []

    @property
    def pending(self) -> int:
        """How many bodies are being answered."""
        return self._pending

    def refusal(self) -> ServiceError | None:
        """Why no new body is taken at present: ShuttingDown or Busy; None when it would be."""
        if self._phase is not Phase.OPEN:
            return ShuttingDown("the node is shutting down")
        if self._pending >= self._limits.pending_calls:
            return Busy(f"{self._pending} calls are in flight already")
        return None

    async def readiness(self) -> str | None:
        """The same as a check for /readyz: what is wrong, or None."""
        refusal = self.refusal()
        return None if refusal is None else refusal.message

    async def answer(
        self, body: bytes, count_no_call: Callable[[], None] | None = None
    ) -> bytes | None:
        """The reply to a body, None when it held only notifications.

        Calls are counted where they are run; `count_no_call` is called for a body that held none,
        and what it raises is raised.
        Cancelling it cancels the call that runs, and the others of the body are not begun.
        """
        exchange = Exchange(self._limits, self._faults)
        self._pending += 1
        try:
            calls = exchange.receive(body)
            if not calls and count_no_call is not None:
                count_no_call()
            for call in calls:
                await self._run(exchange, call)
            return exchange.body()
        finally:
            self._pending -= 1
            self._tell_drained()

    def turn_away(self, body: bytes, error: ServiceError) -> bytes | None:
        """The reply to a body of which nothing is run: each call in it fails with the error."""
        exchange = Exchange(self._limits, self._faults)
        for call in exchange.receive(body):
            exchange.fail(call, error)
        return exchange.body()

    def refuse(self, error: BaseException) -> bytes:
        """The reply to what did not become a body."""
        return Exchange(self._limits, self._faults).refuse(error)

    def drain(self, seconds: float) -> Deferred[None]:
        """Take no more bodies; fires when the pending ones are answered.

        What still runs after `seconds` is cancelled and answered with ShuttingDown; then it fires
        in any case.
        """
        if self._phase is Phase.OPEN:
            self._phase = Phase.DRAINING
        drained: Deferred[None] = Deferred()
        self._drained.append(drained)
        deadline = self._clock.callLater(seconds, self._cut_short)
        drained.addBoth(_stop_waiting, deadline)
        self._tell_drained()
        return drained

    async def _run(self, exchange: Exchange, call: Call) -> None:
        """Run one call, hand its outcome to the exchange, and count it."""
        begun = self._clock.seconds()
        outcome = "cancelled"
        self._metrics.started()
        try:
            fault = await self._outcome(exchange, call)
            outcome = "ok" if fault is None else fault.code
        finally:
            self._metrics.ended(call.method, outcome, self._clock.seconds() - begun)

    async def _outcome(self, exchange: Exchange, call: Call) -> Fault | None:
        """Run one call; returns the fault it ended with, None after a result."""
        if self._is_cut_short():
            return exchange.fail(call, ShuttingDown("the node shut down before the call began"))
        try:
            result = await self._within_time(call)
        except CancelledError:
            if not self._is_cut_short():
                raise
            return exchange.fail(call, ShuttingDown("the node shut down while the call ran"))
        except defer.TimeoutError:
            return exchange.fail(call, self._timed_out(call))
        except Exception as error:
            return exchange.fail(call, error)
        return exchange.succeed(call, result)

    async def _within_time(self, call: Call) -> object:
        """The result of a call; it is cancelled when its time is up."""
        running: Deferred[object] = Deferred.fromCoroutine(self._respond(call.method, call.params))
        within_time(running, self._limits.call_seconds, self._clock)
        self._running.add(running)
        try:
            return await self._unless_left(running)
        finally:
            self._running.discard(running)

    def _unless_left(self, running: Deferred[object]) -> Deferred[object]:
        """The outcome of a call; when it is cancelled, CancelledError and nothing else.

        A call that is committing ends with an error of its own, which would look like any other
        and let the rest of the batch run. Nobody is left to be told of it but the log.
        """

        def leave(outcome: Deferred[object]) -> None:
            outcome.errback(CancelledError())
            running.cancel()

        def tell(result: object) -> None:
            if not outcome.called:
                outcome.callback(result)
            elif isinstance(result, Failure) and not isinstance(result.value, CancelledError):
                self._faults.translate(cast(BaseException, result.value))

        outcome: Deferred[object] = Deferred(leave)
        running.addBoth(tell)
        return outcome

    def _timed_out(self, call: Call) -> TimedOut:
        """The error for a call that had to be stopped."""
        return TimedOut(f"{call.method} took longer than {self._limits.call_seconds:g} seconds")

    def _is_cut_short(self) -> bool:
        """Whether the time to drain is over; it may end while a call is awaited."""
        return self._phase is Phase.CLOSED

    def _cut_short(self) -> None:
        """Cancel what still runs, and wait for nothing any more."""
        self._phase = Phase.CLOSED
        for running in tuple(self._running):
            running.cancel()
        self._fire_drained()

    def _tell_drained(self) -> None:
        """Tell those who wait for it when nothing is pending any more."""
        if not self._pending:
            self._fire_drained()

    def _fire_drained(self) -> None:
        """Fire every Deferred that `drain` gave out."""
        waiting, self._drained = self._drained, []
        for drained in waiting:
            drained.callback(None)


def _stop_waiting(result: object, deadline: Any) -> object:
    """Cancel a delayed call that is no longer needed."""
    if deadline.active():
        deadline.cancel()
    return result
