"""A transaction on a fresh database with the tables of the samples."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import sqlalchemy

from schema.tables import metadata_of
from service.database_url import DatabaseUrl
from service.store.database import HerdbookDatabase
from service.store.records_store import RecordStore
from service.store.settings import SessionSettings
from service.store.transaction import Transaction
from tests.service.methods.samples import CATALOGUE


class Counted(Transaction):
    """A transaction that remembers the statements it ran."""

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.statements: list[str] = []

    def rows(self, statement: str, parameters: Any = ()) -> list[tuple[Any, ...]]:
        """Run and remember a query."""
        self.statements.append(statement)
        return super().rows(statement, parameters)


def create_tables(database: str) -> None:
    """The samples' tables."""
    engine = sqlalchemy.create_engine(DatabaseUrl.parse(database).as_sqlalchemy())
    try:
        metadata_of(CATALOGUE).create_all(engine)
    finally:
        engine.dispose()


@contextmanager
def opened(database: str) -> Iterator[Counted]:
    """A transaction that is undone in the end; the tables are there."""
    create_tables(database)
    url = DatabaseUrl.parse(database)
    store = RecordStore(HerdbookDatabase(url, SessionSettings()), CATALOGUE)
    try:
        yield Counted(store, CATALOGUE)
    finally:
        store.rollback()
        store.close()
