"""What is held, as JSON, and what the reasons mean."""

from __future__ import annotations

from collections.abc import Mapping

from records.catalogue import Catalogue
from records.kinds.base import JsonSchema
from records.stamps import Version
from records.states import Value
from records.values import RecordInfo
from service.methods.feed_json import moment_json
from service.methods.held_port import Waiting
from service.methods.journal_json import COLUMN_SCHEMA, ROW_SCHEMA, STAMP_SCHEMA, stamp_json
from service.methods.raw_values import column_json, record_of, row_json, value_json

DROPPED = "dropped"
"""The reason of what somebody has given up, which needs nobody any more."""

REASONS: Mapping[str, str] = {
    "parent": "What it refers to is not here. It is written when that comes.",
    "schema": "This node has no such class or column. It is written after the migration.",
    "refused": "The database refuses it. It is written by held.retry, once the cause is gone.",
    "blocked": "It would need a repair on account of a row that waits itself. It is written when "
    "that one is.",
    DROPPED: "Somebody has given it up here. It is passed on to siblings, and tried again when "
    "one of them changes the record, or by held.retry.",
}
"""What each reason means, for people."""

WAITING_SCHEMA: JsonSchema = {
    "type": "object",
    "properties": {
        "id": {"type": "string", "pattern": "^[0-9a-f]{64}$"},
        **ROW_SCHEMA,
        "reason": {"enum": list(REASONS)},
        "because": {"type": "string"},
        "text": {"type": "string"},
        "held_at": {"type": "string", "format": "date-time"},
        "waits": {"enum": ["record", "fields", "deletion"]},
        "life": {"type": "integer", "minimum": 1},
        "values": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {**COLUMN_SCHEMA, "value": {}, "at": STAMP_SCHEMA},
                "required": ["value", "at"],
            },
        },
    },
    "required": ["id", "record", "key", "reason", "because", "text", "held_at", "waits"],
}


def waiting_json(
    catalogue: Catalogue, waiting: Waiting, names: Mapping[int, str]
) -> dict[str, object]:
    """One row of which something is held; `names` are those of nodes by origin."""
    record = record_of(catalogue, waiting.row.table)
    return {
        **waiting_in_brief(catalogue, waiting),
        "held_at": moment_json(waiting.held_at),
        "waits": _what(waiting),
        "life": waiting.life,
        "values": [_value(record, value, names) for value in waiting.values],
    }


def waiting_in_brief(catalogue: Catalogue, waiting: Waiting) -> dict[str, object]:
    """Which row, and why it waits."""
    return {
        "id": waiting.place.hex(),
        **row_json(record_of(catalogue, waiting.row.table), waiting.row),
        "reason": waiting.reason,
        "because": REASONS.get(waiting.reason, "A newer release of Herdbook holds it."),
        "text": waiting.text,
    }


def _what(waiting: Waiting) -> str:
    if not waiting.whole:
        return "fields"
    return "record" if waiting.life % 2 else "deletion"


def _value(
    record: RecordInfo | None, value: tuple[str, Value, Version], names: Mapping[int, str]
) -> dict[str, object]:
    column, raw, version = value
    return {
        **column_json(record, column),
        "value": value_json(record, column, raw),
        "at": stamp_json(version, names),
    }
