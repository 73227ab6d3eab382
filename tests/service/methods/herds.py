"""A herd in memory, for the methods about it: what there is to tell, and what was asked for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from records.stamps import NEVER, Version
from records.validation import Key
from records.values import RecordInfo
from service.errors import Refused
from service.herd.status import HerdState
from service.herd.vectors import Vector
from service.methods.held_port import HeldPage, HeldQuery, Retried, Waiting
from service.methods.herd_api import HerdPorts
from service.methods.herd_port import Aside, Entries, Known, KnownSibling
from service.methods.journal_port import (
    JournalPage,
    JournalQuery,
    Noted,
    PutAside,
    WriteBack,
    WrittenBack,
)
from service.methods.raw_values import RawRow

NAMES = {1: "hamburg", 2: "berlin"}
REGION_ROW = RawRow("region", ("code",), ("BE",))
PLACE = bytes(32)


def noted(*values: PutAside, number: int = 1, **changes: Any) -> Noted:
    """An entry about the region BE."""
    usual: dict[str, Any] = {
        "noted_at": 3_000_000,
        "rule": "later write",
        "row": REGION_ROW,
        "life": 1,
        "sender": 2,
        "restored_at": None,
    }
    return Noted(number=number, values=values, **(usual | changes))


def put_aside(column: str, lost: Any, kept: Any = None) -> PutAside:
    """A value that was written on node 1 and lost to node 2's, or to nothing."""
    at = NEVER if kept is None else Version(2_000_000, 2)
    return PutAside(column, lost, Version(1_000_000, 1), kept, at, "token:loader@192.0.2.7")


def waiting(**changes: Any) -> Waiting:
    """The region BE, which waits."""
    usual: dict[str, Any] = {
        "place": PLACE,
        "row": REGION_ROW,
        "reason": "refused",
        "text": "a CHECK of the table does not hold",
        "held_at": 1_000_000,
        "whole": True,
        "life": 1,
        "values": (("title", "Bern", Version(1_000_000, 1)),),
    }
    return Waiting(**(usual | changes))


@dataclass
class MemoryHerd:
    """All three ports. `asked` holds the last question."""

    links: HerdState = field(default_factory=lambda: HerdState("hamburg", 1, {1: 9}, schema="s 1"))
    met: tuple[KnownSibling, ...] = ()
    counts: Aside = field(default_factory=lambda: Aside({}, {"unique": Entries(3, 1)}))
    entries: tuple[Noted, ...] = (noted(put_aside("title", "Bern", "Berne")),)
    held: tuple[Waiting, ...] = (waiting(),)
    more: bytes | None = None
    error: Refused | None = None
    asked: Any = None

    def ports(self) -> HerdPorts:
        """What the methods take."""
        return HerdPorts(self, MemoryJournal(self), MemoryHeld(self))

    def state(self) -> HerdState:
        """See the port."""
        return self.links

    async def known(self, linked: Mapping[int, Vector]) -> Known:
        """See the port."""
        self.asked = linked
        return Known(1, {1: 9}, self.met)

    async def aside(self) -> Aside:
        """See the port."""
        return self.counts


@dataclass
class MemoryJournal:
    """The journal's port."""

    herd: MemoryHerd

    async def page(self, query: JournalQuery) -> JournalPage:
        """See the port."""
        self.herd.asked = query
        found = [
            one for one in self.herd.entries if query.below is None or one.number < query.below
        ]
        return JournalPage(found[: query.limit], NAMES, len(found) <= query.limit)

    async def entry(self, number: int) -> JournalPage:
        """See the port."""
        return JournalPage([one for one in self.herd.entries if one.number == number], NAMES, True)

    async def write_back(self, wanted: WriteBack) -> WrittenBack:
        """See the port."""
        self.herd.asked = wanted
        if self.herd.error is not None:
            raise self.herd.error
        key = dict(zip(wanted.record.key, wanted.key, strict=True))
        empty: dict[str, Any] = dict.fromkeys(wanted.record.fields)
        return WrittenBack("updated", empty | wanted.values | key, 4_000_000)


@dataclass
class MemoryHeld:
    """The port of what is held."""

    herd: MemoryHerd

    async def page(self, query: HeldQuery) -> HeldPage:
        """See the port."""
        self.herd.asked = query
        found = [
            one
            for one in self.herd.held
            if query.after is None or (one.held_at, one.place) > query.after
        ]
        return HeldPage(found[: query.limit], NAMES, len(found) <= query.limit)

    async def find(self, record: RecordInfo, key: Key) -> bytes | None:
        """See the port."""
        self.herd.asked = (record.name, key)
        return self.herd.held[0].place if self.herd.held else None

    async def retry(self, query: HeldQuery, after: bytes | None) -> Retried:
        """See the port."""
        self.herd.asked = (query, after)
        return Retried(3, self.herd.held, self.herd.more)

    async def retry_one(self, place: bytes) -> Retried:
        """See the port."""
        self.herd.asked = place
        return Retried(len(self.herd.held), (), None)

    async def drop(self, place: bytes) -> int | None:
        """See the port."""
        self.herd.asked = place
        return 5 if self.herd.held else None
