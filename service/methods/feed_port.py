"""What the methods need of the feed: who reads, what is told, and how far it is. All plain values.

A position is the place of an entry in the changelog, counted from 1 without gaps. Whoever has read
up to a position reads on after it; 0 is before the first.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol, TypeAlias

from records.validation import Key, Row
from service.methods.query import Condition

EntryKind: TypeAlias = Literal["insert", "update", "delete"]


@dataclass(frozen=True)
class Wanted:
    """Which changes a reader is told, and how much of each.

    `records` are names of classes, None for all. `where` holds conditions on a class's own fields
    by its name. Without `rows` only keys are told.
    """

    records: frozenset[str] | None = None
    where: Mapping[str, Condition] = field(default_factory=dict)
    rows: bool = True


@dataclass(frozen=True)
class Entry:
    """One change, as the changelog has it: which row and which fields, never the values.

    `fields` are the names of the fields that an update changed, as far as the class still has them.
    `stamp` is in microseconds since 1970, UTC. `record` and `key` are None where the running code
    has no class for `table`, or the class had another key when this was written.
    """

    position: int
    table: str
    record: str | None
    kind: EntryKind
    key: Key | None
    fields: tuple[str, ...]
    life: int
    origin: int
    stamp: int
    writer: str


@dataclass(frozen=True)
class Change:
    """An entry with the row as it is now.

    `row` is None where it was not wanted, the row is not there, or it does not match. `matches` is
    False where a condition was given and the row does not fulfil it now, or is not there.
    """

    entry: Entry
    row: Row | None
    matches: bool = True


@dataclass(frozen=True)
class Ends:
    """The last position that was given, and the last that is no longer kept."""

    head: int
    horizon: int


@dataclass(frozen=True)
class FeedPage:
    """Some changes in order; the reader has everything up to `next` then.

    `found` is False where the changelog cannot be continued from where the reader is: something of
    what follows is no longer kept, or that position was never given. `complete` says that nothing
    was left to tell when this was read, and that the rows are those of that very moment.
    """

    changes: Sequence[Change]
    next: int
    ends: Ends
    complete: bool = False
    found: bool = True


@dataclass(frozen=True)
class Consumer:
    """Who still needs what stands after `position`; times in microseconds since 1970, UTC."""

    name: str
    position: int
    registered_at: int
    seen_at: int


class Feed(Protocol):
    """The changelog, from any position on, and those who need it.

    The failures of a FeedRefused point to `/consumer` or `/position`.
    """

    async def ends(self) -> Ends:
        """How far the changelog reaches."""
        ...

    async def page(self, after: int, limit: int, wanted: Wanted) -> FeedPage:
        """At most `limit` of the wanted changes after a position.

        Fewer may come, or none, also where more follow: `next` says how far this one went.
        """
        ...

    async def coming(self, after: int, limit: int, wanted: Wanted) -> FeedPage | None:
        """Such a page, read in the moment in which something is sealed, whenever that is.

        None where that is not to be had. It may also never come: whoever has everything up to
        `after` may leave this to be sooner, and must find out in another way as well. Cancelled, it
        leaves nothing behind.
        """
        ...

    async def following(
        self, after: int, limit: int, wanted: Wanted, seconds: float
    ) -> FeedPage | None:
        """Such a page, once there is something after a position; None where nothing came in time.

        What came need not be wanted. Cancelled, it leaves nothing behind.
        """
        ...

    async def register(self, name: str, position: int | None) -> Consumer:
        """Keep what stands after a position (None: the head) for a consumer.

        One that is registered already stays where it is. Raises FeedRefused.
        """
        ...

    async def acknowledge(self, name: str, position: int) -> Consumer:
        """What stands up to a position is no longer needed by a consumer.

        It never goes back. Raises FeedRefused.
        """
        ...

    async def consumers(self) -> tuple[list[Consumer], Ends]:
        """All consumers by name, and how far the changelog reaches."""
        ...

    async def forget(self, name: str) -> None:
        """Keep nothing for a consumer any more; raises FeedRefused where there is none."""
        ...
