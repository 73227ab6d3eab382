"""Everything that is wrong with a refused write, not only what the server met first.

The server stops at the first row that breaks a constraint. So once it has refused, the write is
undone and looked through in a transaction of its own that is never committed: missing parents, then
row by row what unique keys and the tables' other constraints say, writing what is good
so that rows of one call are seen by each other. Slow, and only ever on the way to an error.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from MySQLdb import Error as DriverError

from records.errors import Failure, pointer
from records.validation import Key, Row, key_to_json, row_to_json
from records.values import KeyInfo, RecordInfo, ReferenceInfo
from service.store import sql, writer
from service.store.alike import alike
from service.store.database import error_number
from service.store.order import comparable, layers, own_parents, own_references, reachable
from service.store.transaction import Transaction
from service.store.translation import CONSTRAINT, constraint_named

_STILL_REFERRED = 1451


@dataclass(frozen=True)
class Attempt:
    """One row that was to be written.

    `key` is that of an existing row, None for a new one. `current` is the existing row. `whole` is
    False where some of its values were refused already, so that it cannot be tried.
    """

    index: int
    values: Row
    key: Key | None = None
    current: Row = field(default_factory=dict)
    whole: bool = True

    @property
    def after(self) -> Row:
        """The row as it would be."""
        return self.current | self.values


@dataclass
class _Seen:
    """Rows of the call that were looked at: those written, and unique values of the others."""

    written: dict[Key, int] = field(default_factory=dict)
    untried: dict[tuple[str, Key], int] = field(default_factory=dict)


def constraint_failures(
    tx: Transaction, record: RecordInfo, attempts: Sequence[Attempt]
) -> list[Failure]:
    """All constraints the attempts would break. Writes; the transaction must be undone."""
    parents = _new_parents(tx, record, attempts)
    circular = {place for place in parents if place in reachable(parents, place)}
    failures = [
        *_missing_parents(tx, record, attempts),
        *(_circular(record, attempts[place]) for place in circular),
    ]
    hopeless = {failure.index for failure in failures}
    seen = _Seen()
    order = layers({place: parents[place] - circular for place in parents})
    for place in (place for layer in order for place in layer):
        attempt = attempts[place]
        refused = list(_taken_by_others(tx, record, attempt, seen))
        # A row is not to blame for a parent of the same call that could not be written.
        waits = any(attempts[parent].index in hopeless for parent in parents[place])
        if attempt.whole and not refused and not waits and attempt.index not in hopeless:
            refused += _write(tx, record, attempt)
            seen.written[tuple(attempt.after[name] for name in record.key)] = attempt.index
            hopeless.update(failure.index for failure in refused)
        else:
            hopeless.add(attempt.index)
            _remember_untried(record, attempt, seen)
        failures += refused
    return failures


def in_order(tx: Transaction, record: RecordInfo, attempts: Sequence[Attempt]) -> list[Attempt]:
    """The attempts so that no row comes before a new one that it refers to."""
    parents = _new_parents(tx, record, attempts)
    return [attempts[place] for layer in layers(parents) for place in layer]


def _new_parents(
    tx: Transaction, record: RecordInfo, attempts: Sequence[Attempt]
) -> dict[int, set[int]]:
    """For each attempt, by place, the new rows among the others that it refers to."""
    rows = [attempt.after for attempt in attempts]
    parents = own_parents(record, rows, alike(tx, record, rows))
    return {
        place: {parent for parent in parents.get(place, ()) if attempts[parent].key is None}
        for place in range(len(attempts))
    }


def _circular(record: RecordInfo, attempt: Attempt) -> Failure:
    """What to say of one of several new rows that refer to each other in a circle."""
    own = own_references(record)
    given = next(info for info in own if attempt.after.get(info.fields[0]) is not None)
    return Failure(
        "reference.circular",
        f"new records refer to each other in a circle; leave {given.name} out where it may be "
        "null, and set it in a second call",
        pointer(given.fields[0]),
        attempt.index,
    )


def _missing_parents(
    tx: Transaction, record: RecordInfo, attempts: Sequence[Attempt]
) -> Iterator[Failure]:
    """References to records that are not there."""
    for reference in record.references.values():
        wanted: dict[Key, list[int]] = {}
        for attempt in attempts:
            key = _changed_key(attempt, reference.fields)
            if key is not None:
                wanted.setdefault(key, []).append(attempt.index)
        if reference.target == record.name:
            _forget_own(tx, record, attempts, wanted)
        target = tx.catalogue.records[reference.target]
        for key in _absent(tx, target, reference, list(wanted)):
            shown = key_to_json(target, key)
            for index in wanted[key]:
                yield Failure(
                    "reference.missing",
                    f"there is no {target.name} {shown}",
                    pointer(reference.fields[0]),
                    index,
                )


def _forget_own(
    tx: Transaction,
    record: RecordInfo,
    attempts: Sequence[Attempt],
    wanted: dict[Key, list[int]],
) -> None:
    """A record may refer to one that the same call creates, or to itself."""
    rows = [attempt.after for attempt in attempts]
    same = alike(tx, record, rows)
    keys = ([row.get(name) for name in record.key] for row in rows)
    own = {comparable(record, key, same) for key in keys}
    for key in [key for key in wanted if comparable(record, key, same) in own]:
        del wanted[key]


def _changed_key(attempt: Attempt, fields: Sequence[str]) -> Key | None:
    """The values of these fields, if all are there and one of them is written."""
    after = attempt.after
    values = tuple(after.get(name) for name in fields)
    written = any(name in attempt.values for name in fields)
    return values if written and None not in values else None


def _absent(
    tx: Transaction, target: RecordInfo, reference: ReferenceInfo, keys: list[Key]
) -> Iterator[Key]:
    """Those of the keys that no record has, as the server compares them."""
    match = " AND ".join(f"{sql.column(target, name)} = ?" for name in reference.target_fields)
    question = f"SELECT 1 FROM {sql.quoted(target.table)} WHERE {match}"
    for key in keys:
        if not tx.rows(question, writer.key_parameters(target, [key])):
            yield key


def _taken_by_others(
    tx: Transaction, record: RecordInfo, attempt: Attempt, seen: _Seen
) -> Iterator[Failure]:
    """What the unique keys say of one row."""
    for unique in _unique_keys(record):
        yield from _taken(tx, record, unique, attempt, seen)


def _unique_keys(record: RecordInfo) -> tuple[KeyInfo, ...]:
    """The primary key and the others that allow no two rows of the same values."""
    return KeyInfo("PRIMARY", record.key), *record.uniques


def _remember_untried(record: RecordInfo, attempt: Attempt, seen: _Seen) -> None:
    """A row that was not written still takes its unique values, for the rows that follow."""
    for unique in _unique_keys(record):
        values = _changed_key(attempt, unique.fields)
        if values is not None:
            seen.untried.setdefault((unique.name, values), attempt.index)


def _taken(
    tx: Transaction, record: RecordInfo, unique: KeyInfo, attempt: Attempt, seen: _Seen
) -> Iterator[Failure]:
    """Whether another row has these unique values: in the table, or earlier in the call."""
    values = _changed_key(attempt, unique.fields)
    if values is None:
        return
    holder = _holder(tx, record, unique, values, attempt.key)
    earlier = (
        seen.untried.get((unique.name, values)) if holder is None else seen.written.get(holder)
    )
    if earlier is not None:
        by = f"record {earlier} of this call"
    elif holder is not None:
        by = f"{record.name} {key_to_json(record, holder)}"
    else:
        return
    shown = row_to_json(record, dict(zip(unique.fields, values, strict=True)))
    described = ", ".join(f"{name} {value!r}" for name, value in shown.items())
    where = pointer(unique.fields[-1])
    yield Failure("unique.taken", f"{described} is taken by {by}", where, attempt.index)


def _holder(
    tx: Transaction, record: RecordInfo, unique: KeyInfo, values: Key, own: Key | None
) -> Key | None:
    """The key of another row with these values, as the server compares them."""
    match = " AND ".join(f"{sql.column(record, name)} = ?" for name in unique.fields)
    parameters = [
        writer.parameter(record, name, value)
        for name, value in zip(unique.fields, values, strict=True)
    ]
    found = tx.rows(
        f"SELECT {sql.columns(record, record.key)} FROM {sql.quoted(record.table)} "
        f"WHERE {match} LIMIT 2",
        parameters,
    )
    keys = (writer.key_from_database(record, row) for row in found)
    return next((key for key in keys if key != own), None)


def _write(tx: Transaction, record: RecordInfo, attempt: Attempt) -> Iterator[Failure]:
    """Write one row; what the server says against it."""
    try:
        if attempt.key is None:
            writer.insert(tx, record, [attempt.values])
        else:
            writer.update(tx, record, [(attempt.key, attempt.values)])
    except DriverError as error:
        if error_number(error) not in CONSTRAINT:
            raise
        yield from explain(record, error, attempt.index)


def explain(record: RecordInfo, error: Exception, index: int | None) -> Iterable[Failure]:
    """A failure from what the server said, where nothing better is known."""
    said = str(error.args[-1])
    named = constraint_named(error)
    references = {info.constraint: info for info in record.references.values()}
    uniques = {unique.name: unique for unique in record.uniques}
    key_name = said.rpartition("for key ")[2].strip("'").rpartition(".")[2]
    if error_number(error) == _STILL_REFERRED:
        message = f"other records still refer to this {record.name}"
        yield Failure("reference.restricted", message, "", index)
    elif named in references:
        reference = references[named]
        message = f"there is no such {reference.target}"
        yield Failure("reference.missing", message, pointer(reference.fields[0]), index)
    elif key_name in uniques:
        where = pointer(uniques[key_name].fields[-1])
        yield Failure("unique.taken", "these values are taken", where, index)
    elif error_number(error) == 1062:
        yield Failure("unique.taken", "there is such a record", pointer(record.key[0]), index)
    else:
        name = f" {named}" if named else ""
        yield Failure("check.violated", f"the table's constraint{name} refuses it", "", index)
