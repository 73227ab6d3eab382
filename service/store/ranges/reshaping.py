"""Splitting a range and merging several, each in one transaction.

The old ranges are deleted and the new ones written. A sibling that has heard of a part and not yet
that the whole is gone takes the part for disputed, since its id is the later. The lock is that of
`adding`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple
from uuid import UUID

from records.errors import Failure, ValueRefused
from records.validation import Key, Row
from records.values import RecordInfo
from schema.capture.clock import Version as Written
from service.methods.family_port import NewRange, WantedMerge, WantedSplit
from service.ranges import reshaping
from service.ranges.blocks import Block
from service.ranges.errors import BlocksRefused, no_such_node
from service.ranges.values import Purpose, Range
from service.store import writer
from service.store.operations import Unfit, locked_rows
from service.store.ranges.adding import locked_node, new_row
from service.store.ranges.rows import holders, inside, named_ranges
from service.store.transaction import Transaction

_IDS = "SELECT `id`, `name` FROM `herdbook_herd_node`"
_PLACES = {"range.no_part": "/give", "range.split": "/length", "range.too_many": "/length"}


class Plan(NamedTuple):
    """The keys of the ranges that go, the rows that take their place, and what is wrong."""

    keys: list[Key]
    rows: list[Row]
    failures: list[Failure]


@dataclass(frozen=True)
class Reshape:
    """Ranges that others take the place of, as a plan says that is made under the lock."""

    record: RecordInfo
    plan: Callable[[Transaction, RecordInfo], Plan]

    def attempt(self, tx: Transaction) -> list[Row]:
        """Delete those that go, write the others; the new rows."""
        plan = self.plan(tx, self.record)
        if plan.failures:
            raise Unfit
        writer.delete(tx, self.record, plan.keys)
        writer.insert(tx, self.record, plan.rows)
        return plan.rows

    def failures(self, tx: Transaction) -> list[Failure]:
        """What is wrong."""
        return self.plan(tx, self.record).failures


def split_plan(wanted: WantedSplit) -> Callable[[Transaction, RecordInfo], Plan]:
    """The plan of splitting one range."""

    def plan(tx: Transaction, record: RecordInfo) -> Plan:
        own = locked_node(tx)
        found = _found(tx, record, [wanted.source], "/range")
        if found.failures:
            return found.refused
        ((whole, row),) = found.ranges
        try:
            reshaping.refuse_elsewhere(whole, own and own[1])
            reshaping.refuse_disputed(whole, holders(tx, whole.block))
            parts = reshaping.split(whole, wanted.length, wanted.given)
        except BlocksRefused as refused:
            return _refused(refused, _PLACES.get(refused.code, "/range"))
        return _plan(tx, record, [whole], parts, row["note"], "/give")

    return plan


def merge_plan(wanted: WantedMerge) -> Callable[[Transaction, RecordInfo], Plan]:
    """The plan of merging some ranges."""

    def plan(tx: Transaction, record: RecordInfo) -> Plan:
        own = locked_node(tx)
        found = _found(tx, record, wanted.sources, "/ranges")
        if found.failures:
            return found.refused
        parts = [each for each, _row in found.ranges]
        try:
            whole = reshaping.merge(parts)
            reshaping.refuse_elsewhere(whole, own and own[1])
        except BlocksRefused as refused:
            return _refused(refused, "/ranges")
        note = wanted.note or _joined([row["note"] for _each, row in found.ranges])
        made = _plan(tx, record, parts, [whole], note, "/ranges")
        return made._replace(failures=[*made.failures, *_too_long(record, note)])

    return plan


class _Found(NamedTuple):
    """Ranges with their rows, locked; or what is wrong."""

    ranges: list[tuple[Range, Row]]
    failures: list[Failure]

    @property
    def refused(self) -> Plan:
        """The plan that says only what is wrong."""
        return Plan([], [], self.failures)


def _found(
    tx: Transaction, record: RecordInfo, sources: Sequence[Block | UUID], place: str
) -> _Found:
    """The ranges that are named."""
    named: dict[UUID, Range] = {}
    failures: list[Failure] = []
    for source in sources:
        some = _named(tx, source)
        if len(some) == 1:
            named[some[0].id] = some[0]
        elif not some:
            failures.append(Failure("record.not_found", f"there is no range {source}", place))
        else:
            listed = ", ".join(f"{each} ({each.id})" for each in some[:5])
            said = f"{source} is {len(some)} ranges, so name one by its id: {listed}"
            failures.append(Failure("range.ambiguous", said, place))
    rows = locked_rows(tx, record, [(each,) for each in named])
    gone = [each for each in named if (each,) not in rows]
    failures += [Failure("record.not_found", f"there is no range {e}", place) for e in gone]
    return _Found([(each, rows.get((key,), {})) for key, each in named.items()], failures)


def _named(tx: Transaction, source: Block | UUID) -> list[Range]:
    """The ranges of an id or a block."""
    if isinstance(source, UUID):
        return named_ranges(tx, "r.`id` = ?", (source.bytes,))
    return [each for each in holders(tx, source) if each.block == source]


def _plan(
    tx: Transaction,
    record: RecordInfo,
    before: Sequence[Range],
    after: Sequence[Range],
    note: str | None,
    place: str,
) -> Plan:
    """Some ranges in the place of others, and what is in the way."""
    ids = {str(name): raw for raw, name in tx.rows(_IDS)}
    missing = sorted({each.node for each in after} - ids.keys())
    failures = [Failure("record.not_found", no_such_node(name, ids), place) for name in missing]
    found = reshaping.clashes(before, after, _present(tx, before, after))
    failures += [Failure(code, said, place) for code, said in found]
    rows = [_row(record, each, note, ids.get(each.node)) for each in after]
    return Plan([(each.id,) for each in before], rows, failures)


def _present(tx: Transaction, before: Sequence[Range], after: Sequence[Range]) -> Iterator[Range]:
    """All ranges that the new ones may meet: around and within the block that holds them all."""
    outer = min((each.block for each in (*before, *after)), key=lambda block: block.length)
    yield from holders(tx, outer)
    condition, bounds = inside(outer)
    purposes = sorted({str(Purpose.POOL), str(after[0].purpose)})
    marks = ", ".join("?" * len(purposes))
    where = f"r.`cidr` <> ? AND r.`purpose` IN ({marks}) AND ({condition})"
    cidr = tx.catalogue.records["range"].fields["cidr"].kind.to_database(outer.network)
    yield from named_ranges(tx, where, (cidr, *purposes, *bounds))


def _row(record: RecordInfo, new: Range, note: str | None, node: Any) -> Row:
    """The whole row of a range that keeps a claim."""
    wanted = NewRange(None, new.block, str(new.purpose), note)
    return new_row(record, wanted, node) | {"claim": Written(*new.claim).as_bytes}


def _joined(notes: Sequence[str | None]) -> str | None:
    """All notes, each once."""
    return "; ".join(dict.fromkeys(each for each in notes if each)) or None


def _too_long(record: RecordInfo, note: str | None) -> Iterator[Failure]:
    """A failure where the notes of all are more than one range can have."""
    try:
        record.fields["note"].kind.check(note or "")
    except ValueRefused as refused:
        said = f"the notes of all together: {refused.message}; name one for all"
        yield Failure(refused.code, said, "/note")


def _refused(refused: BlocksRefused, place: str) -> Plan:
    return Plan([], [], [Failure(refused.code, refused.message, place)])
