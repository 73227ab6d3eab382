"""Adding a range: the block in the way is looked for under a lock, then the range is written.

Whoever adds one locks the row of `herdbook_node` first, so that of two calls that want the same
block the second finds what the first has written. What comes from siblings does not wait for that:
such claims may overlap anyway.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from records.catalogue import Catalogue
from records.errors import Failure
from records.kinds.network import holders_of, spans_within
from records.validation import Row
from records.values import RecordInfo
from service.herd.blocks import HERD_WIDE, Claim, in_the_way
from service.methods.family_port import NewRange
from service.store import sql, writer
from service.store.attempts import written
from service.store.diagnosis import Attempt, constraint_failures
from service.store.operations import Unfit
from service.store.threads import Lane
from service.store.transaction import Transaction

_LOCK = "SELECT `record` FROM `herdbook_node` WHERE `only` = 1 FOR UPDATE"
_NAMED = "SELECT `id`, `name` FROM `herdbook_herd_node` WHERE `name` = ?"
_OWN = "SELECT `id`, `name` FROM `herdbook_herd_node` WHERE `id` = ?"
_TOUCHING = (
    "SELECT n.`name`, r.`cidr` FROM `herdbook_herd_range` AS r "
    "JOIN `herdbook_herd_node` AS n ON n.`id` = r.`node_id` "
    "WHERE r.`purpose` = ? AND ({0}) AND {1} ORDER BY r.`cidr` LIMIT 1"
)

_NO_RECORD = (
    "this node has no record of its own, so say which node the block is for. It gets one when it "
    "starts with [herd] listen or siblings, unless another node has its name"
)


@dataclass(frozen=True)
class AddRange:
    """A range to write, unless a block is in the way."""

    record: RecordInfo
    wanted: NewRange

    def attempt(self, tx: Transaction) -> Row:
        """Write it; its row."""
        row, refused = self._look(tx)
        if refused:
            raise Unfit
        writer.insert(tx, self.record, [row])
        return row

    def failures(self, tx: Transaction) -> list[Failure]:
        """A node that is not there, the block in the way, and what the constraints say."""
        row, refused = self._look(tx)
        return refused or constraint_failures(tx, self.record, [Attempt(0, row)])

    def _look(self, tx: Transaction) -> tuple[Row, list[Failure]]:
        """The row as it would be, and what is wrong with it."""
        ((own,),) = tx.rows(_LOCK)
        node = self.wanted.node
        found = tx.rows(_OWN, (own,)) if node is None else tx.rows(_NAMED, (node,))
        raw, name = found[0] if found else (None, node)
        values = {
            "node_id": None if raw is None else self._kind("node_id").from_database(raw),
            "cidr": self.wanted.block,
            "purpose": self.wanted.purpose,
            "note": self.wanted.note,
        }
        row = {each: info.new_value() for each, info in self.record.fields.items()} | values
        return row, [*self._no_node(bool(found)), *self._in_the_way(tx, raw, str(name or ""))]

    def _no_node(self, is_there: bool) -> Iterator[Failure]:
        """What to say where the node has no record."""
        if not is_there:
            node = self.wanted.node
            said = _NO_RECORD if node is None else f"there is no node {node[:100]!r}"
            yield Failure("record.not_found", said, "/node")

    def _in_the_way(self, tx: Transaction, node: Any, name: str) -> Iterator[Failure]:
        """What to say of a block that is in the way."""
        wanted = Claim(name, self.wanted.purpose, self.wanted.block)
        found = in_the_way(wanted, self._touching(tx, node))
        if found is not None:
            said = f"{wanted.block} overlaps {found}"
            yield Failure("range.overlaps", said, "/cidr")

    def _touching(self, tx: Transaction, node: Any) -> Iterator[Claim]:
        """The first of the claims for this purpose that share addresses with the block."""
        kind, block = self._kind("cidr"), self.wanted.block
        holders = list(map(kind.to_database, holders_of(block)))
        spans = [bound for span in spans_within(block) for bound in span]
        shares = " OR ".join(
            [f"r.`cidr` IN ({sql.marks(len(holders))})"]
            + ["r.`cidr` BETWEEN ? AND ?"] * (len(spans) // 2)
        )
        everywhere = self.wanted.purpose in HERD_WIDE
        whose, ids = ("TRUE", ()) if everywhere else ("r.`node_id` = ?", (node,))
        parameters = (self.wanted.purpose, *holders, *spans, *ids)
        for name, cidr in tx.rows(_TOUCHING.format(shares, whose), parameters):
            yield Claim(str(name), self.wanted.purpose, kind.from_database(cidr))

    def _kind(self, field: str) -> Any:
        return self.record.fields[field].kind


class StoredRanges:
    """Implements `service.methods.family_port.Ranges` on MySQL."""

    def __init__(self, catalogue: Catalogue, writing: Lane) -> None:
        self._record = catalogue.records["range"]
        self._writing = writing

    async def add(self, wanted: NewRange) -> Row:
        """See the port."""
        return await written(self._writing, AddRange(self._record, wanted), ())
