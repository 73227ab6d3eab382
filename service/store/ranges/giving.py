"""Giving out the next free block of this node's pools, in one short transaction.

The row of `herdbook_node` is locked first, as for every range that is added, then the pools: so of
two calls the second sees what the first has given out, and neither is refused. What is free is
known in memory (`spaces`); that nothing meets the block is asked of the table before it is written.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from records.errors import Failure
from records.validation import Row
from records.values import RecordInfo
from service.errors import Conflict, NotFound
from service.methods.family_port import NewRange, WantedBlock
from service.ranges.allocation import usable_pools
from service.ranges.blocks import Block
from service.ranges.errors import AllocationRefused
from service.ranges.free_space import FreeSpace
from service.ranges.values import Range
from service.store import sql, writer
from service.store.blocks import around, block_of
from service.store.diagnosis import Attempt, constraint_failures
from service.store.ranges.adding import NO_RECORD, locked_node, new_row
from service.store.ranges.counting import blocks_within, is_disputed
from service.store.ranges.rows import POOLS_OF_NODE, holders, inside, named_ranges
from service.store.ranges.spaces import Spaces
from service.store.transaction import Transaction

_STILL = (
    "SELECT `id` FROM `herdbook_herd_range` FORCE INDEX (PRIMARY) "
    "WHERE `id` IN ({0}) AND `purpose` = 'pool' ORDER BY `id` FOR UPDATE"
)
_MEETING = "SELECT r.`cidr` FROM `herdbook_herd_range` AS r WHERE {0} ORDER BY r.`cidr`"

_OF_LENGTH = frozenset({"range.length", "range.larger", "range.exhausted"})


@dataclass(frozen=True)
class GiveBlock:
    """A block to give out; `taken` are those that an attempt has taken of the spaces."""

    record: RecordInfo
    wanted: WantedBlock
    spaces: Spaces
    taken: list[Block] = field(default_factory=list)

    def attempt(self, tx: Transaction) -> Row:
        """Write the range; its row. Raises NotFound and Conflict."""
        self.give_back()
        row = self._row(tx)
        writer.insert(tx, self.record, [row])
        return row

    def failures(self, tx: Transaction) -> list[Failure]:
        """What the constraints say."""
        self.give_back()
        return constraint_failures(tx, self.record, [Attempt(0, self._row(tx))])

    def give_back(self) -> None:
        """Nothing was given out."""
        given, self.taken[:] = list(self.taken), []
        for block in given:
            self.spaces.released(block)

    def _row(self, tx: Transaction) -> Row:
        node = locked_node(tx)
        if node is None:
            raise NotFound([Failure("record.not_found", NO_RECORD)])
        try:
            block = self._block(tx, self._pools(tx, *node))
        except AllocationRefused as refused:
            raise _conflict(refused) from refused
        wanted = NewRange(None, block, self.wanted.purpose, self.wanted.note)
        return new_row(self.record, wanted, node[0])

    def _pools(self, tx: Transaction, node: bytes, name: str) -> list[Block]:
        """The pools to give out of, locked."""
        named = self._named(tx)
        family = self.wanted.family if named is None else named.family
        own = _locked(tx, named_ranges(tx, POOLS_OF_NODE, (node,)))
        own = [e for e in own if named in (None, e.block) and e.block.family == family]
        others = [] if named is None else holders(tx, named)
        disputed = {each.id for each in own if is_disputed(tx, each)}
        foreign = [each for each in others if each.node != name]
        return usable_pools(name, family, [*own, *foreign], disputed, named)

    def _named(self, tx: Transaction) -> Block | None:
        """The pool that the call names, by its block or its id."""
        source = self.wanted.source
        if source is None or isinstance(source, Block):
            return source
        found = named_ranges(tx, "r.`id` = ?", (source.bytes,))
        if not found:
            raise NotFound([Failure("record.not_found", f"there is no range {source}", "/from")])
        return found[0].block

    def _block(self, tx: Transaction, pools: Sequence[Block]) -> Block:
        """The next block; where nothing seems to be free, what is is read anew."""
        known = [self.spaces.find(pool) for pool in pools]
        spaces = [each or self._read(tx, pool) for pool, each in zip(pools, known, strict=True)]
        try:
            return self._free_block(tx, spaces)
        except AllocationRefused as refused:
            if refused.code != "range.exhausted" or not any(known):
                raise
        return self._free_block(tx, [self._read(tx, pool) for pool in pools])

    def _read(self, tx: Transaction, pool: Block) -> FreeSpace:
        return self.spaces.read(pool, blocks_within(tx, pool))

    def _free_block(self, tx: Transaction, spaces: Sequence[FreeSpace]) -> Block:
        """The next block of these that nothing meets, also in the table."""
        while True:
            block = self.spaces.take(self.wanted.length, spaces)
            pool = max((s.pool for s in spaces if s.pool.holds(block)), key=lambda p: p.length)
            present = list(_meeting(tx, pool, block))
            if not present:
                self.taken.append(block)
                return block
            self.spaces.correct(block, present)


def _locked(tx: Transaction, pools: Sequence[Range]) -> list[Range]:
    """Those of the pools that are there still; they stay until the transaction ends."""
    if not pools:
        return []
    keys = [each.id.bytes for each in pools]
    still = {raw for (raw,) in tx.rows(_STILL.format(sql.marks(len(keys))), keys)}
    return [each for each in pools if each.id.bytes in still]


def _meeting(tx: Transaction, pool: Block, block: Block) -> Iterator[Block]:
    """What of a pool is given out and meets a block of it, in order."""
    keys = around(block.network)[-(block.length - pool.length) :]
    condition, bounds = inside(block)
    meets = f"r.`cidr` IN ({sql.marks(len(keys))}) OR {condition}"
    return (block_of(raw) for (raw,) in tx.rows(_MEETING.format(meets), (*keys, *bounds)))


def _conflict(refused: AllocationRefused) -> Conflict:
    """The refusal as a call is told it."""
    place = "/length" if refused.code in _OF_LENGTH else "/from"
    told = Conflict([Failure(refused.code, refused.message, place)])
    if refused.largest is not None:
        told.details["largest"] = str(refused.largest)
    return told
