"""A naive twin of `where`, `order` and paging: Python over rows in a list.

It reads the JSON that a client sends, and shares nothing with the code it is compared to except the
kinds' conversions.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from typing import Any

from records.kinds.base import Kind
from records.kinds.choices import EnumKind
from records.kinds.network import CidrKind
from records.kinds.text import LongTextKind, TextKind
from records.validation import Row
from records.values import RecordInfo
from tests.service.methods.samples import CATALOGUE

Tables = Mapping[str, Sequence[Row]]

_WIDEST = 3000


def matching(tables: Tables, record: RecordInfo, where: Any, order: Sequence[str]) -> list[Row]:
    """The rows a list gives, in order."""
    found = [
        row for row in tables[record.name] if where is None or holds(tables, record, row, where)
    ]
    for name in reversed(
        [*order, *(name for name in record.key if name not in plain_names(order))]
    ):
        last_descends = bool(order) and order[-1].startswith("-")
        descends = name.startswith("-") if name in order else last_descends
        field = name.removeprefix("-")
        found.sort(
            key=lambda row, field=field: _sort_key(tables, record, row, field),  # type: ignore[misc]
            reverse=descends,
        )
    return found


def plain_names(order: Sequence[str]) -> list[str]:
    """Sort fields without their direction."""
    return [name.removeprefix("-") for name in order]


def holds(tables: Tables, record: RecordInfo, row: Row, where: Any) -> bool:
    """Whether a condition is true of a row."""
    word = where[0]
    if word == "not":
        return not holds(tables, record, row, where[1])
    if word in ("and", "or"):
        parts = [holds(tables, record, row, part) for part in where[1:]]
        return all(parts) if word == "and" else any(parts)
    field, operator, asked = where
    kind, value = resolve(tables, record, row, field)
    return _compare(kind, operator, value, asked)


def resolve(tables: Tables, record: RecordInfo, row: Row | None, field: str) -> tuple[Kind, Any]:
    """The kind of a field and its value in a row, over parents; None where one is missing."""
    *steps, name = field.split(".")
    for step in steps:
        reference = record.references[step]
        record = CATALOGUE.records[reference.target]
        wanted = None if row is None else tuple(row[part] for part in reference.fields)
        row = next(
            (
                parent
                for parent in tables[record.name]
                if tuple(parent[part] for part in reference.target_fields) == wanted
            ),
            None,
        )
    return record.fields[name].kind, None if row is None else row[name]


def _compare(kind: Kind, operator: str, value: Any, asked: Any) -> bool:
    """One comparison. Null equals null, and is otherwise never true."""
    if operator in ("!=", "not_in"):
        return not _compare(kind, "=" if operator == "!=" else "in", value, asked)
    if operator == "is_null":
        return bool((value is None) == asked)
    if operator == "in":
        return any(_compare(kind, "=", value, item) for item in asked)
    if operator == "=" and (value is None or asked is None):
        return value is None and asked is None
    if value is None:
        return False
    if operator == "like":
        return bool(re.fullmatch(_pattern(folded(kind, asked)), folded(kind, value), re.DOTALL))
    if operator == "starts_with":
        return bool(folded(kind, value).startswith(folded(kind, asked)))
    if operator == "within":
        block = CidrKind().from_json(asked)
        return bool(value.version == block.version and value in block)
    if operator == "contains":
        whole = asked if "/" in asked else f"{asked}/{128 if ':' in asked else 32}"
        block = CidrKind().from_json(whole)
        return bool(value.version == block.version and block in value)
    left, right = comparable(kind, value), comparable(kind, kind.from_json(asked))
    outcomes: dict[str, bool] = {
        "=": left == right,
        "<": left < right,
        "<=": left <= right,
        ">": left > right,
        ">=": left >= right,
    }
    return outcomes[operator]


def comparable(kind: Kind, value: Any, beginning: int | None = None) -> Any:
    """Something Python orders as the servers order the value."""
    if isinstance(kind, TextKind | LongTextKind):
        text = value if beginning is None else value[:beginning]
        # Both servers compare these collations as if the shorter text ended in spaces.
        return folded(kind, text).ljust(_WIDEST)
    if isinstance(kind, EnumKind):
        return kind.values.index(value)
    raw = kind.to_database(value)
    return raw if isinstance(raw, bytes) else value


def folded(kind: Any, text: str) -> str:
    """The text without what the field's collation does not tell apart."""
    if not kind.collation.endswith("_ci"):
        return text
    bare = unicodedata.normalize("NFD", text.upper())
    return "".join(sign for sign in bare if not unicodedata.combining(sign))


def _sort_key(tables: Tables, record: RecordInfo, row: Row, field: str) -> Any:
    """Null stands before everything; long text counts with its first 255 characters."""
    kind, value = resolve(tables, record, row, field)
    if value is None:
        return (False,)
    long_text = isinstance(kind, LongTextKind) or (isinstance(kind, TextKind) and kind.length > 255)
    return True, comparable(kind, value, 255 if long_text else None)


def _pattern(pattern: str) -> str:
    """LIKE's pattern as a regular expression; a backslash takes the next sign literally."""
    found, at = [], 0
    while at < len(pattern):
        sign = pattern[at]
        if sign == "\\" and at + 1 < len(pattern):
            at += 1
            found.append(re.escape(pattern[at]))
        else:
            found.append({"%": ".*", "_": "."}.get(sign, re.escape(sign)))
        at += 1
    return "".join(found)
