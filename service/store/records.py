"""The store as the methods see it: records of every class, in threads, all errors translated."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TypeVar

from records.catalogue import Catalogue
from records.errors import Failure
from records.validation import Key, Parsed, Row
from records.values import CollectionInfo, RecordInfo
from service.methods.ports import Change, Child
from service.methods.query import Condition, Query
from service.store import reader
from service.store.attempts import written
from service.store.operations import Create, Operation, Update, Upsert
from service.store.removal import Add, Delete, Family, Remove
from service.store.threads import Lane

Result = TypeVar("Result")


class StoredRecords:
    """Implements `service.methods.ports.Records` on MySQL."""

    def __init__(self, catalogue: Catalogue, reading: Lane, writing: Lane) -> None:
        self._catalogue = catalogue
        self._reading = reading
        self._writing = writing

    async def get(
        self, record: RecordInfo, keys: Sequence[Key], fields: Sequence[str]
    ) -> list[Row | None]:
        """See the port."""
        return await self._reading.run(lambda tx: reader.select_by_keys(tx, record, keys, fields))

    async def page(self, record: RecordInfo, query: Query) -> list[Row]:
        """See the port."""
        return await self._reading.run(lambda tx: reader.page(tx, record, query))

    async def count(self, record: RecordInfo, where: Condition | None) -> int:
        """See the port."""
        return await self._reading.run(lambda tx: reader.count(tx, record, where))

    async def create(
        self, record: RecordInfo, rows: Sequence[Row], known: Sequence[Failure]
    ) -> None:
        """See the port."""
        await self._write(Create(record, rows, _places(known)), known)

    async def update(
        self, record: RecordInfo, changes: Sequence[Change], known: Sequence[Failure]
    ) -> list[Row]:
        """See the port."""
        return await self._write(Update(record, changes, _places(known)), known)

    async def upsert(
        self, record: RecordInfo, parsed: Sequence[Parsed], known: Sequence[Failure]
    ) -> list[Row]:
        """See the port."""
        refused = [failure for one in parsed for failure in one.failures]
        return await self._write(Upsert(record, parsed), [*known, *refused])

    async def delete(
        self, record: RecordInfo, keys: Sequence[Key | None], known: Sequence[Failure]
    ) -> int:
        """See the port."""
        return await self._write(Delete(record, keys), known)

    async def add(
        self,
        record: RecordInfo,
        collection: CollectionInfo,
        parent: Key,
        children: Sequence[Child],
        known: Sequence[Failure],
    ) -> list[Row]:
        """See the port."""
        family = self._family(record, collection, parent)
        return await self._write(Add(family, children, _places(known)), known)

    async def remove(
        self,
        record: RecordInfo,
        collection: CollectionInfo,
        parent: Key,
        keys: Sequence[Key | None],
        delete: bool,
        known: Sequence[Failure],
    ) -> int:
        """See the port."""
        return await self._write(
            Remove(self._family(record, collection, parent), keys, delete), known
        )

    async def clear(
        self, record: RecordInfo, collection: CollectionInfo, parent: Key, delete: bool
    ) -> int:
        """See the port."""
        return await self._write(Remove(self._family(record, collection, parent), None, delete), ())

    def _family(self, record: RecordInfo, collection: CollectionInfo, parent: Key) -> Family:
        """A parent with the class of its children."""
        child = self._catalogue.records[collection.child]
        return Family(record, child, child.references[collection.reference], parent)

    async def _write(self, operation: Operation[Result], known: Sequence[Failure]) -> Result:
        """Do the operation, or raise all that is wrong with it."""
        return await written(self._writing, operation, known)


def _places(known: Iterable[Failure]) -> frozenset[int | None]:
    """The indexes of the records that are faulty already."""
    return frozenset(failure.index for failure in known)
