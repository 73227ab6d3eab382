"""Giving out the next free blocks of this node's pools, to many at once, in one short transaction.

The row of `herdbook_node` is locked first, as for every range that is added, then the pools: so of
two transactions the second sees what the first has given out. What is free is known in memory
(`spaces`); that nothing meets the blocks is asked of the table before they are written.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from records.errors import Failure
from records.validation import Row
from records.values import RecordInfo
from service.errors import Conflict, NotFound, Refused
from service.methods.family_port import NewRange, WantedBlock
from service.ranges.arithmetic import joined
from service.ranges.blocks import Block
from service.ranges.errors import AllocationRefused
from service.ranges.free_space import FreeSpace
from service.store import sql, writer
from service.store.blocks import around, block_of
from service.store.diagnosis import Attempt, constraint_failures
from service.store.ranges.adding import LIST_NODES, NO_RECORD, locked_node, new_row
from service.store.ranges.counting import blocks_within
from service.store.ranges.own_pools import OwnPools
from service.store.ranges.rows import inside
from service.store.ranges.spaces import Spaces
from service.store.transaction import Transaction

MOST_WRONG = 16
"""Blocks that memory takes for free and are not, until the pools are read anew.

Each costs a question to the table; to read a pool with 100,000 blocks costs as much as some hundred
of them, and is done once."""

OFFERS_A_STATEMENT = 100
"""Blocks that are asked about at once."""

KEYS_A_STATEMENT = 150
"""Of more than 200 MySQL only guesses what each finds, and reads all ranges where it is wrong."""

_MEETING = "SELECT r.`cidr` FROM `herdbook_herd_range` AS r WHERE {0}"

_OF_LENGTH = frozenset({"range.length", "range.larger", "range.exhausted"})


def _everybody_waits(_number: int) -> bool:
    return True


@dataclass(frozen=True)
class GiveBlocks:
    """Blocks to give out. `waits` tells of the number of one whether somebody still wants it.

    `taken` are the blocks that an attempt has taken of the spaces; `refused` says by number why
    none is given out.
    """

    record: RecordInfo
    wanted: Sequence[WantedBlock]
    spaces: Spaces
    waits: Callable[[int], bool] = _everybody_waits
    taken: set[Block] = field(default_factory=set)
    refused: dict[int, Refused] = field(default_factory=dict)

    def attempt(self, tx: Transaction) -> list[Row | None]:
        """Write a range for each; its row, or None where it is refused or not waited for."""
        rows = self._rows(tx)
        writer.insert(tx, self.record, list(rows.values()))
        return [rows.get(number) for number in range(len(self.wanted))]

    def failures(self, tx: Transaction) -> list[Failure]:
        """What the constraints say."""
        rows = self._rows(tx)
        return constraint_failures(tx, self.record, [Attempt(*each) for each in rows.items()])

    def give_back(self) -> None:
        """Nothing was given out."""
        given = list(self.taken)
        self.taken.clear()
        self.refused.clear()
        for block in given:
            self.spaces.released(block)

    def _rows(self, tx: Transaction) -> dict[int, Row]:
        """The ranges to write, by number."""
        self.give_back()
        node = locked_node(tx)
        waiting = [number for number in range(len(self.wanted)) if self.waits(number)]
        if node is None:
            self.refused.update((each, _without_a_record()) for each in waiting)
            return {}
        chosen = _Choosing(tx, OwnPools(tx, *node), self).all(waiting)
        return {number: self._row(number, node[0], block) for number, block in chosen.items()}

    def _row(self, number: int, node: bytes, block: Block) -> Row:
        wanted = self.wanted[number]
        return new_row(self.record, NewRange(None, block, wanted.purpose, wanted.note), node)


class _Offer(NamedTuple):
    """A block that memory takes for free, and the pool that it is of."""

    block: Block
    pool: Block

    def meets(self, given: Block) -> bool:
        """Whether a range takes something of it; what is as large as the pool takes nothing."""
        return given.length > self.pool.length and given.meets(self.block)


class _Choosing:
    """The choice of blocks within one transaction."""

    def __init__(self, tx: Transaction, pools: OwnPools, giving: GiveBlocks) -> None:
        self._tx, self._pools, self._giving = tx, pools, giving
        self._read: set[Block] = set()
        self._trusting = True
        self._wrong = 0

    def all(self, numbers: Sequence[int]) -> dict[int, Block]:
        """A block for each number that nothing meets; those that are refused are left out."""
        chosen: dict[int, Block] = {}
        while numbers:
            offers = {number: found for number in numbers if (found := self._offer(number))}
            undecided = [e for e in numbers if e not in offers and e not in self._giving.refused]
            wrong = self._not_free(offers)
            chosen |= {each: offer.block for each, offer in offers.items() if each not in wrong}
            self._wrong += len(wrong)
            self._trusting &= not undecided and self._wrong <= MOST_WRONG
            numbers = sorted([*undecided, *wrong])
        return chosen

    def _offer(self, number: int) -> _Offer | None:
        """What memory takes for free; None where it is refused, or has to be read anew first."""
        wanted, refused = self._giving.wanted[number], self._giving.refused
        try:
            return self._taken(wanted.length, self._pools.of(wanted))
        except AllocationRefused as error:
            refused[number] = _conflict(error)
        except NotFound as error:
            refused[number] = error
        return None

    def _taken(self, length: int, pools: Sequence[Block]) -> _Offer | None:
        """A block out of these pools; None where they have to be read anew first."""
        try:
            block = self._giving.spaces.take(length, [self._space(pool) for pool in pools])
        except AllocationRefused as error:
            if error.code == "range.exhausted" and not self._read.issuperset(pools):
                return None
            raise
        self._giving.taken.add(block)
        # Memory may take for free what is a pool by now: a block is never given out of itself.
        around = [each for each in pools if each.length < block.length and each.holds(block)]
        return _Offer(block, max(around, key=lambda each: each.length))

    def _space(self, pool: Block) -> FreeSpace:
        """What is free of a pool: as it is known, or read, and that once only."""
        known = self._giving.spaces.find(pool)
        if known is not None and (self._trusting or pool in self._read):
            return known
        self._read.add(pool)
        within = blocks_within(self._tx, pool)
        return self._giving.spaces.read(pool, within, self._giving.taken)

    def _not_free(self, offers: Mapping[int, _Offer]) -> set[int]:
        """The numbers of those of which somebody has something; memory is told what."""
        wrong: set[int] = set()
        present = _meeting(self._tx, list(offers.values()))
        for number, offer in offers.items() if present else ():
            if meeting := [each for each in present if offer.meets(each)]:
                self._giving.spaces.correct(offer.block, meeting)
                self._giving.taken.discard(offer.block)
                wrong.add(number)
        return wrong


def _meeting(tx: Transaction, offers: Sequence[_Offer]) -> list[Block]:
    """What is given out of their pools and meets any of these offers, in order."""
    fewest = list(_fewest(offers))
    above: set[bytes] = set()
    for block, pool in fewest:
        above.update(around(block.network, pool.length + 1)[:-1])
    found: set[bytes] = set()
    for keys in writer.chunks(sorted(above), KEYS_A_STATEMENT):
        condition = f"r.`cidr` IN ({sql.marks(len(keys))})"
        found.update(raw for (raw,) in tx.rows(_MEETING.format(condition), keys))
    for some in writer.chunks(fewest, OFFERS_A_STATEMENT):
        within = [inside(block) for block, _pool in some]
        condition = " OR ".join(each for each, _bounds in within)
        bounds = [bound for _condition, both in within for bound in both]
        found.update(raw for (raw,) in tx.rows(_MEETING.format(condition), bounds))
    return sorted(map(block_of, found))


def _fewest(offers: Sequence[_Offer]) -> Iterator[_Offer]:
    """The same addresses of the same pools in the fewest blocks: offers mostly lie side by side."""
    for pool in sorted({offer.pool for offer in offers}):
        yield from (
            _Offer(each, pool) for each in joined(o.block for o in offers if o.pool == pool)
        )


def _without_a_record() -> NotFound:
    return NotFound([Failure("record.not_found", NO_RECORD)], hint=LIST_NODES)


def _conflict(refused: AllocationRefused) -> Conflict:
    """The refusal as a call is told it."""
    place = "/length" if refused.code in _OF_LENGTH else "/from"
    told = Conflict([Failure(refused.code, refused.message, place)])
    if refused.largest is not None:
        told.details["largest"] = str(refused.largest)
    return told
