"""The words of SQL that all statements share. Values never stand in a statement, only `?`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from records.values import RecordInfo


def quoted(name: str) -> str:
    """A name of the database, quoted; every name is, since servers differ in what is reserved."""
    return "`" + name.replace("`", "``") + "`"


def column(record: RecordInfo, field: str) -> str:
    """The quoted column of a field."""
    return quoted(record.fields[field].column)


def columns(record: RecordInfo, fields: Iterable[str]) -> str:
    """Quoted columns, with commas between."""
    return ", ".join(column(record, field) for field in fields)


def readable(record: RecordInfo, fields: Iterable[str]) -> str:
    """Expressions that read the fields without loss, with commas between."""
    return ", ".join(
        record.fields[field].kind.column_expression(column(record, field)) for field in fields
    )


def marks(count: int) -> str:
    """`?, ?, ?`."""
    return ", ".join(["?"] * count)


def tuple_of(items: Sequence[str]) -> str:
    """A row constructor, or the bare item where there is one: both servers index either."""
    return items[0] if len(items) == 1 else f"({', '.join(items)})"


def among(record: RecordInfo, fields: Sequence[str], count: int) -> str:
    """`fields IN (…)` for `count` rows of values."""
    left = tuple_of([column(record, field) for field in fields])
    return f"{left} IN ({', '.join([tuple_of(['?'] * len(fields))] * count)})"
