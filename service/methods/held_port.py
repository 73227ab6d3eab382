"""What the methods need of what is held: to see it, to try it again, and to drop it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from records.stamps import Version
from records.states import Value
from records.validation import Key
from records.values import RecordInfo
from service.methods.raw_values import RawRow


@dataclass(frozen=True)
class Waiting:
    """One row of which something is held; `values` are raw, by column.

    `place` is what names it. `life` is even where its death waits. `whole` is False where only some
    columns wait.
    """

    place: bytes
    row: RawRow
    reason: str
    text: str
    held_at: int
    whole: bool
    life: int
    values: tuple[tuple[str, Value, Version], ...]


@dataclass(frozen=True)
class HeldQuery:
    """What is held: of a table, for a reason, after a moment and place.

    What was dropped is only meant where that is the reason, or `dropped` says so.
    """

    table: str | None = None
    reason: str | None = None
    after: tuple[int, bytes] | None = None
    limit: int = 1
    dropped: bool = False


@dataclass(frozen=True)
class HeldPage:
    """Some of what is held, the eldest first, and the names of nodes by origin.

    `complete`: nothing follows. Fewer may come than were asked for, if they are large.
    """

    rows: Sequence[Waiting]
    names: Mapping[int, str]
    complete: bool


@dataclass(frozen=True)
class Retried:
    """How many rows were tried, and those of them that are still held.

    `next` is the place after which more is to be tried; None where nothing follows.
    """

    tried: int
    still: Sequence[Waiting]
    next: bytes | None


class HeldRows(Protocol):
    """What is held on this node."""

    async def page(self, query: HeldQuery) -> HeldPage:
        """What a query is about."""
        ...

    async def find(self, record: RecordInfo, key: Key) -> bytes | None:
        """The place of what is held of one record."""
        ...

    async def retry(self, query: HeldQuery, after: bytes | None) -> Retried:
        """Try to write what a query is about, in one transaction, in the order of places.

        Begins after a place; the query's own `after` does not count.
        """
        ...

    async def retry_one(self, place: bytes) -> Retried:
        """Try to write what is held of one row; nothing is tried where nothing is held."""
        ...

    async def drop(self, place: bytes) -> int | None:
        """Put it into the journal, and hold it as given up; the entry's number.

        None where nothing is held of the row, or was given up already.
        """
        ...
