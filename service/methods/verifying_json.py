"""What is told of rows that are compared, as JSON."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable, Sequence
from contextlib import suppress
from decimal import Decimal
from typing import Any

from records.kinds.base import JsonSchema
from records.states import RowState
from records.values import FieldInfo, RecordInfo
from service.herd.digests import Sums
from service.methods.raw_values import Unreadable, field_of, plain_value
from service.methods.verifying_port import Digested, Moment, RowSeen, TableSeen, Violation

LONGEST_SHOWN = 1_000
"""Characters or bytes of a value; longer ones are told by their beginning and their hash."""

_BEGINNING = 100
_SAFE = 2**53

MOMENT_SCHEMA: JsonSchema = {
    "origin": {"type": "integer"},
    "vector": {"type": "object", "additionalProperties": {"type": "integer"}},
    "unsealed": {"type": "integer", "minimum": 0},
    "horizon": {"type": "integer", "minimum": 0},
    "held": {"type": "integer", "minimum": 0},
}


def moment_json(moment: Moment) -> dict[str, Any]:
    """What a node had when it was read."""
    return {
        "origin": moment.origin,
        "vector": {str(origin): position for origin, position in moment.vector.items()},
        "unsealed": moment.unsealed,
        "horizon": moment.horizon,
        "held": moment.held,
    }


def table_json(table: TableSeen) -> dict[str, Any]:
    """One table."""
    return {"name": table.name, "columns": dict(table.columns), "rows": table.rows}


def sums_json(sums: Sums) -> dict[str, Any]:
    """Rows and digest of each bucket."""
    return {bucket: [one.rows, f"{one.total:032x}"] for bucket, one in sums.items()}


def rows_json(rows: Iterable[Digested]) -> list[list[str]]:
    """Key and digest of each row."""
    return [[row.key.hex(), f"{row.digest:032x}"] for row in rows]


def row_json(record: RecordInfo | None, row: RowSeen) -> dict[str, Any]:
    """One row as it stands; `record` is its class, None where it has none."""
    columns = () if record is None else record.columns(record.key)
    told: dict[str, Any] = {
        "key": row.key.hex(),
        "shown": _shown(record, columns, row.shown),
        "moving": row.moving,
    }
    if row.problem:
        return told | {"problem": row.problem}
    return told if row.state is None else told | {"state": _state_json(row, row.state)}


def violation_json(record: RecordInfo | None, violation: Violation) -> dict[str, Any]:
    """Rows of a class that break a rule."""
    return {
        "rule": violation.rule,
        "name": violation.name,
        "columns": list(violation.columns),
        "rows": violation.rows,
        "some": [_shown(record, violation.columns, values) for values in violation.some],
    }


def _shown(
    record: RecordInfo | None, columns: Sequence[str], values: Sequence[Any]
) -> list[object]:
    """Values that name a row, for people: as calls take them, where a class knows them."""
    known = columns if len(columns) == len(values) else [""] * len(values)
    return [
        _readable(field_of(record, column), raw) for column, raw in zip(known, values, strict=True)
    ]


def _readable(info: FieldInfo | None, raw: Any) -> object:
    if info is not None and raw is not None:
        with suppress(Unreadable):
            return info.kind.to_json(plain_value(info.kind, raw))
    if not isinstance(raw, bytes):
        return value_json(raw)
    text = raw.decode(errors="replace")
    return text if text.isprintable() and "\ufffd" not in text else raw.hex()


def value_json(value: object) -> object:
    """A value such that different values look different."""
    if isinstance(value, bytes):
        if len(value) > LONGEST_SHOWN:
            return _long(value[:_BEGINNING].hex(), len(value), value)
        return {"base64": base64.b64encode(value).decode()}
    if isinstance(value, str) and len(value) > LONGEST_SHOWN:
        return _long(value[:_BEGINNING], len(value), value.encode("utf-8", "surrogatepass"))
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, int) and abs(value) > _SAFE:
        return str(value)
    return value


def _long(beginning: str, length: int, whole: bytes) -> dict[str, object]:
    digest = hashlib.sha256(whole).hexdigest()
    return {"begins": beginning, "length": length, "sha256": digest}


def _state_json(row: RowSeen, state: RowState) -> dict[str, Any]:
    told: dict[str, Any] = {
        "life": state.life,
        "stamp": row.stamp,
        "origin": row.origin,
        "born": list(state.born),
        "slots": {
            column: [*slot.version, *slot.over] for column, slot in sorted(state.slots.items())
        },
        "values": {column: value_json(value) for column, value in state.values.items()},
    }
    if state.death is not None:
        told |= {"died": state.death.died, "writer": state.death.writer}
    return told
