"""The store as the methods see it: records of every class, in threads, all errors translated."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TypeVar

from MySQLdb import Error as DriverError

from records.catalogue import Catalogue
from records.errors import Failure
from records.validation import Key, Parsed, Row
from records.values import CollectionInfo, RecordInfo
from service.errors import Busy, Conflict, NotFound, Refused, ValuesRefused
from service.methods.ports import Change, Child
from service.methods.query import Condition, Query
from service.store import reader
from service.store.database import error_number
from service.store.diagnosis import explain
from service.store.operations import Create, Operation, Unfit, Update, Upsert
from service.store.removal import Add, Delete, Family, Remove
from service.store.threads import Lane
from service.store.translation import CONSTRAINT

Result = TypeVar("Result")

WRITE_ATTEMPTS = 3
"""How often a write is tried that a constraint refused, when nothing wrong is found afterwards:
another transaction was in the way and is gone."""


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
        """Do the operation; or find out all that is wrong with it, and raise that."""
        if known:
            found = await self._writing.try_out(operation.failures)
            raise ValuesRefused(_in_order([*known, *found]))
        refused: list[Failure] = []
        for _attempt in range(WRITE_ATTEMPTS):
            try:
                return await self._writing.run(operation.attempt)
            except Unfit:
                pass
            except DriverError as error:
                if error_number(error) not in CONSTRAINT:
                    raise
                refused = list(explain(operation.record, error, None))
            found = await self._writing.try_out(operation.failures)
            if found:
                raise _refusal(found)
        if refused:
            raise Conflict(refused)
        raise Busy("other work kept changing the same records")


def _places(known: Iterable[Failure]) -> frozenset[int | None]:
    """The indexes of the records that are faulty already."""
    return frozenset(failure.index for failure in known)


def _refusal(found: Sequence[Failure]) -> Refused:
    """The error that says what sort of failures these are."""
    codes = {failure.code for failure in found}
    if "record.not_found" in codes:
        return NotFound(_in_order(found))
    of_values = codes & {"value.required", "reference.incomplete"}
    return (ValuesRefused if of_values else Conflict)(_in_order(found))


def _in_order(failures: Iterable[Failure]) -> list[Failure]:
    """Sorted by record, what is said of no record first; each said once."""
    return sorted(
        dict.fromkeys(failures),
        key=lambda failure: -1 if failure.index is None else failure.index,
    )
