"""Adding many ranges: all of them, or none where anything is in the way of one.

The lock is that of `adding`. What the new ranges may meet is read once: all pools, whatever is of
the same blocks. So it takes some statements for each five hundred ranges, and not some for each.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple
from uuid import UUID

from records.errors import Failure
from records.stamps import Version
from records.validation import Row
from records.values import RecordInfo
from service.methods.family_port import Added, NewRange
from service.ranges.bulk import judge
from service.ranges.errors import no_such_node
from service.ranges.values import Purpose, Range
from service.store import sql, writer
from service.store.diagnosis import Attempt, constraint_failures
from service.store.operations import Unfit
from service.store.ranges.adding import NO_RECORD, locked_node, new_row
from service.store.ranges.rows import KEYS_A_STATEMENT, named_ranges
from service.store.transaction import Transaction

_NODES = "SELECT `id`, `name` FROM `herdbook_herd_node`"


class Look(NamedTuple):
    """The rows to write, where they stood in the call, how many are there, and what is wrong."""

    rows: list[Row]
    numbers: list[int]
    there: int
    failures: list[Failure]

    @property
    def added(self) -> Added:
        """What comes of it where nothing is wrong."""
        return Added(len(self.rows), self.there)


@dataclass(frozen=True)
class AddRanges:
    """Ranges to write, unless something is in the way of any."""

    record: RecordInfo
    wanted: Sequence[NewRange]

    def attempt(self, tx: Transaction) -> Added:
        """Write those that are not there yet."""
        look = self.look(tx)
        if look.failures:
            raise Unfit
        writer.insert(tx, self.record, look.rows)
        return look.added

    def failures(self, tx: Transaction) -> list[Failure]:
        """Nodes that are not there, what is in the way, and what the constraints say."""
        look = self.look(tx)
        attempts = [Attempt(*each) for each in zip(look.numbers, look.rows, strict=True)]
        return look.failures or constraint_failures(tx, self.record, attempts)

    def look(self, tx: Transaction) -> Look:
        """What would be written, and all that is wrong."""
        own = locked_node(tx)
        ids = {str(name): raw for raw, name in tx.rows(_NODES)}
        names = [(own and own[1]) if each.node is None else each.node for each in self.wanted]
        failures = list(_no_nodes(names, ids))
        new = [
            _range(number, name or "", each)
            for number, (name, each) in enumerate(zip(names, self.wanted, strict=True))
        ]
        judged = judge(new, _present(tx, self.wanted))
        failures += [Failure(code, text, "/cidr", number) for number, code, text in judged.refused]
        rows = [
            new_row(self.record, self.wanted[number], ids.get(new[number].node))
            for number in judged.fresh
        ]
        return Look(rows, judged.fresh, len(judged.there), failures)


def _no_nodes(names: Iterable[str | None], ids: dict[str, bytes]) -> Iterator[Failure]:
    """A failure for each range whose node has no record."""
    for number, name in enumerate(names):
        if name is None or name not in ids:
            said = NO_RECORD if name is None else no_such_node(name, ids)
            yield Failure("record.not_found", said, "/node", number)


def _range(number: int, name: str, wanted: NewRange) -> Range:
    """A new range as the rules take it; they claim in the order of the call."""
    claim = Version(number, 0)
    return Range(UUID(int=number), name, wanted.block, Purpose(wanted.purpose), claim)


def _present(tx: Transaction, wanted: Sequence[NewRange]) -> Iterator[Range]:
    """All pools, and whatever has the block of a new range."""
    yield from named_ranges(tx, "r.`purpose` = 'pool'", ())
    to_database = tx.catalogue.records["range"].fields["cidr"].kind.to_database
    blocks = sorted({to_database(each.block.network) for each in wanted})
    for part in writer.chunks(blocks, KEYS_A_STATEMENT):
        where = f"r.`purpose` <> 'pool' AND r.`cidr` IN ({sql.marks(len(part))})"
        yield from named_ranges(tx, where, part)
