"""Dead rows without values that a record must have: they died before the column was added.

A declared default takes the place, as in a new record. It is put into the graveyard, so that the
row comes back from there like every other; a transaction that is undone leaves nothing behind.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from records.errors import Failure, ValueRefused, pointer
from records.validation import Key, Row, key_to_json
from records.values import RecordInfo
from service.methods.undo_port import graveyard
from service.store import sql, writer
from service.store.transaction import Transaction


def fill(tx: Transaction, record: RecordInfo, keys: Sequence[Key]) -> list[tuple[Key, Failure]]:
    """Give dead rows the defaults they lack; a failure, with the row's key, where there is none."""
    changes: list[tuple[Key, Row]] = []
    refused: list[tuple[Key, Failure]] = []
    for key, names in _lacking(tx, record, keys):
        values: Row = {}
        for name in names:
            try:
                values[name] = _default(record, key, name)
            except ValueRefused as error:
                refused.append((key, Failure(error.code, error.message, pointer(name))))
        changes.append((key, values))
    writer.update(tx, graveyard(record), changes)
    return refused


def _lacking(
    tx: Transaction, record: RecordInfo, keys: Sequence[Key]
) -> Iterator[tuple[Key, list[str]]]:
    """The dead rows that have NULL where it must not be, each with the names of those fields."""
    fields = [
        name
        for name, info in record.fields.items()
        if not info.allow_none and name not in record.key
    ]
    if not fields:
        return
    absent = [f"{sql.column(record, name)} IS NULL" for name in fields]
    width = len(record.key)
    for part in writer.chunks(keys, writer.ROWS_A_STATEMENT):
        rows = tx.rows(
            f"SELECT {sql.columns(record, record.key)}, {', '.join(absent)} "
            f"FROM {sql.quoted(graveyard(record).table)} "
            f"WHERE {sql.among(record, record.key, len(part))} AND ({' OR '.join(absent)})",
            writer.key_parameters(record, part),
        )
        for raw in rows:
            flags = zip(fields, raw[width:], strict=True)
            key = writer.key_from_database(record, raw[:width])
            yield key, [name for name, is_absent in flags if is_absent]


def _default(record: RecordInfo, key: Key, name: str) -> object:
    """What a new record would have in the field; raises ValueRefused where that is nothing."""
    info = record.fields[name]
    if info.required:
        raise ValueRefused(
            "value.required",
            f"{name} must be given, and {record.name} {key_to_json(record, key)} was deleted "
            "without it; restore takes no values: create the record anew, with what "
            f"{record.name}.list_deleted shows of it",
        )
    try:
        return info.new_value()
    except ValueRefused as refused:
        message = f"the declared default of {name} does not fit: {refused.message}"
        raise ValueRefused(refused.code, message) from None
