"""Brings deleted records back: an ordinary INSERT … SELECT from the graveyard, all or none.

With children also what one deletion took along: rows that died at the same moment and refer to each
other by references that cascade. Parents come first; references that lead in a circle are written
when all rows are there.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from records.catalogue import Catalogue
from records.errors import Failure
from records.relation import CASCADE
from records.validation import Key
from records.values import RecordInfo, ReferenceInfo
from schema.capture.columns import DIED
from schema.capture.triggers import TRIGGER_MODE
from service.methods.undo_port import Restored, graveyard
from service.store import restore_defaults, sql, writer
from service.store.deletion import children_first, released_circles
from service.store.operations import Unfit
from service.store.order import circle, layers
from service.store.reader import forgiving_decoder, select_by_keys
from service.store.restore_faults import faults
from service.store.transaction import Transaction

_TAKEN_ALONG = f"c.{sql.quoted(DIED)} = p.{sql.quoted(DIED)}"
_WHENEVER = "TRUE"
"""When children died whose parents are dead: together with them, or at any time."""


@dataclass
class Plan:
    """What comes back: keys by class, each with the key at the root of its deletion."""

    returning: dict[str, dict[Key, Key]] = field(default_factory=dict)


@dataclass(frozen=True)
class Restore:
    """Deleted records to bring back, perhaps with what went with them."""

    record: RecordInfo
    keys: Sequence[Key | None]
    children: bool

    def attempt(self, tx: Transaction) -> Restored:
        """Bring them all back."""
        wanted = [key for key in self.keys if key is not None]
        plan = self._plan(tx, wanted)
        if len(plan.returning[self.record.name]) < len(wanted):
            raise Unfit
        for name, returning in plan.returning.items():
            if restore_defaults.fill(tx, tx.catalogue.records[name], list(returning)):
                raise Unfit
        with _whatever_was_held(tx):
            _write(tx, plan)
        fields = tuple(self.record.fields)
        rows = select_by_keys(tx, self.record, wanted, fields, forgiving_decoder)
        return Restored([row or {} for row in rows], self._counts(plan, wanted))

    def failures(self, tx: Transaction) -> list[Failure]:
        """Records that live or are not kept, missing parents, and unique values that are taken."""
        plan = self._plan(tx, [key for key in self.keys if key is not None])
        return list(faults(tx, self.record, self.keys, plan.returning))

    def _plan(self, tx: Transaction, wanted: Sequence[Key]) -> Plan:
        """What of it lies in the graveyards."""
        found = select_by_keys(tx, graveyard(self.record), wanted, (DIED,))
        roots = [key for key, row in zip(wanted, found, strict=True) if row is not None]
        plan = Plan({self.record.name: {key: key for key in roots}})
        waiting = deque([(self.record, roots)] if self.children else [])
        while waiting:
            waiting.extend(_next_level(tx, plan, *waiting.popleft()))
        return plan

    def _counts(self, plan: Plan, wanted: Sequence[Key]) -> dict[str, int]:
        """How many came along, by class."""
        counts = {name: len(keys) for name, keys in plan.returning.items()}
        counts[self.record.name] -= len(wanted)
        return {name: count for name, count in counts.items() if count}


def _next_level(
    tx: Transaction, plan: Plan, parent: RecordInfo, keys: Sequence[Key]
) -> Iterator[tuple[RecordInfo, list[Key]]]:
    """Put the children that went with some parents into the plan; those that are new to it."""
    roots = plan.returning[parent.name]
    for child, reference in tx.catalogue.children_of(parent.name):
        if reference.on_delete != CASCADE:
            continue
        known = plan.returning.setdefault(child.name, {})
        fresh = []
        for key, parent_key in _dead_children(tx, child, reference, keys, _TAKEN_ALONG):
            if key not in known:
                known[key] = roots[parent_key]
                fresh.append(key)
        if fresh:
            yield child, fresh


def _dead_children(
    tx: Transaction,
    child: RecordInfo,
    reference: ReferenceInfo,
    parents: Sequence[Key],
    condition: str,
) -> Iterator[tuple[Key, Key]]:
    """The dead children `c` of some dead parents `p`, each with its parent's key.

    The parent's key is read from the parent, which the child may spell in another way.
    """
    parent = tx.catalogue.records[reference.target]
    pairs = zip(reference.fields, reference.target_fields, strict=True)
    matches = " AND ".join(
        f"c.{sql.column(child, here)} = p.{sql.column(parent, there)}" for here, there in pairs
    )
    own = [f"c.{sql.column(child, name)}" for name in child.key]
    theirs = [f"p.{sql.column(parent, name)}" for name in parent.key]
    for part in writer.chunks(parents, writer.ROWS_A_STATEMENT):
        wanted = ", ".join([sql.tuple_of(["?"] * len(theirs))] * len(part))
        rows = tx.rows(
            f"SELECT {', '.join((*own, *theirs))} "
            f"FROM {sql.quoted(graveyard(parent).table)} AS p "
            f"JOIN {sql.quoted(graveyard(child).table)} AS c "
            f"ON {matches} AND {condition} WHERE {sql.tuple_of(theirs)} IN ({wanted})",
            writer.key_parameters(parent, part),
        )
        for raw in rows:
            yield (
                writer.key_from_database(child, raw[: len(own)]),
                writer.key_from_database(parent, raw[len(own) :]),
            )


def _write(tx: Transaction, plan: Plan) -> None:
    """Parents first. A reference that leads in a circle is left open, and written in the end."""
    open_ones = set(_open_references(tx.catalogue, plan))
    for name in reversed(children_first(tx.catalogue, plan.returning)):
        record = tx.catalogue.records[name]
        steps, turning = _steps(tx, record, list(plan.returning[name]))
        open_ones |= {(name, reference) for reference in turning}
        left_open = {reference for owner, reference in open_ones if owner == name}
        for keys in steps:
            _insert(tx, record, keys, left_open)
    for name, reference in sorted(open_ones):
        record = tx.catalogue.records[name]
        _refer(tx, record, record.references[reference], list(plan.returning[name]))


def _open_references(catalogue: Catalogue, plan: Plan) -> Iterator[tuple[str, str]]:
    """The references by which classes of the plan lead to each other in a circle."""
    for name, reference in released_circles(catalogue, plan.returning):
        if catalogue.records[name].references[reference].target != name:
            yield name, reference


def _steps(
    tx: Transaction, record: RecordInfo, keys: list[Key]
) -> tuple[list[list[Key]], list[str]]:
    """The rows of a class in steps, each after those it refers to.

    And the references that must be left open because rows refer to each other in a circle.
    """
    own = [info for info in record.references.values() if info.target == record.name]
    if not own or len(keys) < 2:
        return [keys], []
    above: dict[Key, set[Key]] = {key: set() for key in keys}
    for info in own:
        for key, parent_key in _dead_children(tx, record, info, keys, _WHENEVER):
            if key in above and key != parent_key:
                above[key].add(parent_key)
    if circle(above) is None:
        return [list(step) for step in layers(above)], []
    return [keys], [info.name for info in own if info.allow_none]


def _insert(tx: Transaction, record: RecordInfo, keys: Sequence[Key], left_open: set[str]) -> None:
    """Copy dead rows into their table, as they are; raises Unfit where one is gone meanwhile."""
    without = {name for part in left_open for name in record.references[part].fields}
    columns = sql.columns(record, record.fields)
    values = ", ".join(
        "NULL" if name in without and name not in record.key else sql.column(record, name)
        for name in record.fields
    )
    for part in writer.chunks(keys, writer.ROWS_A_STATEMENT):
        touched = tx.execute(
            f"INSERT INTO {sql.quoted(record.table)} ({columns}) SELECT {values} "
            f"FROM {sql.quoted(graveyard(record).table)} "
            f"WHERE {sql.among(record, record.key, len(part))}",
            writer.key_parameters(record, part),
        )
        if touched != len(part):
            raise Unfit


def _refer(
    tx: Transaction, record: RecordInfo, reference: ReferenceInfo, keys: Sequence[Key]
) -> None:
    """Write the references that were left open."""
    pairs = [sql.column(record, name) for name in reference.fields]
    assigned = ", ".join(f"alive.{name} = dead.{name}" for name in pairs)
    names = [sql.column(record, name) for name in record.key]
    same = " AND ".join(f"alive.{name} = dead.{name}" for name in names)
    wanted = sql.tuple_of([f"alive.{name}" for name in names])
    for part in writer.chunks(keys, writer.ROWS_A_STATEMENT):
        marks = ", ".join([sql.tuple_of(["?"] * len(names))] * len(part))
        tx.execute(
            f"UPDATE {sql.quoted(record.table)} AS alive "
            f"JOIN {sql.quoted(graveyard(record).table)} AS dead ON {same} "
            f"SET {assigned} WHERE {wanted} IN ({marks})",
            writer.key_parameters(record, part),
        )


@contextmanager
def _whatever_was_held(tx: Transaction) -> Iterator[None]:
    """The session takes values that only a lax one may have written."""
    ((usual,),) = tx.rows("SELECT @@SESSION.sql_mode")
    tx.execute("SET SESSION sql_mode = ?", (TRIGGER_MODE,))
    try:
        yield
    finally:
        # The connection goes on to serve others. One that is lost is made anew, as it should be.
        tx.execute("SET SESSION sql_mode = ?", (usual,))
