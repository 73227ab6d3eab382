"""Deleted records as the methods see them: the graveyards, in the order of death, and back."""

from __future__ import annotations

from collections.abc import Sequence

from records.errors import Failure
from records.validation import Key, Row
from records.values import RecordInfo
from service.methods.query import Query
from service.methods.undo_port import Restored, graveyard
from service.store import reader, sql
from service.store.attempts import written
from service.store.conditions import Fragment
from service.store.restoring import Restore
from service.store.threads import Lane


class StoredUndo:
    """Implements `service.methods.undo_port.Undo` on MySQL."""

    def __init__(self, reading: Lane, writing: Lane) -> None:
        self._reading = reading
        self._writing = writing

    async def list_deleted(self, record: RecordInfo, query: Query) -> list[Row]:
        """See the port."""
        dead, besides = graveyard(record), (_not_alive(record),)
        return await self._reading.run(
            lambda tx: reader.page(tx, dead, query, besides, reader.forgiving_decoder)
        )

    async def restore(
        self,
        record: RecordInfo,
        keys: Sequence[Key | None],
        children: bool,
        known: Sequence[Failure],
    ) -> Restored:
        """See the port."""
        return await written(self._writing, Restore(record, keys, children), known)


def _not_alive(record: RecordInfo) -> Fragment:
    """The dead row's key is not in use again. Such a row is taken away when the birth is sealed."""
    match = " AND ".join(
        f"alive.{name} = t0.{name}" for name in (sql.column(record, part) for part in record.key)
    )
    return Fragment(f"NOT EXISTS (SELECT 1 FROM {sql.quoted(record.table)} AS alive WHERE {match})")
