"""What a page of the feed tells of the rows themselves, as they are now.

Rows are found by their keys, many a statement. A collation may find the row `foo` under the key
`Foo`; to the feed these are two rows, so every key that is found is compared with the one that was
looked for.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from records.kinds.base import Kind
from records.kinds.binary import BytesKind, FixedBytesKind, LongBytesKind
from records.kinds.choices import SetKind
from records.kinds.documents import JsonKind
from records.kinds.text import LongTextKind, TextKind
from records.validation import Key
from records.values import FieldInfo, RecordInfo
from service.methods.query import Comparison, Condition, Not
from service.store import sql
from service.store.conditions import TRUE, Source, compile_condition
from service.store.reader import KEYS_A_STATEMENT, decoder
from service.store.transaction import Transaction

_ONE_VALUE = 80
"""Characters that a number, a moment or the like has in JSON at most, a DECIMAL(65,30) included."""

_UNBOUNDED = (LongTextKind, LongBytesKind, JsonKind)


@dataclass(frozen=True)
class Look:
    """What is known of a row before it is read: whether it matches, and its bytes in JSON.

    `size` is None where it was not measured.
    """

    matches: bool
    size: int | None


def look(
    tx: Transaction,
    record: RecordInfo,
    keys: Sequence[Key],
    condition: Condition | None,
    measured: bool,
) -> dict[Key, Look]:
    """What there is to know of the rows with these keys; those that are not there are left out."""
    source = Source(tx.catalogue, record)
    asked = TRUE if condition is None else compile_condition(source, condition)
    kinds = [record.fields[name].kind for name in record.key]
    decode = decoder(record.key, kinds)
    found: dict[Key, Look] = {}
    for start in range(0, len(keys), KEYS_A_STATEMENT):
        part = list(dict.fromkeys(keys[start : start + KEYS_A_STATEMENT]))
        raw_rows = tx.rows(
            f"SELECT {sql.readable(record, record.key)}, {asked.text}, "
            f"{_size_expression(record) if measured else 'NULL'} FROM {source.text} "
            f"WHERE {sql.among(record, record.key, len(part))}",
            [
                *asked.parameters,
                *(kind.to_database(v) for key in part for kind, v in zip(kinds, key, strict=True)),
            ],
        )
        for *raw_key, matches, size in raw_rows:
            key = tuple(decode(raw_key).values())
            whole = None if size is None else int(size) * 4 // 3 + _fixed_size(record)
            found[key] = Look(bool(matches), whole)
    return found


def largest_row(record: RecordInfo) -> int | None:
    """The bytes that a row of the class can have in JSON; None where there is no bound."""
    if any(isinstance(info.kind, _UNBOUNDED) for info in record.fields.values()):
        return None
    varying = sum(_longest(info.kind) for info in record.fields.values())
    return varying * 4 // 3 + _fixed_size(record)


def fields_in(condition: Condition) -> frozenset[str]:
    """The fields that a condition names."""
    if isinstance(condition, Comparison):
        return frozenset({condition.path.info.name})
    parts = (condition.condition,) if isinstance(condition, Not) else condition.conditions
    return frozenset().union(*(fields_in(part) for part in parts))


def fields_by_record(where: Mapping[str, Condition]) -> dict[str, frozenset[str]]:
    """The fields that the condition of each class names."""
    return {name: fields_in(condition) for name, condition in where.items()}


def _size_expression(record: RecordInfo) -> str:
    """The SQL for the bytes of all that varies in length; base64 adds a third to them."""
    lengths = [
        f"COALESCE(LENGTH({sql.column(record, info.name)}), 0)"
        for info in record.fields.values()
        if _varies(info)
    ]
    return " + ".join(lengths) or "0"


def _fixed_size(record: RecordInfo) -> int:
    """The bytes of the names, and of all that does not vary in length."""
    return sum(
        len(name) + 4 + (0 if _varies(info) else _ONE_VALUE) for name, info in record.fields.items()
    )


def _varies(info: FieldInfo) -> bool:
    return isinstance(info.kind, _UNBOUNDED) or _longest(info.kind) > 0


def _longest(kind: Kind) -> int:
    """The most bytes of a value that varies in length; 0 of one that does not."""
    if isinstance(kind, TextKind):
        return 4 * kind.length
    if isinstance(kind, BytesKind | FixedBytesKind):
        return kind.length
    if isinstance(kind, SetKind):
        return sum(len(value.encode()) + 3 for value in kind.values)
    return 0
