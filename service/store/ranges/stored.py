"""The ranges behind the methods' port."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from records.catalogue import Catalogue
from records.errors import Failure
from records.validation import Row
from service.errors import NotFound
from service.methods.family_port import (
    Added,
    FreeAsked,
    NewRange,
    PoolFree,
    Served,
    WantedBlock,
    WantedMerge,
    WantedSplit,
)
from service.ranges.arithmetic import Total, summary
from service.ranges.blocks import Address
from service.ranges.disputes import Dispute
from service.ranges.errors import no_such_node
from service.store.attempts import refusal, written
from service.store.feed.waiting import Clock, Positions
from service.store.ranges.adding import LIST_NODES, AddRange
from service.store.ranges.adding_all import AddRanges
from service.store.ranges.book import Known
from service.store.ranges.counting import free_in
from service.store.ranges.desk import Desk
from service.store.ranges.following import Following
from service.store.ranges.reshaping import Reshape, merge_plan, split_plan
from service.store.ranges.spaces import Spaces
from service.store.threads import Lane


class StoredRanges:
    """Implements `service.methods.family_port.Ranges` on MySQL.

    `on_whole` is called where all ranges were read into memory.
    """

    def __init__(
        self,
        catalogue: Catalogue,
        reading: Lane,
        writing: Lane,
        positions: Positions,
        clock: Clock,
        on_whole: Callable[[], None] = lambda: None,
    ) -> None:
        self._record = catalogue.records["range"]
        self._reading = reading
        self._writing = writing
        spaces = Spaces()
        self._following = Following(reading, positions, clock, spaces.released, on_whole)
        self._desk = Desk(self._record, writing, spaces, clock, self._following.given)

    def start(self) -> None:
        """Read all ranges, and follow what becomes of them."""
        self._following.start()

    def stop(self) -> None:
        """Follow them no more."""
        self._following.stop()

    async def add(self, wanted: NewRange) -> Row:
        """See the port."""
        return await written(self._writing, AddRange(self._record, wanted), ())

    async def add_all(self, wanted: Sequence[NewRange], write: bool) -> Added:
        """See the port."""
        operation = AddRanges(self._record, wanted)
        if write:
            return await written(self._writing, operation, ())
        look = await self._writing.try_out(operation.look)
        if look.failures:
            raise refusal(look.failures, self._record)
        return look.added

    async def allocate(self, wanted: WantedBlock) -> Row:
        """See the port."""
        return await self._desk.give(wanted)

    async def split(self, wanted: WantedSplit) -> Sequence[Row]:
        """See the port."""
        return await written(self._writing, Reshape(self._record, split_plan(wanted)), ())

    async def merge(self, wanted: WantedMerge) -> Row:
        """See the port."""
        (row,) = await written(self._writing, Reshape(self._record, merge_plan(wanted)), ())
        return row

    async def locate(self, address: Address) -> Served | None:
        """See the port."""
        book = await self._following.book()
        found = book.locate(address)
        return None if found is None else Served(found, book.name_of(found))

    async def disputes(self) -> Sequence[Dispute]:
        """See the port."""
        return await self._following.disputes()

    async def free(self, asked: FreeAsked) -> Sequence[PoolFree]:
        """See the port."""
        return await self._reading.run(lambda tx: free_in(tx, asked))

    async def summary(self, node: str | None) -> Sequence[Total]:
        """See the port."""
        known = (await self._following.book()).known()
        return await self._reading.run(lambda _tx: _totals(known, node))


def _totals(known: Known, node: str | None) -> list[Total]:
    """Totals of a node, or of all."""
    ranges = known.of(node)
    if ranges is None:
        said = no_such_node(node or "", known.names.values())
        raise NotFound([Failure("record.not_found", said, "/node")], hint=LIST_NODES)
    return summary(ranges)
