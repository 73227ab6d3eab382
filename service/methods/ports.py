"""What the methods need of the store. All values are plain; each write is one transaction.

Where a call carries many records, failures count them by `index`, the place in the sequence the
store was given, and point (`pointer`) into that record. A failure about the parent of a collection
has no index. `known` are the failures found before the store was asked: where there are any,
nothing is written, but the store looks for every further failure (missing records, constraints)
in what is valid, and raises with all of them. It raises ValuesRefused where `known` holds any,
else NotFound where a record that is named is not there, else Conflict; failures of every sort may
stand in any of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, TypeAlias

from records.errors import Failure
from records.validation import Key, Parsed, Row
from records.values import CollectionInfo, RecordInfo
from service.methods.query import Condition, Query


@dataclass(frozen=True)
class Change:
    """The values to write into one record; only they are written.

    `key` is None where it was refused; `known` has a failure for this place then. Where the key
    is good and some value was not, `values` hold the others.
    """

    key: Key | None
    values: Row


@dataclass(frozen=True)
class Existing:
    """A child that is there already; None where its key was refused."""

    key: Key | None


@dataclass(frozen=True)
class New:
    """A child to create: its row with the reference to the parent, complete unless refused."""

    row: Row


Child: TypeAlias = Existing | New


class Records(Protocol):
    """Records of every class, and the children of each."""

    async def get(
        self, record: RecordInfo, keys: Sequence[Key], fields: Sequence[str]
    ) -> list[Row | None]:
        """The fields of the records with these keys, in this order; None where there is none."""
        ...

    async def page(self, record: RecordInfo, query: Query) -> list[Row]:
        """At most `query.limit` rows in order, each with the paths of `query.select` by name."""
        ...

    async def count(self, record: RecordInfo, where: Condition | None) -> int:
        """How many records fulfil the condition; all of them where it is None."""
        ...

    async def create(
        self, record: RecordInfo, rows: Sequence[Row], known: Sequence[Failure]
    ) -> None:
        """Write new records, all or none.

        A row is complete, or where `known` has failures for its place, what of it was valid.
        """
        ...

    async def update(
        self, record: RecordInfo, changes: Sequence[Change], known: Sequence[Failure]
    ) -> list[Row]:
        """Write the changes, all or none; the whole records as they are then, in this order.

        No key stands in it twice.
        """
        ...

    async def upsert(
        self, record: RecordInfo, parsed: Sequence[Parsed], known: Sequence[Failure]
    ) -> list[Row]:
        """Write each where its key is there, create it where it is not; the whole records.

        The failures within `parsed` are not repeated in `known`, but count the same. Where key
        fields are absent their defaults make a new record; `records.validation.complete` gives
        new ones their defaults. No key stands in it twice.
        """
        ...

    async def delete(
        self, record: RecordInfo, keys: Sequence[Key | None], known: Sequence[Failure]
    ) -> int:
        """Delete the records with these keys, all or none; how many were deleted.

        A key is None where it was refused. The same key twice counts once.
        """
        ...

    async def add(
        self,
        record: RecordInfo,
        collection: CollectionInfo,
        parent: Key,
        children: Sequence[Child],
        known: Sequence[Failure],
    ) -> list[Row]:
        """Move existing children to a parent and create new ones; the whole children, in order.

        `record` is the parent's class. A missing parent or existing child is NotFound. Where the
        reference is part of the child's key, existing children are of this parent already.
        """
        ...

    async def remove(
        self,
        record: RecordInfo,
        collection: CollectionInfo,
        parent: Key,
        keys: Sequence[Key | None],
        delete: bool,
        known: Sequence[Failure],
    ) -> int:
        """Let go of children: their reference becomes NULL, or they are deleted; how many.

        A key that is no child of this parent is NotFound, a missing parent too. The reference
        allows NULL unless `delete` is set.
        """
        ...

    async def clear(
        self, record: RecordInfo, collection: CollectionInfo, parent: Key, delete: bool
    ) -> int:
        """Let go of all children, as `remove` does; how many there were."""
        ...
