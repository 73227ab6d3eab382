"""The writes that take records away, or move children from one parent to another."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from records.errors import Failure
from records.validation import Key, Row, key_to_json
from records.values import RecordInfo, ReferenceInfo
from service.methods.ports import Child, Existing, New
from service.store import deletion, sql, writer
from service.store.diagnosis import Attempt, constraint_failures
from service.store.operations import Unfit, absent, locked_rows, write_all
from service.store.transaction import Transaction


@dataclass(frozen=True)
class Delete:
    """Records to delete, with what their children's references say."""

    record: RecordInfo
    keys: Sequence[Key | None]

    def attempt(self, tx: Transaction) -> int:
        """Delete them all; how many."""
        found, plan = self._plan(tx)
        if any(self._refusals(tx, found, plan)):
            raise Unfit
        deletion.carry_out(tx, plan)
        return len(found)

    def failures(self, tx: Transaction) -> list[Failure]:
        """Records that are not there, and those that are held by others."""
        return list(self._refusals(tx, *self._plan(tx)))

    def _plan(self, tx: Transaction) -> tuple[list[Key], deletion.Plan]:
        """The records that are there, locked, and what goes with them."""
        wanted = list(dict.fromkeys(key for key in self.keys if key is not None))
        found = list(locked_rows(tx, self.record, wanted))
        return found, deletion.plan_deletion(tx, self.record, found)

    def _refusals(
        self, tx: Transaction, found: list[Key], plan: deletion.Plan
    ) -> Iterator[Failure]:
        """What is wrong."""
        yield from absent(self.record, self.keys, found)
        yield from deletion.refusals(tx, plan, self.record, self.keys)


@dataclass(frozen=True)
class Family:
    """A parent, and the reference by which children name it."""

    parent: RecordInfo
    child: RecordInfo
    reference: ReferenceInfo
    key: Key

    def missing_parent(self, tx: Transaction) -> Iterator[Failure]:
        """A failure, without an index, if the parent is not there; else it is locked."""
        parent = self.parent
        found = tx.rows(
            f"SELECT {sql.columns(parent, parent.key)} FROM {sql.quoted(parent.table)} "
            f"WHERE {sql.among(parent, parent.key, 1)} LOCK IN SHARE MODE",
            writer.key_parameters(parent, [self.key]),
        )
        # The server may take another key for the same, by the collation of a text.
        if self.key not in (writer.key_from_database(parent, row) for row in found):
            shown = key_to_json(parent, self.key)
            yield Failure("record.not_found", f"there is no {parent.name} {shown}")

    def children(self, tx: Transaction, keys: Sequence[Key] | None) -> list[Key]:
        """The keys of those children of the parent that are among `keys`, or of all; locked."""
        if keys is None:
            return list(self._locked_children(tx, ()))
        wanted = set(keys)
        return [
            key
            for part in writer.chunks(keys, writer.ROWS_A_STATEMENT)
            for key in self._locked_children(tx, part)
            if key in wanted
        ]

    def _locked_children(self, tx: Transaction, keys: Sequence[Key]) -> Iterator[Key]:
        """The keys of the parent's children: of those given, or if none are given of all."""
        child, fields = self.child, self.reference.fields
        index, chosen = "", ""
        if keys:
            index = "FORCE INDEX (PRIMARY) "
            chosen = f"{sql.among(child, child.key, len(keys))} AND "
        rows = tx.rows(
            f"SELECT {sql.columns(child, child.key)} FROM {sql.quoted(child.table)} {index}"
            f"WHERE {chosen}{sql.among(child, fields, 1)} FOR UPDATE",
            [
                *writer.key_parameters(child, keys),
                *writer.key_parameters(self.parent, [self.key]),
            ],
        )
        return (writer.key_from_database(child, row) for row in rows)

    def holds(self, row: Row) -> bool:
        """Whether a child names this parent, to the letter."""
        return tuple(row[name] for name in self.reference.fields) == self.key

    def link(self) -> Row:
        """The values by which a child names the parent."""
        return dict(zip(self.reference.fields, self.key, strict=True))


@dataclass(frozen=True)
class Add:
    """Children to move to a parent, or to create there."""

    family: Family
    children: Sequence[Child]
    faulty: frozenset[int | None] = frozenset()

    @property
    def record(self) -> RecordInfo:
        """The children's class."""
        return self.family.child

    def attempt(self, tx: Transaction) -> list[Row]:
        """Write them all; the children as they are then."""
        attempts, refused = self._attempts(tx)
        if refused:
            raise Unfit
        write_all(tx, self.record, attempts)
        return [one.after for one in attempts]

    def failures(self, tx: Transaction) -> list[Failure]:
        """A missing parent, missing children, and what the constraints say."""
        attempts, refused = self._attempts(tx)
        if any(failure.index is None for failure in refused):
            return refused
        return [*refused, *constraint_failures(tx, self.record, attempts)]

    def _attempts(self, tx: Transaction) -> tuple[list[Attempt], list[Failure]]:
        """What each child becomes, and what is wrong before any constraint is asked."""
        keys = [child.key if isinstance(child, Existing) else None for child in self.children]
        found = locked_rows(tx, self.record, [key for key in keys if key is not None])
        refused = [*self.family.missing_parent(tx), *absent(self.record, keys, found)]
        attempts = []
        for index, child in enumerate(self.children):
            if isinstance(child, New):
                attempts.append(Attempt(index, child.row, whole=index not in self.faulty))
            elif child.key in found:
                attempts.append(self._moved(index, child.key, found[child.key]))
        return attempts, refused

    def _moved(self, index: int, key: Key, row: Row) -> Attempt:
        """An existing child that comes to this parent; one that is there already stays as it is."""
        return Attempt(index, {} if self.family.holds(row) else self.family.link(), key, row)


@dataclass(frozen=True)
class Remove:
    """Children to let go of, or to delete. `keys` is None for all of them."""

    family: Family
    keys: Sequence[Key | None] | None
    delete: bool

    @property
    def record(self) -> RecordInfo:
        """The children's class."""
        return self.family.child

    def attempt(self, tx: Transaction) -> int:
        """Let go of them all; how many."""
        keys, refused = self._children(tx)
        if refused:
            raise Unfit
        if self.delete:
            return Delete(self.record, keys).attempt(tx)
        writer.set_null(tx, self.record, self.family.reference, keys)
        return len(keys)

    def failures(self, tx: Transaction) -> list[Failure]:
        """A missing parent, records that are no children of it, and those held by others."""
        keys, refused = self._children(tx)
        if self.delete:
            plan = deletion.plan_deletion(tx, self.record, keys)
            named = keys if self.keys is None else self.keys
            held = deletion.refusals(tx, plan, self.record, named)
            # Whoever names no children is told of none by number.
            refused += [replace(one, index=None) for one in held] if self.keys is None else held
        return refused

    def _children(self, tx: Transaction) -> tuple[list[Key], list[Failure]]:
        """The parent's children that are meant, locked, and what is wrong with the others."""
        refused = list(self.family.missing_parent(tx))
        if self.keys is None:
            return self.family.children(tx, None), refused
        wanted = list(dict.fromkeys(key for key in self.keys if key is not None))
        own = self.family.children(tx, wanted)
        return own, [*refused, *absent(self.record, self.keys, own)]
