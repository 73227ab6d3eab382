"""The sealing room as the reactor sees it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol, TypeVar

from twisted.internet.defer import Deferred, fail
from twisted.internet.interfaces import IReactorFromThreads

from service.errors import ShuttingDown
from service.store.sealing.lease import NotHolder
from service.store.sealing.passes import Sealer
from service.store.sealing.reading import Reading
from service.store.sealing.room import SealingRoom
from service.store.sealing.states import Prune
from service.store.work import Work

Result = TypeVar("Result")
OnSealed = Callable[[int], None]
Enter = Callable[[Reading[Any]], bool]


class Counts(Protocol):
    """Where it is counted what a lane does; used in its thread."""

    def passed(self, sealed: int, held: int, seconds: float) -> None:
        """A pass sealed some entries, left some that are held, and took so long."""

    def at(self, position: int) -> None:
        """The last position."""

    def holds(self, holder: bool) -> None:
        """Whether this process seals."""

    def pruned(self, entries: int) -> None:
        """Entries were pruned."""


class SealingLane:
    """Seals in a thread of its own, and tells the reactor how far it is.

    All but `wake` and what the room calls is for the reactor's thread.
    """

    def __init__(
        self, reactor: IReactorFromThreads, sealer: Sealer, prune: Prune, counts: Counts
    ) -> None:
        self._reactor = reactor
        self._room = SealingRoom(sealer, prune, _Observer(counts, self._tell, self._followed))
        self._subscribers: dict[object, OnSealed] = {}
        self._position = 0

    def start(self) -> None:
        """Begin to seal, or to wait for the lease."""
        self._room.start()

    def stop(self) -> None:
        """Finish the pass under way, give the lease back and end the thread; blocks."""
        self._room.stop()

    def wake(self) -> None:
        """Something was committed: seal at once. From any thread; many are like one."""
        self._room.wake()

    @property
    def holder(self) -> bool:
        """Whether this process seals."""
        return self._room.holder

    def position(self) -> int:
        """The last position that is known to be given."""
        return self._position

    def problem(self) -> str | None:
        """What keeps entries from being sealed, in a few words."""
        return self._room.problem()

    def subscribe(self, on_sealed: OnSealed) -> Callable[[], None]:
        """Be told the last position whenever it moves, whoever sealed; returns what ends it."""
        token = object()
        self._subscribers[token] = on_sealed
        return lambda: self._forget(token)

    def read_sealed(self, work: Work[Result]) -> Deferred[Result]:
        """Run work that reads in the next pass, after all that the pass can see is sealed.

        It sees what the pass sees and no more. Fails with NotHolder where another process seals,
        with ShuttingDown, or with what a unit of work fails with. May be cancelled.
        """
        return self._read(work, self._room.ask)

    def read_next(self, work: Work[Result]) -> Deferred[Result]:
        """The same, in a pass that seals something: none is made for this, however long it takes.

        Only a few have a place in a pass, in the order in which they came. It is told before the
        position is that the pass has reached.
        """
        return self._read(work, self._room.stand)

    def _read(self, work: Work[Result], enter: Enter) -> Deferred[Result]:
        """Let a reading enter the room, and tell how it ended in the reactor's thread."""
        if not self._room.holder:
            return fail(NotHolder("another process seals"))

        def succeed(result: Result) -> None:
            self._reactor.callFromThread(_fire, outcome, result)

        def refuse(error: BaseException) -> None:
            self._reactor.callFromThread(_fire, outcome, error)

        reading = Reading(work, succeed, refuse)
        outcome: Deferred[Result] = Deferred(lambda _outcome: self._room.leave(reading))
        if not enter(reading):
            return fail(ShuttingDown("the node is stopping"))
        return outcome

    def _forget(self, token: object) -> None:
        self._subscribers.pop(token, None)

    def _followed(self) -> bool:
        return bool(self._subscribers)

    def _tell(self, position: int) -> None:
        """Called in the room's thread."""
        self._reactor.callFromThread(self._at, position)

    def _at(self, position: int) -> None:
        """Take note of the last position, and tell where it is another."""
        if position == self._position:
            return
        self._position = position
        for on_sealed in list(self._subscribers.values()):
            on_sealed(position)


class _Observer:
    """What the room tells, in its thread: all of it is counted, new positions are told."""

    def __init__(
        self, counts: Counts, tell: Callable[[int], None], follows: Callable[[], bool]
    ) -> None:
        self.passed = counts.passed
        self.holds = counts.holds
        self.pruned = counts.pruned
        self.follows = follows
        self._counted = counts.at
        self._tell = tell
        self._told = -1

    def at(self, position: int) -> None:
        """Count it, and tell it where it is new."""
        self._counted(position)
        if position != self._told:
            self._told = position
            self._tell(position)


def _fire(outcome: Deferred[Result], result: Result | BaseException) -> None:
    """Tell the outcome, unless it was given up."""
    if outcome.called:
        return
    if isinstance(result, BaseException):
        outcome.errback(result)
    else:
        outcome.callback(result)
