"""Kills the connection of a sealer before any statement of its passes, or about its COMMIT."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from service.store.records_store import RecordStore
from service.store.transaction import Transaction
from tests.live.units import kill
from tests.service.store.tools import ask, raw_connection


class Killer:
    """Counts the statements of sealers; kills once, before the one that is chosen.

    `chosen` is a number from 0 on, or "before" or "after" the COMMIT.
    """

    def __init__(self, url: str, patch: pytest.MonkeyPatch) -> None:
        self._url = url
        self.chosen: int | str | None = None
        self.statements: list[str] = []
        patch.setattr(Transaction, "rows", self._counted(Transaction.rows))
        patch.setattr(Transaction, "execute", self._counted(Transaction.execute))
        patch.setattr(RecordStore, "commit", self._committed(RecordStore.commit))

    def _counted(self, run: Callable[..., Any]) -> Callable[..., Any]:
        def counted(tx: Transaction, statement: str, parameters: Any = ()) -> Any:
            if self.chosen == len(self.statements):
                self._strike(tx.store)
            self.statements.append(statement)
            return run(tx, statement, parameters)

        return counted

    def _committed(self, commit: Callable[..., Any]) -> Callable[..., Any]:
        def committed(store: RecordStore) -> Any:
            if self.chosen == "before":
                self._strike(store)
            commit(store)
            if self.chosen == "after":
                self._strike(store)

        return committed

    def _strike(self, store: RecordStore) -> None:
        self.chosen = None
        number = store.execute("SELECT CONNECTION_ID()").get_one()[0]
        kill(self._url, number)


def rows_left(url: str) -> list[Any]:
    """What the table holds, to be compared with a replay of the changelog."""
    with raw_connection(url) as connection:
        return ask(connection, "SELECT number FROM plot ORDER BY number")
