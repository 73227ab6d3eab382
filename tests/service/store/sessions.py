"""A transaction on a fresh database with the tables of the samples."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from records.catalogue import Catalogue
from service.database_url import DatabaseUrl
from service.store.database import HerdbookDatabase
from service.store.records_store import RecordStore
from service.store.settings import SessionSettings
from service.store.transaction import Transaction
from tests.service.methods.samples import CATALOGUE
from tests.service.store.tools import create_tables


class Counted(Transaction):
    """A transaction that remembers the statements it ran."""

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.statements: list[str] = []

    def rows(self, statement: str, parameters: Any = ()) -> list[tuple[Any, ...]]:
        """Run and remember a query."""
        self.statements.append(statement)
        return super().rows(statement, parameters)


@contextmanager
def opened(database: str, catalogue: Catalogue = CATALOGUE) -> Iterator[Counted]:
    """A transaction that is undone in the end; the tables are there."""
    create_tables(database, catalogue)
    url = DatabaseUrl.parse(database)
    store = RecordStore(HerdbookDatabase(url, SessionSettings()), catalogue)
    try:
        yield Counted(store, catalogue)
    finally:
        store.rollback()
        store.close()
