"""The store without a reactor: units of work run in the caller's thread, on one connection."""

from __future__ import annotations

from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar, cast

from records.catalogue import Catalogue
from service.store.records import StoredRecords
from service.store.settings import SessionSettings
from service.store.threads import Lane
from service.store.work import Work, Worker
from tests.service.store.tools import working

Result = TypeVar("Result")


class DirectLane:
    """A lane whose only thread is the caller's."""

    def __init__(self, worker: Worker) -> None:
        self._worker = worker

    async def run(self, work: Work[Result]) -> Result:
        """The result of a unit of work."""
        return self._worker.run(work)

    async def try_out(self, work: Work[Result]) -> Result:
        """The result of a unit of work that is undone."""
        return self._worker.try_out(work)


@contextmanager
def stored(
    url: str, catalogue: Catalogue, settings: SessionSettings | None = None
) -> Iterator[StoredRecords]:
    """The store, as the methods use it."""
    with working(url, catalogue, settings) as worker:
        lane = cast(Lane, DirectLane(worker))
        yield StoredRecords(catalogue, lane, lane)


def done(call: Coroutine[Any, Any, Result]) -> Result:
    """The result of a call that never waits."""
    try:
        call.send(None)
    except StopIteration as ended:
        return cast(Result, ended.value)
    raise AssertionError("the call waits for something")
