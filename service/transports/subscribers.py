"""The subscriptions of one connection: carries out what their machines say.

What is read and sent, and when, is decided in `service.methods.subscriptions`.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeAlias, cast

from twisted.internet import defer
from twisted.internet.defer import CancelledError, Deferred
from twisted.python.failure import Failure

from service.errors import TimedOut, TooManySubscriptions
from service.methods.feed_port import FeedPage
from service.methods.session import Source
from service.methods.subscriptions import (
    Action,
    Actions,
    AwaitDrain,
    End,
    Expect,
    GiveUp,
    Read,
    Rest,
    Subscription,
    Tell,
    TellOverflow,
)
from service.metrics import StreamMetrics
from service.rpc import codec
from service.rpc.faults import Faults
from service.rpc.limits import Limits
from service.rpc.messages import notification
from service.transports.outbox import Outbox
from service.transports.timing import Clock, within_time

OnSealed: TypeAlias = Callable[[int], None]


class Changes(Protocol):
    """What tells that something was sealed."""

    def subscribe(self, on_sealed: OnSealed) -> Callable[[], None]:
        """Be told each new last position; what is returned ends that."""
        ...


class Wakes:
    """Passes on to every subscription what is sealed; asks for it only while there are any."""

    def __init__(self, changes: Changes) -> None:
        self._changes = changes
        self._woken: set[OnSealed] = set()
        self._leave: Callable[[], None] | None = None

    def add(self, woken: OnSealed) -> None:
        """Tell it each new position from now on."""
        self._woken.add(woken)
        if self._leave is None:
            self._leave = self._changes.subscribe(self._sealed)

    def discard(self, woken: OnSealed) -> None:
        """Tell it no more."""
        self._woken.discard(woken)
        if not self._woken and self._leave is not None:
            leave, self._leave = self._leave, None
            leave()

    def _sealed(self, position: int) -> None:
        for woken in tuple(self._woken):
            woken(position)


@dataclass(frozen=True)
class SubscriptionTerms:
    """What the subscriptions of all connections share."""

    most: int
    limits: Limits
    metrics: StreamMetrics
    clock: Clock
    wakes: Wakes
    faults: Faults = field(default_factory=Faults)


class Subscriptions:
    """All subscriptions of a connection by their numbers, which are never used twice."""

    def __init__(self, outbox: Outbox, terms: SubscriptionTerms) -> None:
        self.outbox = outbox
        self.terms = terms
        self._by_number: dict[int, Subscriber] = {}
        self._last = 0

    def __len__(self) -> int:
        return len(self._by_number)

    def add(self, source: Source, after: int, limit: int) -> int:
        """A new subscription, which tells nothing before `begin`; raises TooManySubscriptions."""
        if len(self) >= self.terms.most:
            raise TooManySubscriptions(f"this connection has {len(self)} subscriptions already")
        self._last += 1
        subscriber = Subscriber(self, self._last, source, after, limit)
        self._by_number[self._last] = subscriber
        self.terms.wakes.add(subscriber.sealed)
        self.terms.metrics.subscriptions.inc()
        return self._last

    def end(self, number: int) -> bool:
        """End a subscription; False where there is none of this number."""
        found = self._by_number.get(number)
        if found is not None:
            found.carry_out(found.machine.end())
        return found is not None

    def forget(self, number: int) -> None:
        """A subscription has ended."""
        found = self._by_number.pop(number, None)
        if found is not None:
            self.terms.wakes.discard(found.sealed)
            self.terms.metrics.subscriptions.dec()

    def begin(self, numbers: Iterable[int]) -> None:
        """The client knows these numbers: it can be told changes under them."""
        for number in numbers:
            found = self._by_number.get(number)
            if found is not None:
                found.carry_out(found.machine.begin())

    def drained(self) -> None:
        """The client has read what was sent."""
        for one in tuple(self._by_number.values()):
            # What one of them sends may fill the connection again.
            if self.outbox.is_drained:
                one.carry_out(one.machine.drained())

    def stalled(self) -> None:
        """The client has not read for a long time."""
        for one in tuple(self._by_number.values()):
            one.carry_out(one.machine.stalled())

    def end_all(self) -> None:
        """The connection ends."""
        for number in tuple(self._by_number):
            self.end(number)


class CallSession:
    """What the calls of one message may do to their connection."""

    def __init__(self, subscriptions: Subscriptions) -> None:
        self._subscriptions = subscriptions
        self.begun: list[int] = []

    def subscribe(self, source: Source, after: int, limit: int) -> int:
        """A new subscription; it waits until the message is answered."""
        number = self._subscriptions.add(source, after, limit)
        self.begun.append(number)
        return number

    def unsubscribe(self, number: int) -> bool:
        """End a subscription; False where there is none of this number."""
        return self._subscriptions.end(number)


class Subscriber:
    """One subscription: its machine, and what is under way for it."""

    def __init__(
        self, owner: Subscriptions, number: int, source: Source, after: int, limit: int
    ) -> None:
        self.machine = Subscription(after, limit)
        self._owner = owner
        self._terms = owner.terms
        self._number = number
        self._source = source
        self._to_do: deque[Action] = deque()
        self._is_busy = False
        self._reading: Deferred[Any] | None = None
        self._expected: Deferred[Any] | None = None
        self._resting: Any = None

    def sealed(self, position: int) -> None:
        """There are changes up to this position."""
        self.carry_out(self.machine.sealed(position))

    def carry_out(self, actions: Actions) -> None:
        """Do what the machine said, and what it says to that, in order."""
        self._to_do.extend(actions)
        if self._is_busy:
            return
        self._is_busy = True
        try:
            while self._to_do:
                self._do(self._to_do.popleft())
        finally:
            self._is_busy = False

    def _do(self, action: Action) -> None:
        match action:
            case AwaitDrain():
                if self._owner.outbox.is_drained:
                    self.carry_out(self.machine.drained())
            case Read():
                self._read(action)
            case Expect():
                self._expect(action)
            case GiveUp():
                self._give_up()
            case Tell():
                self._tell(action.page)
            case TellOverflow():
                self._terms.metrics.overflows.inc()
                self._send("feed.overflow", {"next": action.next, "reason": action.reason})
            case Rest():
                self._resting = self._terms.clock.callLater(action.seconds, self._rested)
            case End():
                self._end()

    def _read(self, asked: Read) -> None:
        """Read a page, within the time that a call may take."""
        reading = Deferred.fromCoroutine(self._source.read(asked.after, asked.limit))
        within_time(reading, self._terms.limits.call_seconds, self._terms.clock)
        self._reading = reading
        reading.addBoth(self._was_read)

    def _expect(self, asked: Expect) -> None:
        """Have a page read when something is sealed, whenever that is."""
        expected = Deferred.fromCoroutine(self._source.coming(asked.after, asked.limit))
        self._expected = expected
        expected.addBoth(self._has_come)

    def _has_come(self, outcome: FeedPage | Failure | None) -> None:
        """Tell the machine of a page that was expected; where it came to nothing, it is woken."""
        self._expected = None
        if outcome is not None and not isinstance(outcome, Failure):
            self.carry_out(self.machine.page(outcome))

    def _give_up(self) -> None:
        if self._expected is not None:
            self._expected.cancel()

    def _was_read(self, outcome: FeedPage | Failure) -> None:
        """Tell the machine of a page, or why there is none."""
        self._reading = None
        if not isinstance(outcome, Failure):
            self.carry_out(self.machine.page(outcome))
            return
        error = cast(BaseException, outcome.value)
        if isinstance(error, CancelledError):
            return
        if isinstance(error, defer.TimeoutError):
            error = TimedOut("a page of the feed took too long to read")
        fault = self._terms.faults.translate(error)
        passing = fault.retryable or fault.code == TimedOut.code
        self.carry_out(self.machine.failed(fault.code, passing=passing))

    def _tell(self, page: FeedPage) -> None:
        """Send a page's changes, if they find room in one message."""
        try:
            params = {
                "changes": self._source.as_json(page),
                "next": page.next,
                "complete": page.complete,
            }
            line = self._encoded("feed.change", params)
        except Exception as error:
            code = self._terms.faults.translate(error).code
            self.carry_out(self.machine.broken(code))
            return
        if len(line) > self._terms.limits.result_bytes:
            self.carry_out(self.machine.too_large(len(page.changes)))
            return
        self.machine.was_told()
        self._terms.metrics.changes.inc(len(page.changes))
        self._owner.outbox.send(line)

    def _send(self, method: str, params: dict[str, object]) -> None:
        self._owner.outbox.send(self._encoded(method, params))

    def _encoded(self, method: str, params: dict[str, object]) -> bytes:
        """A notification about this subscription, as a line."""
        document = notification(method, {"subscription": self._number, **params})
        return codec.encode(document) + b"\n"

    def _rested(self) -> None:
        self._resting = None
        self.carry_out(self.machine.rested())

    def _end(self) -> None:
        """Stop what is under way."""
        self._owner.forget(self._number)
        if self._resting is not None:
            self._resting.cancel()
            self._resting = None
        if self._reading is not None:
            self._reading.cancel()
        self._give_up()
