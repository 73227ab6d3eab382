"""What the methods need of the journal: what was put aside, and one way to write it back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol, TypeAlias

from records.stamps import Version
from records.states import Value
from records.validation import Key, Row
from records.values import RecordInfo
from service.methods.raw_values import RawRow

Outcome: TypeAlias = Literal["updated", "created"]


@dataclass(frozen=True)
class PutAside:
    """One value that lost, raw, and what stands in its place: nothing where `kept_at` is NEVER.

    `lost_by` and `kept_by` wrote them, as changelogs name writers; None where that is not known.
    A column that is known no more is named by its number.
    """

    column: str
    lost: Value
    lost_at: Version
    kept: Value
    kept_at: Version
    lost_by: str | None = None
    kept_by: str | None = None


@dataclass(frozen=True)
class Noted:
    """One entry of the journal; moments are in microseconds since 1970, UTC.

    `life` is that of the row that the values come from: even, if what was put aside is its death.
    `sender` is the origin of the node whose delta brought it about.
    """

    number: int
    noted_at: int
    rule: str
    row: RawRow
    life: int
    sender: int | None
    restored_at: int | None
    values: tuple[PutAside, ...]


@dataclass(frozen=True)
class JournalQuery:
    """Which entries: those of a table, of a rule, noted at a moment or later, below a number."""

    table: str | None = None
    rule: str | None = None
    since: int | None = None
    below: int | None = None
    limit: int = 1


@dataclass(frozen=True)
class JournalPage:
    """Some entries, the newest first, and the names of nodes by origin.

    `complete`: nothing follows. Fewer entries may come than were asked for, if they are large.
    """

    entries: Sequence[Noted]
    names: Mapping[int, str]
    complete: bool


@dataclass(frozen=True)
class WriteBack:
    """Values to write into the row of an entry, plain, without those of the key.

    `key` is where they are to go, and `was` where they were. `again` says that it may have been
    done before.
    """

    number: int
    record: RecordInfo
    was: Key
    key: Key
    values: Row
    again: bool = False


@dataclass(frozen=True)
class WrittenBack:
    """The whole record as it is then, and whether it was there before."""

    outcome: Outcome
    row: Row
    restored_at: int


class Journal(Protocol):
    """The journal of this node."""

    async def page(self, query: JournalQuery) -> JournalPage:
        """The newest entries that a query is about."""
        ...

    async def entry(self, number: int) -> JournalPage:
        """One entry; none where there is none of this number."""
        ...

    async def write_back(self, wanted: WriteBack) -> WrittenBack:
        """Write, as any call does, and note that the entry was restored: both or neither.

        A row that is there is changed. One that is not is made: of the values, of what lies in the
        graveyard, and of defaults. Raises JournalRefused where it was restored already, or is gone;
        else as `Records` does, with failures that point into the record.
        """
        ...
