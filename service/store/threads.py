"""Lanes: threads in which work runs beside the reactor.

In a `Lane` each thread has a connection, and units of work come and go. In a `StepLane` a work
comes with a connection of its own, and keeps it for several steps.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from contextlib import closing
from contextvars import copy_context
from typing import Any, Generic, Protocol, TypeVar
from weakref import WeakSet

from twisted.internet.defer import Deferred, fail
from twisted.internet.interfaces import IReactorFromThreads
from twisted.python.failure import Failure
from twisted.python.threadpool import ThreadPool

from service.errors import OutcomeUnknown, ShuttingDown, Unavailable
from service.store.ticket import Abandoned, Ticket
from service.store.work import Work, Worker

Result = TypeVar("Result")
Result_co = TypeVar("Result_co", covariant=True)


class Lane:
    """Some threads for one sort of work, so that no other sort can hold it up.

    A worker, and with it a connection, is made in each thread at its first unit of work.
    `on_commit` is called in the reactor's thread after each unit that `run` has ended well, once
    its caller was told: whatever that begins takes nothing of the time until then.
    """

    def __init__(
        self,
        reactor: IReactorFromThreads,
        name: str,
        threads: int,
        make_worker: Callable[[], Worker],
        on_commit: Callable[[], None] = lambda: None,
    ) -> None:
        self._reactor = reactor
        self._make_worker = make_worker
        self._on_commit = on_commit
        self._local = threading.local()
        self._workers: list[Worker] = []
        self._stopped = False
        self._pool = ThreadPool(threads, threads, name=f"herdbook-{name}")

    def start(self) -> None:
        """Start the threads; connections are made when they are needed."""
        self._pool.start()

    def stop(self) -> None:
        """Wait for the work under way, end the threads and close their connections."""
        if self._stopped:
            return
        self._stopped = True
        if self._pool.started:
            self._pool.stop()
        for worker in self._workers:
            worker.close()
        self._workers.clear()

    def run(self, work: Work[Result]) -> Deferred[Result]:
        """Run a unit of work in one of the threads; its result, or what it raised.

        Cancelled before it commits, it is undone; later, it fails with OutcomeUnknown.
        """
        ticket = Ticket()
        return self._begin(ticket, lambda: self._worker().run(work, ticket), self._on_commit)

    def try_out(self, work: Work[Result]) -> Deferred[Result]:
        """The same, and undo what it wrote."""
        ticket = Ticket()
        return self._begin(ticket, lambda: self._worker().try_out(work, ticket))

    def _begin(
        self, ticket: Ticket, task: Callable[[], Result], then: Callable[[], None] | None = None
    ) -> Deferred[Result]:
        """Queue a task for the threads; the Deferred fires in the reactor's thread.

        `then` is called there where the task has succeeded.
        """
        if self._stopped:
            return fail(ShuttingDown("the node is stopping"))

        def cancel(outcome: Deferred[Result]) -> None:
            if ticket.abandon():
                # While it still waits for a thread nothing may hold on to its rows.
                waiting.clear()
            else:
                outcome.errback(OutcomeUnknown("the call was given up while it committed"))

        def begin() -> Result:
            try:
                begun = waiting.pop()
            except IndexError:
                raise Abandoned from None
            return context.run(begun)

        def tell(succeeded: bool, result: Result | Failure) -> None:
            self._reactor.callFromThread(_tell, outcome, result, then if succeeded else None)

        # Who calls goes along into the thread.
        context = copy_context()
        waiting = [task]
        outcome: Deferred[Result] = Deferred(cancel)
        self._pool.callInThreadWithCallback(tell, begin)
        return outcome

    def _worker(self) -> Worker:
        """The worker of this thread."""
        worker: Worker | None = getattr(self._local, "worker", None)
        if worker is None:
            worker = self._local.worker = self._make_worker()
            self._workers.append(worker)
        return worker


class Steps(Protocol[Result_co]):
    """A work that is done step by step, all in one thread."""

    @property
    def closed(self) -> bool:
        """Whether there is no further step."""
        ...

    def next(self) -> Result_co:
        """Do the next step."""
        ...

    def close(self) -> None:
        """Give everything back; also when that was done already."""
        ...


class StepLane:
    """Some threads for works that come in steps; each work has one for itself until it is closed.

    Where all are taken, works wait in turn. One that is asked for no step for `idle_seconds` is
    closed.
    """

    def __init__(
        self, reactor: IReactorFromThreads, name: str, threads: int, idle_seconds: float
    ) -> None:
        self._reactor = reactor
        self._idle_seconds = idle_seconds
        self._stopped = False
        self._seats: WeakSet[Seat[Any]] = WeakSet()
        self._pool = ThreadPool(0, threads, name=f"herdbook-{name}")

    def start(self) -> None:
        """Let works begin."""
        self._pool.start()

    def stop(self) -> None:
        """Wait for the steps under way, close the works and end the threads."""
        if self._stopped:
            return
        self._stopped = True
        for seat in list(self._seats):
            seat.close()
        if self._pool.started:
            self._pool.stop()

    def begin(self, begin: Callable[[], Steps[Result]]) -> Deferred[Seat[Result]]:
        """Begin a work once a thread is free; fails with what `begin` raises. May be cancelled."""
        if self._stopped:
            return fail(ShuttingDown("the node is stopping"))
        seat: Seat[Result] = Seat(self._reactor, self._idle_seconds)
        self._seats.add(seat)
        outcome: Deferred[Seat[Result]] = Deferred(lambda _outcome: seat.close())
        self._pool.callInThread(seat.run, begin, outcome)
        return outcome


class Seat(Generic[Result]):
    """The steps of a work, as the reactor sees them; all but `run` is for its thread."""

    def __init__(self, reactor: IReactorFromThreads, idle_seconds: float) -> None:
        self._reactor = reactor
        self._idle_seconds = idle_seconds
        self._asked: queue.Queue[Deferred[Result] | None] = queue.Queue()
        self._lock = threading.Lock()
        self._closed = False
        self._ended = False

    def next(self) -> Deferred[Result]:
        """Do the next step; what comes of it. Cancelled, the work is closed."""
        with self._lock:
            if self._ended or self._closed:
                return fail(Unavailable(_OVER))
            outcome: Deferred[Result] = Deferred(lambda _outcome: self.close())
            self._asked.put(outcome)
            return outcome

    def close(self) -> None:
        """No further step is wanted; one that is being done is not interrupted."""
        self._closed = True
        self._asked.put(None)

    def run(self, begin: Callable[[], Steps[Result]], begun: Deferred[Seat[Result]]) -> None:
        """Do the work in the thread that calls, from its beginning until it is closed."""
        try:
            if self._closed:
                raise ShuttingDown("it was given up before it began")
            with closing(begin()) as steps:
                self._tell(begun, self)
                self._work(steps)
        except BaseException as error:
            self._tell(begun, error)
        with self._lock:
            self._ended = True
        while not self._asked.empty():
            self._tell(self._asked.get(), Unavailable(_OVER))

    def _work(self, steps: Steps[Result]) -> None:
        while not steps.closed:
            try:
                outcome = self._asked.get(timeout=self._idle_seconds)
            except queue.Empty:
                return
            if outcome is None:
                return
            try:
                self._tell(outcome, steps.next())
            except BaseException as error:
                self._tell(outcome, error)
                return

    def _tell(self, outcome: Deferred[Any] | None, result: object) -> None:
        if outcome is not None:
            self._reactor.callFromThread(_fire, outcome, result)


_OVER = "it was closed, or nothing was asked of it for too long"


def _tell(
    outcome: Deferred[Result], result: Result | Failure, then: Callable[[], None] | None
) -> None:
    """Tell the outcome, and then call what is to follow, whether or not it was given up."""
    _fire(outcome, result)
    if then is not None:
        then()


def _fire(outcome: Deferred[Result], result: Result | Failure | BaseException) -> None:
    """Tell the outcome, unless it was given up."""
    if outcome.called:
        return
    if isinstance(result, BaseException):
        outcome.errback(result)
    else:
        outcome.callback(result)
