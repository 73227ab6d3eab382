"""The writes that the methods ask for, each as a unit of work.

Every operation has two sides: `attempt`, which writes and is right as long as nothing is wrong, and
`failures`, which finds everything that is wrong and whose writes are undone. `attempt` raises
Unfit where it sees that something is wrong; the constraints of the tables see the rest.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

from MySQLdb import Error as DriverError

from records.errors import Failure
from records.validation import (
    Key,
    Parsed,
    Row,
    complete,
    incomplete_references,
    key_of,
    key_to_json,
    whole_key,
)
from records.values import RecordInfo
from service.methods.ports import Change
from service.store import sql, writer
from service.store.database import error_number
from service.store.diagnosis import Attempt, constraint_failures, in_order
from service.store.transaction import Transaction

DUPLICATE = 1062
"""ER_DUP_ENTRY"""

Result_co = TypeVar("Result_co", covariant=True)


class Unfit(Exception):
    """Something is wrong with the write; `failures` of the operation tells what."""


class Operation(Protocol[Result_co]):
    """A write with its two sides."""

    @property
    def record(self) -> RecordInfo:
        """The class that is written."""
        ...

    def attempt(self, tx: Transaction) -> Result_co:
        """Write; raises Unfit or the driver's errors where something is wrong."""
        ...

    def failures(self, tx: Transaction) -> list[Failure]:
        """Everything that is wrong. Writes, so the transaction must be undone."""
        ...


@dataclass(frozen=True)
class Create:
    """New rows. Those with an index in `faulty` are not whole."""

    record: RecordInfo
    rows: Sequence[Row]
    faulty: frozenset[int | None] = frozenset()

    def attempt(self, tx: Transaction) -> None:
        """Write them all."""
        writer.insert(tx, self.record, self.rows)

    def failures(self, tx: Transaction) -> list[Failure]:
        """What the constraints say."""
        attempts = [
            Attempt(index, row, whole=index not in self.faulty)
            for index, row in enumerate(self.rows)
        ]
        return constraint_failures(tx, self.record, attempts)


@dataclass(frozen=True)
class Update:
    """Changes to existing rows."""

    record: RecordInfo
    changes: Sequence[Change]
    faulty: frozenset[int | None] = frozenset()

    def attempt(self, tx: Transaction) -> list[Row]:
        """Write them all; the rows as they are then."""
        found = locked_rows(tx, self.record, _keys(self.changes))
        if len(found) < len(self.changes):
            raise Unfit
        attempts = self._attempts(found)
        if half_references(self.record, attempts):
            raise Unfit
        write_all(tx, self.record, attempts)
        return [one.after for one in attempts]

    def failures(self, tx: Transaction) -> list[Failure]:
        """Records that are not there, half references, and what the constraints say."""
        found = locked_rows(tx, self.record, _keys(self.changes))
        keys = [change.key for change in self.changes]
        attempts = self._attempts(found)
        return [
            *absent(self.record, keys, found),
            *half_references(self.record, attempts),
            *constraint_failures(tx, self.record, attempts),
        ]

    def _attempts(self, found: dict[Key, Row]) -> list[Attempt]:
        """The changes to rows that are there."""
        return [
            Attempt(index, change.values, change.key, found[change.key], index not in self.faulty)
            for index, change in enumerate(self.changes)
            if change.key in found
        ]


@dataclass(frozen=True)
class Upsert:
    """Rows that are changed where their key is there, and created where it is not."""

    record: RecordInfo
    parsed: Sequence[Parsed]

    def attempt(self, tx: Transaction) -> list[Row]:
        """Write them all; the rows as they are then."""
        attempts, refused = self._attempts(tx)
        if refused:
            raise Unfit
        write_all(tx, self.record, attempts)
        return [one.after for one in attempts]

    def failures(self, tx: Transaction) -> list[Failure]:
        """What new records lack, and what the constraints say."""
        attempts, refused = self._attempts(tx)
        return [*refused, *constraint_failures(tx, self.record, attempts)]

    def _attempts(self, tx: Transaction) -> tuple[list[Attempt], list[Failure]]:
        """What each becomes, and what is wrong with those that are new."""
        keys = [whole_key(self.record, one.values) for one in self.parsed]
        found = locked_rows(tx, self.record, [key for key in keys if key is not None])
        attempts, refused = [], []
        for index, (key, one) in enumerate(zip(keys, self.parsed, strict=True)):
            if key is not None and key in found:
                values = {
                    name: part for name, part in one.values.items() if name not in self.record.key
                }
                attempts.append(Attempt(index, values, key, found[key], not one.failures))
            else:
                new = complete(self.record, one, index)
                refused += new.failures
                attempts.append(Attempt(index, new.values, whole=not new.failures))
        return attempts, refused + half_references(self.record, attempts)


def half_references(record: RecordInfo, attempts: Iterable[Attempt]) -> list[Failure]:
    """A failure for each existing row that a change would leave with a part of a parent's key."""
    fields = {name for info in record.references.values() for name in info.fields}
    return [
        failure
        for attempt in attempts
        if attempt.key is not None and fields & attempt.values.keys()
        for failure in incomplete_references(record, attempt.after, attempt.index)
    ]


def write_all(tx: Transaction, record: RecordInfo, attempts: Sequence[Attempt]) -> None:
    """Create the new rows and change the others.

    All at once; where the server finds a unique value taken, one after the other, since a row
    before it may have given the value up.
    """
    if len(attempts) < 2:
        _write_sets(tx, record, attempts)
        return
    tx.execute("SAVEPOINT all_at_once")
    try:
        _write_sets(tx, record, attempts)
    except DriverError as error:
        if error_number(error) != DUPLICATE:
            raise
        tx.execute("ROLLBACK TO SAVEPOINT all_at_once")
        for attempt in in_order(tx, record, attempts):
            _write_sets(tx, record, [attempt])


def _write_sets(tx: Transaction, record: RecordInfo, attempts: Sequence[Attempt]) -> None:
    """New rows in one statement, changes in another."""
    writer.insert(tx, record, [one.values for one in attempts if one.key is None])
    changed = [(one.key, one.values) for one in attempts if one.key is not None]
    writer.update(tx, record, changed)


def locked_rows(tx: Transaction, record: RecordInfo, keys: Sequence[Key]) -> dict[Key, Row]:
    """The whole rows that are there, by key, locked until the transaction ends."""
    names = tuple(record.fields)
    kinds = [record.fields[name].kind for name in names]
    found: dict[Key, Row] = {}
    for part in writer.chunks(keys, writer.ROWS_A_STATEMENT):
        for raw in tx.rows(
            # Through any other index a row could be missed: while this waits for a lock, the
            # transaction that holds it may move the row's entry to a place already passed.
            f"SELECT {sql.readable(record, names)} FROM {sql.quoted(record.table)} "
            f"FORCE INDEX (PRIMARY) WHERE {sql.among(record, record.key, len(part))} FOR UPDATE",
            writer.key_parameters(record, part),
        ):
            values = zip(names, kinds, raw, strict=True)
            row = {
                name: None if value is None else kind.from_database(value)
                for name, kind, value in values
            }
            found[key_of(record, row)] = row
    wanted = set(keys)
    return {key: row for key, row in found.items() if key in wanted}


def absent(
    record: RecordInfo, keys: Sequence[Key | None], found: Iterable[Key]
) -> Iterator[Failure]:
    """A failure for each key that is not among those found; None stands for a refused key."""
    present = set(found)
    for index, key in enumerate(keys):
        if key is not None and key not in present:
            message = f"there is no {record.name} {key_to_json(record, key)}"
            yield Failure("record.not_found", message, "", index)


def _keys(changes: Iterable[Change]) -> list[Key]:
    """The keys that are not refused."""
    return [change.key for change in changes if change.key is not None]
