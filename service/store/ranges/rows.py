"""Ranges as values, from the tables.

A range's claim is the version of its birth, which the row keeps: its stamp as long as nothing of it
was changed, then the beginning of its clock. Merging keeps births, so all nodes read the same. What
came of ranges that were split or merged has a claim from before its birth, in a column.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

from records.kinds.network import CidrKind
from records.stamps import Version
from schema.capture.clock import clock_of
from schema.capture.columns import CLOCK, ORIGIN, STAMP, VERSION_BYTES
from service.ranges.blocks import Block
from service.ranges.values import Purpose, Range
from service.store import sql
from service.store.blocks import around, block_of, within
from service.store.transaction import Transaction
from service.store.writer import chunks

KEYS_A_STATEMENT = 500

_CIDR = CidrKind()
_CLAIM = f"r.`{STAMP}`, r.`{ORIGIN}`, COALESCE(r.`claim`, LEFT(r.`{CLOCK}`, {VERSION_BYTES}))"
# Ranges first: MariaDB would go through all ranges of each node instead, since there are few nodes.
_NAMED = (
    f"SELECT r.`id`, n.`name`, r.`cidr`, r.`purpose`, {_CLAIM} FROM `herdbook_herd_range` AS r "
    "STRAIGHT_JOIN `herdbook_herd_node` AS n ON n.`id` = r.`node_id` WHERE "
)
_PLAIN = (
    f"SELECT r.`id`, r.`node_id`, r.`cidr`, r.`purpose`, {_CLAIM} FROM `herdbook_herd_range` AS r"
)

# COALESCE keeps the servers from the index of the node, which has all that it ever gave out.
POOLS_OF_NODE = "r.`purpose` = 'pool' AND COALESCE(r.`node_id`) = ?"
"""A condition for `named_ranges`; its parameter is the id of the node."""


def named_ranges(tx: Transaction, where: str, parameters: Sequence[object]) -> list[Range]:
    """The ranges `r` of nodes `n` that a condition is true of, with the names of their nodes."""
    return [_range(raw, str(raw[1])) for raw in tx.rows(_NAMED + where, parameters)]


def holders(tx: Transaction, block: Block) -> list[Range]:
    """All ranges that hold a block, those of the same block among them."""
    keys = around(block.network)
    return named_ranges(tx, f"r.`cidr` IN ({sql.marks(len(keys))})", keys)


def pools_within(tx: Transaction, block: Block) -> list[Range]:
    """All pools that a block holds."""
    condition, bounds = inside(block)
    return named_ranges(tx, f"r.`purpose` = 'pool' AND ({condition})", bounds)


def inside(block: Block) -> tuple[str, list[bytes]]:
    """The condition that a range `r` lies in a block, and its parameters."""
    spans = within(_CIDR, block.network)
    condition = " OR ".join(["r.`cidr` BETWEEN ? AND ?"] * len(spans))
    return condition, [bound for span in spans for bound in span]


def all_ranges(tx: Transaction) -> list[Range]:
    """Every range there is. Here, and in `ranges_with`, the id of a node stands for its name."""
    return [_range(raw, node_text(raw[1])) for raw in tx.rows(_PLAIN)]


def ranges_with(tx: Transaction, ids: Iterable[UUID]) -> list[Range]:
    """Those with these ids that are there."""
    found: list[Range] = []
    for part in chunks([each.bytes for each in ids], KEYS_A_STATEMENT):
        statement = f"{_PLAIN} WHERE r.`id` IN ({sql.marks(len(part))})"
        found += [_range(raw, node_text(raw[1])) for raw in tx.rows(statement, part)]
    return found


def node_names(tx: Transaction) -> dict[str, str]:
    """The names of all nodes, by their ids as texts."""
    rows = tx.rows("SELECT `id`, `name` FROM `herdbook_herd_node`")
    return {node_text(raw): str(name) for raw, name in rows}


def node_text(raw: bytes) -> str:
    """The id of a node as a text."""
    return str(UUID(bytes=raw))


def _range(raw: Sequence[Any], node: str) -> Range:
    identity, _node, cidr, purpose, stamp, origin, born = raw
    claim = Version(*clock_of(born, int(stamp), int(origin)).born)
    return Range(UUID(bytes=identity), node, block_of(cidr), Purpose(purpose), claim)
