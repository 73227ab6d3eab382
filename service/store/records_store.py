"""A Storm store that carries out what the record classes say of deleting a parent."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from storm.cache import Cache
from storm.exceptions import WrongStoreError
from storm.store import Store

from records.base import Record
from records.catalogue import Catalogue
from records.naming import snake_case
from service.store import deletion
from service.store.database import HerdbookDatabase
from service.store.transaction import Transaction

CACHED_OBJECTS = 100
"""Storm looks at every cached object at each commit, so a large cache makes each one slow."""


class RecordStore(Store):  # type: ignore[misc]  # Storm has no types
    """Storm's store for the records of a catalogue."""

    def __init__(self, database: HerdbookDatabase, catalogue: Catalogue) -> None:
        super().__init__(database, Cache(CACHED_OBJECTS))
        self.catalogue = catalogue

    def remove(self, record: Record) -> None:
        """Delete a record, and do with its children what their references say.

        Raises Conflict where a child with `on_delete="restrict"` refers to it, or to a record that
        would be deleted along; nothing is deleted then. Raises WrongStoreError for a record that is
        not of this store.
        """
        if Store.of(record) is not self:
            raise WrongStoreError(f"{record!r} is not of this store")
        self.flush()
        info = self.catalogue.records[snake_case(type(record).__name__)]
        key = tuple(getattr(record, name) for name in info.key)
        deletion.delete(Transaction(self, self.catalogue), info, [key])
        # Rows were changed by SQL: what Storm remembers of them is no longer true. Its own DELETE
        # finds the row gone.
        self.invalidate()
        super().remove(record)

    @property
    def longest_statement(self) -> int:
        """How many bytes the longest statement of this session may have."""
        longest: int = self._connection.longest_statement
        return longest

    def require_connection(self) -> None:
        """Raise DisconnectionError if the connection is known to be lost, before more is sent."""
        self._connection.require_alive()

    def write_for(self, principal: str | None) -> None:
        """Let the changelog name this caller for what is written from now on."""
        self._connection.write_for(principal)

    def stream(self, statement: str, at_once: int) -> Iterator[Sequence[tuple[Any, ...]]]:
        """The rows of a query, so many at once; nothing else may be asked until the last."""
        found: Iterator[Sequence[tuple[Any, ...]]] = self._connection.stream(statement, at_once)
        return found

    def close_tables(self) -> None:
        """Let the server close all tables that no statement is using; it opens them anew."""
        self._connection.close_tables()
