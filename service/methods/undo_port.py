"""What the methods of undoing need of the store. All values are plain."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from records.errors import Failure
from records.fields import MISSING
from records.kinds.base import Kind
from records.kinds.numbers import IntegerKind
from records.kinds.text import TextKind
from records.validation import Key, Row
from records.values import FieldInfo, RecordInfo
from schema.capture.columns import DIED, WRITER, WRITER_LENGTH, graveyard_of
from service.methods.query import Query


@dataclass(frozen=True)
class Restored:
    """What was brought back.

    The records that were named, whole and in that order, and how many of each class came with them.
    """

    rows: Sequence[Row]
    children: Mapping[str, int]


class Undo(Protocol):
    """The deleted records of every class, for as long as they are kept."""

    async def list_deleted(self, record: RecordInfo, query: Query) -> list[Row]:
        """At most `query.limit` rows of the class's graveyard, in order.

        The query is about `graveyard(record)`. Rows whose key lives again are left out.
        """
        ...

    async def restore(
        self,
        record: RecordInfo,
        keys: Sequence[Key | None],
        children: bool,
        known: Sequence[Failure],
    ) -> Restored:
        """Bring back the records with these keys, all or none.

        With `children` also what each one's deletion took along by references that cascade. A key
        is None where it was refused. No key stands in it twice. Raises as `Records` does.
        """
        ...


def graveyard(record: RecordInfo) -> RecordInfo:
    """A class's dead rows as if they were a class of records.

    They have its own fields, the moment of death and who deleted; references lead nowhere from
    there.
    """
    extra = {
        DIED: _field(DIED, IntegerKind(64, unsigned=True)),
        WRITER: _field(WRITER, TextKind(WRITER_LENGTH)),
    }
    return replace(
        record,
        table=graveyard_of(record.table),
        fields={**record.fields, **extra},
        references={},
        collections={},
    )


def _field(name: str, kind: Kind) -> FieldInfo:
    """One of the fields that only the dead have."""
    return FieldInfo(
        name=name,
        column=name,
        kind=kind,
        allow_none=False,
        default=MISSING,
        validator=None,
        reference=None,
    )
