"""What is told of rows that are compared, as JSON."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from records.kinds.base import JsonSchema
from records.states import RowState
from service.herd.digests import Sums
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


def row_json(row: RowSeen) -> dict[str, Any]:
    """One row as it stands."""
    told: dict[str, Any] = {
        "key": row.key.hex(),
        "shown": [value_json(part) for part in row.shown],
        "moving": row.moving,
    }
    if row.problem:
        return told | {"problem": row.problem}
    return told if row.state is None else told | {"state": _state_json(row, row.state)}


def violation_json(violation: Violation) -> dict[str, Any]:
    """Rows that break a rule."""
    return {
        "rule": violation.rule,
        "name": violation.name,
        "columns": list(violation.columns),
        "rows": violation.rows,
        "some": [[value_json(part) for part in values] for values in violation.some],
    }


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
