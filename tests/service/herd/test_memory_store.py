"""The double of a node's database passes the suite of the real one."""

from __future__ import annotations

from collections.abc import Awaitable
from itertools import count
from typing import Any

import pytest
from twisted.internet.defer import Deferred

from tests.service.herd.memory_store import MemoryHerdStore
from tests.service.herd.store_suite import HerdStoreSuite, NewNode, Outcome


class MemoryNode:
    """The double, as the suite wants it."""

    def __init__(self, number: int, most_rows: int) -> None:
        self.store = MemoryHerdStore(number, most_rows)
        self.insert = self.store.insert
        self.update = self.store.update
        self.delete = self.store.delete

    def wait(self, work: Awaitable[Outcome]) -> Outcome:
        """See the suite. Nothing here takes any time."""
        found: list[Any] = []

        async def await_it() -> Outcome:
            return await work

        Deferred.fromCoroutine(await_it()).addBoth(found.append)
        [outcome] = found
        if hasattr(outcome, "raiseException"):
            outcome.raiseException()
        return outcome  # type: ignore[no-any-return]

    def rows(self) -> dict[tuple[str, int], dict[str, Any]]:
        """See the suite."""
        return {(table, key[0]): values for (table, key), values in self.store.rows().items()}

    def break_reads(self) -> None:
        """See the suite."""
        self.store.reads_fail = True


class TestMemoryStore(HerdStoreSuite):
    """The suite, for the double."""

    @pytest.fixture
    def new_node(self) -> NewNode:
        """Makes nodes in memory."""
        numbers = count()
        return lambda most_rows=1_000: MemoryNode(next(numbers), most_rows)
