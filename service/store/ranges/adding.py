"""Adding a range: what is in the way is looked for under a lock, then the range is written.

Whoever adds one, or gives one out, locks the row of `herdbook_node` first, so that of two calls
that want the same block the second finds what the first has written. What comes from siblings does
not wait for that: such claims may exclude each other anyway.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from records.errors import Failure
from records.stamps import NEVER
from records.validation import Row
from records.values import RecordInfo
from service.methods.family_port import NewRange
from service.ranges.disputes import refuse_clash
from service.ranges.errors import BlocksRefused, no_such_node
from service.ranges.values import Purpose, Range
from service.store import writer
from service.store.diagnosis import Attempt, constraint_failures
from service.store.operations import Unfit
from service.store.ranges.rows import holders, node_names, pools_within
from service.store.transaction import Transaction

_LOCK = "SELECT `record` FROM `herdbook_node` WHERE `only` = 1 FOR UPDATE"
_NAMED = "SELECT `id`, `name` FROM `herdbook_herd_node` WHERE `name` = ?"
_OWN = "SELECT `id`, `name` FROM `herdbook_herd_node` WHERE `id` = ?"

NO_RECORD = (
    "this node has no record of its own, so say which node the block is for. It gets one when it "
    "starts with [herd] listen or siblings, unless another node has its name"
)

LIST_NODES = "node.list tells which there are."


def locked_node(tx: Transaction, name: str | None = None) -> tuple[bytes, str] | None:
    """The id and the name of a node, or of this one; None where it has no record.

    Nobody else adds ranges in this database from then on until the transaction ends. What it reads
    first must be this: so it reads what was committed before.
    """
    ((own,),) = tx.rows(_LOCK)
    found = tx.rows(_OWN, (own,)) if name is None else tx.rows(_NAMED, (name,))
    return (found[0][0], str(found[0][1])) if found else None


@dataclass(frozen=True)
class AddRange:
    """A range to write, unless something is in the way."""

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
        """A node that is not there, what is in the way, and what the constraints say."""
        row, refused = self._look(tx)
        return refused or constraint_failures(tx, self.record, [Attempt(0, row)])

    def _look(self, tx: Transaction) -> tuple[Row, list[Failure]]:
        """The row as it would be, and what is wrong with it."""
        node = locked_node(tx, self.wanted.node)
        row = new_row(self.record, self.wanted, None if node is None else node[0])
        name = (self.wanted.node or "") if node is None else node[1]
        no_node = self._no_node(tx) if node is None else ()
        return row, [*no_node, *self._in_the_way(tx, row, name)]

    def _no_node(self, tx: Transaction) -> Iterator[Failure]:
        """What to say where the node has no record."""
        node = self.wanted.node
        said = NO_RECORD if node is None else no_such_node(node, node_names(tx).values())
        yield Failure("record.not_found", said, "/node")

    def _in_the_way(self, tx: Transaction, row: Row, name: str) -> Iterator[Failure]:
        """What to say of what is in the way."""
        block, purpose = self.wanted.block, Purpose(self.wanted.purpose)
        present = holders(tx, block)
        if purpose is Purpose.POOL:
            present += pools_within(tx, block)
        try:
            refuse_clash(Range(row["id"], name, block, purpose, NEVER), present)
        except BlocksRefused as refused:
            yield Failure(refused.code, refused.message, "/cidr")


def new_row(record: RecordInfo, wanted: NewRange, node: Any) -> Row:
    """The whole row of a new range; `node` is the node's id as the database has it."""
    values = {
        "node_id": None if node is None else record.fields["node_id"].kind.from_database(node),
        "cidr": wanted.block.network,
        "purpose": wanted.purpose,
        "note": wanted.note,
    }
    return {each: info.new_value() for each, info in record.fields.items()} | values
