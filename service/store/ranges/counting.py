"""What is free of pools, read from the tables."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from uuid import UUID

from records.errors import Failure
from service.errors import Conflict, NotFound
from service.methods.family_port import FreeAsked, PoolFree
from service.ranges.allocation import free_of
from service.ranges.blocks import Block
from service.ranges.disputes import against
from service.ranges.errors import no_such_node
from service.ranges.values import Purpose, Range
from service.store.blocks import block_of
from service.store.ranges.adding import LIST_NODES, NO_RECORD
from service.store.ranges.rows import (
    POOLS_OF_NODE,
    holders,
    inside,
    named_ranges,
    node_names,
    pools_within,
)
from service.store.transaction import Transaction

_NODE = "SELECT `id` FROM `herdbook_herd_node` WHERE `name` = ?"
_OWN = "SELECT `record` FROM `herdbook_node` WHERE `only` = 1 AND `record` IS NOT NULL"
_WITHIN = "SELECT r.`cidr` FROM `herdbook_herd_range` AS r WHERE {0} ORDER BY r.`cidr`"


def free_in(tx: Transaction, asked: FreeAsked) -> list[PoolFree]:
    """What is free of the pools that are asked for, by block; see the port for what it raises."""
    pools = _pools_named(tx, asked.pool) if asked.pool is not None else _pools_of(tx, asked.node)
    return [_free(tx, pool, asked.most) for pool in sorted(pools, key=lambda each: each.block)]


def blocks_within(tx: Transaction, pool: Block) -> Iterator[Block]:
    """The blocks of all ranges within a pool, in order; the pool's own is among them."""
    condition, bounds = inside(pool)
    return (block_of(raw) for (raw,) in tx.rows(_WITHIN.format(condition), bounds))


def is_disputed(tx: Transaction, pool: Range) -> bool:
    """Whether an earlier claim of another node stands against a pool."""
    meeting = [*holders(tx, pool.block), *pools_within(tx, pool.block)]
    return against(pool, (each for each in meeting if each.purpose is Purpose.POOL)) is not None


def _pools_named(tx: Transaction, pool: Block | UUID) -> list[Range]:
    """The pools of a block, or of an id."""
    if isinstance(pool, UUID):
        found = named_ranges(tx, "r.`id` = ?", (pool.bytes,))
    else:
        found = [each for each in holders(tx, pool) if each.block == pool]
    pools = [each for each in found if each.purpose is Purpose.POOL]
    if not pools:
        raise Conflict([Failure("range.no_pool", f"there is no pool {pool}", "/pool")])
    return pools


def _pools_of(tx: Transaction, node: str | None) -> list[Range]:
    """The pools of a node, or of this one."""
    found = tx.rows(_OWN) if node is None else tx.rows(_NODE, (node,))
    if not found:
        said = NO_RECORD if node is None else no_such_node(node, node_names(tx).values())
        raise NotFound([Failure("record.not_found", said, "/node")], hint=LIST_NODES)
    return named_ranges(tx, POOLS_OF_NODE, found[0])


def _free(tx: Transaction, pool: Range, most: int) -> PoolFree:
    free = free_of(pool.block, blocks_within(tx, pool.block))
    told = tuple(islice(free, most))
    blocks, addresses = len(told), sum(each.size for each in told)
    for each in free:
        blocks, addresses = blocks + 1, addresses + each.size
    return PoolFree(pool, is_disputed(tx, pool), told, blocks, addresses)
