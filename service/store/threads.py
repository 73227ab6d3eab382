"""Lanes: threads with a connection each, in which units of work run beside the reactor."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextvars import copy_context
from typing import TypeVar

from twisted.internet.defer import Deferred, fail
from twisted.internet.interfaces import IReactorFromThreads
from twisted.python.failure import Failure
from twisted.python.threadpool import ThreadPool

from service.errors import OutcomeUnknown, ShuttingDown
from service.store.ticket import Abandoned, Ticket
from service.store.work import Work, Worker

Result = TypeVar("Result")


class Lane:
    """Some threads for one sort of work, so that no other sort can hold it up.

    A worker, and with it a connection, is made in each thread at its first unit of work.
    `on_commit` is called in the thread after each unit that `run` has ended well.
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

        def task() -> Result:
            result = self._worker().run(work, ticket)
            self._on_commit()
            return result

        return self._begin(ticket, task)

    def try_out(self, work: Work[Result]) -> Deferred[Result]:
        """The same, and undo what it wrote."""
        ticket = Ticket()
        return self._begin(ticket, lambda: self._worker().try_out(work, ticket))

    def _begin(self, ticket: Ticket, task: Callable[[], Result]) -> Deferred[Result]:
        """Queue a task for the threads; the Deferred fires in the reactor's thread."""
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
            self._reactor.callFromThread(_fire, outcome, result)

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


def _fire(outcome: Deferred[Result], result: Result | Failure) -> None:
    """Tell the outcome, unless it was given up."""
    if not outcome.called:
        outcome.callback(result)
