"""The pools of this node that a transaction gives blocks out of: locked, each looked at once."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from records.errors import Failure
from service.errors import NotFound
from service.methods.family_port import WantedBlock
from service.ranges.allocation import usable_pools
from service.ranges.blocks import Block
from service.ranges.values import Range
from service.store import sql
from service.store.ranges.counting import is_disputed
from service.store.ranges.rows import POOLS_OF_NODE, holders, named_ranges
from service.store.transaction import Transaction

_STILL = (
    "SELECT `id` FROM `herdbook_herd_range` FORCE INDEX (PRIMARY) "
    "WHERE `id` IN ({0}) AND `purpose` = 'pool' ORDER BY `id` FOR UPDATE"
)


class OwnPools:
    """The pools of a node as they are while a transaction has them locked."""

    def __init__(self, tx: Transaction, node: bytes, name: str) -> None:
        """`node` is its id as the database has it."""
        self._tx, self._name = tx, name
        self._own = _locked(tx, named_ranges(tx, POOLS_OF_NODE, (node,)))
        self._disputed: dict[UUID, bool] = {}
        self._of: dict[tuple[Block | UUID | None, int], list[Block]] = {}

    def of(self, wanted: WantedBlock) -> list[Block]:
        """Those to give a wanted block out of.

        Raises AllocationRefused as `usable_pools`, and NotFound where there is no range of the id.
        """
        key = (wanted.source, wanted.family)
        if key not in self._of:
            self._of[key] = self._usable(*key)
        return self._of[key]

    def _usable(self, source: Block | UUID | None, family: int) -> list[Block]:
        named = self._named(source)
        family = family if named is None else named.family
        own = [e for e in self._own if named in (None, e.block) and e.block.family == family]
        others = [] if named is None else holders(self._tx, named)
        disputed = {each.id for each in own if self._is_disputed(each)}
        foreign = [each for each in others if each.node != self._name]
        return usable_pools(self._name, family, [*own, *foreign], disputed, named)

    def _named(self, source: Block | UUID | None) -> Block | None:
        """The pool that a call names, by its block or its id."""
        if source is None or isinstance(source, Block):
            return source
        found = named_ranges(self._tx, "r.`id` = ?", (source.bytes,))
        if not found:
            raise NotFound(
                [Failure("record.not_found", f"there is no range {source}", "/from")],
                hint="range.list tells which there are.",
            )
        return found[0].block

    def _is_disputed(self, pool: Range) -> bool:
        if pool.id not in self._disputed:
            self._disputed[pool.id] = is_disputed(self._tx, pool)
        return self._disputed[pool.id]


def _locked(tx: Transaction, pools: Sequence[Range]) -> list[Range]:
    """Those of the pools that are there still; they stay until the transaction ends."""
    if not pools:
        return []
    keys = [each.id.bytes for each in pools]
    still = {raw for (raw,) in tx.rows(_STILL.format(sql.marks(len(keys))), keys)}
    return [each for each in pools if each.id.bytes in still]
