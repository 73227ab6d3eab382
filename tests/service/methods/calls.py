"""Calling the methods of the samples, in the test's own thread."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any, cast

from storm.tracer import install_tracer, remove_tracer

from records.catalogue import Catalogue
from records.errors import Failure
from service.errors import Refused
from service.methods.api import build_registry
from service.methods.registry import Registry
from service.store.records import StoredRecords
from service.store.settings import SessionSettings
from service.store.work import Work, Worker
from tests.service.methods.samples import CATALOGUE
from tests.service.store.tools import create_tables, working


def finished(awaitable: Awaitable[Any]) -> Any:
    """What a coroutine returns that never has to wait."""
    steps = cast("Any", awaitable).__await__()
    try:
        next(steps)
    except StopIteration as stop:
        return stop.value
    raise AssertionError("the method waits for something that this test does not have")


class Statements:
    """Every statement Storm sends, in order: a tracer of Storm's."""

    def __init__(self) -> None:
        self.sent: list[str] = []

    def connection_raw_execute(
        self, connection: Any, cursor: Any, statement: str, parameters: Sequence[Any]
    ) -> None:
        """Storm's hook: a statement is about to be sent."""
        self.sent.append(statement)


class NoDelay:
    """A reactor of which only `callLater` is used, and whose next turn is now."""

    def callLater(self, _delay: float, call: Callable[..., Any], *given: Any) -> None:  # noqa: N802
        """Twisted's."""
        call(*given)


class SameThread:
    """A lane that runs units of work at once."""

    def __init__(self, worker: Worker) -> None:
        self._worker = worker

    async def run(self, work: Work[Any]) -> Any:
        """What the work returns, committed."""
        return self._worker.run(work)

    async def try_out(self, work: Work[Any]) -> Any:
        """What the work returns, undone."""
        return self._worker.try_out(work)


class Api:
    """The registry of a catalogue on a database, or on any other store."""

    def __init__(self, registry: Registry, statements: Statements) -> None:
        self.registry = registry
        self.statements = statements

    def call(self, method: str, params: Any = None) -> Any:
        """The result of a call."""
        self.statements.sent.clear()
        return finished(self.registry.respond(method, params))

    def refused(self, method: str, params: Any = None) -> Refused:
        """The error of a call that must be refused."""
        try:
            answer = self.call(method, params)
        except Refused as error:
            return error
        raise AssertionError(f"{method} was not refused, but answered {answer!r}")


def places(error: Refused) -> list[tuple[int | None, str, str]]:
    """Where each failure is, and its code."""
    return [place(failure) for failure in error.failures]


def place(failure: Failure) -> tuple[int | None, str, str]:
    """Index, pointer and code of a failure."""
    return failure.index, failure.pointer, failure.code


@contextmanager
def serving(database: str, catalogue: Catalogue = CATALOGUE) -> Iterator[Api]:
    """The API on a fresh database with the catalogue's tables."""
    create_tables(database, catalogue)
    statements = Statements()
    with ExitStack() as stack:
        reading = stack.enter_context(
            working(database, catalogue, SessionSettings(autocommit=True))
        )
        writing = stack.enter_context(working(database, catalogue))
        install_tracer(statements)
        stack.callback(remove_tracer, statements)
        store = StoredRecords(
            catalogue, cast("Any", SameThread(reading)), cast("Any", SameThread(writing))
        )
        yield Api(build_registry(catalogue, store), statements)
