"""Entries of the journal as JSON, and what their rules mean."""

from __future__ import annotations

from collections.abc import Mapping

from records.catalogue import Catalogue
from records.kinds.base import JsonSchema
from records.stamps import NEVER, Version
from records.values import RecordInfo
from service.herd import journal
from service.methods.feed_json import moment_json
from service.methods.journal_port import Noted, PutAside
from service.methods.raw_values import column_json, record_of, row_json, value_json

RULES: Mapping[str, str] = {
    journal.LATER_WRITE: "Two nodes wrote this, and neither had seen what the other wrote: the "
    "later write stands.",
    journal.OTHER_LIFE: "One node wrote this while another deleted the record, or deleted it and "
    "made it anew: that counts more.",
    journal.REVIVED: "One node deleted the record while another held on to it, with a child whose "
    "reference restricts: it lives again. What was put aside is the deletion.",
    journal.TAKEN_ALONG: "One node deleted the parent while another made or changed this record: "
    "it was deleted along, as its reference cascades.",
    journal.LET_GO: "One node deleted what this record refers to while another made it refer "
    "there: the reference is empty now.",
    journal.UNIQUE: "Two records claimed one unique value: the earlier one kept it, and this one "
    "gave way.",
    journal.WITHDRAWN: "Two records claimed one unique value: the earlier one kept it, and this "
    "one, which cannot be without it, was deleted.",
    journal.DROPPED: "This was held, since it could not be written here, and somebody dropped it.",
    journal.NOT_HERE: "A sibling changed this record, which is not on this node any more, though "
    "nobody deleted it by the rules: the table was emptied, for instance.",
}
"""What each rule means, for people."""

CONFLICTS = frozenset((journal.LATER_WRITE, journal.OTHER_LIFE))
"""The rules by which values lost in merging; by the others something was repaired."""

_MOMENT: JsonSchema = {"type": "string", "format": "date-time"}
NODE_SCHEMA: JsonSchema = {
    "type": "object",
    "properties": {
        "origin": {"type": "integer", "minimum": 1},
        "node": {"type": ["string", "null"]},
    },
    "required": ["origin", "node"],
}
STAMP_SCHEMA: JsonSchema = {
    "type": "object",
    "properties": {"at": _MOMENT, **NODE_SCHEMA["properties"]},
    "required": ["at", "origin", "node"],
}
ROW_SCHEMA: JsonSchema = {
    "record": {"type": ["string", "null"]},
    "table": {"type": "string"},
    "key": {"type": "object"},
}
COLUMN_SCHEMA: JsonSchema = {"field": {"type": "string"}, "column": {"type": "string"}}
_WRITER: JsonSchema = {"type": ["string", "null"]}

ENTRY_SCHEMA: JsonSchema = {
    "type": "object",
    "properties": {
        "number": {"type": "integer", "minimum": 1},
        "noted_at": _MOMENT,
        "rule": {"enum": list(RULES)},
        "because": {"type": "string"},
        **ROW_SCHEMA,
        "life": {"type": "integer", "minimum": 1},
        "sender": {"anyOf": [NODE_SCHEMA, {"type": "null"}]},
        "restored_at": {"anyOf": [_MOMENT, {"type": "null"}]},
        "values": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {
                    **COLUMN_SCHEMA,
                    "lost": {},
                    "lost_at": STAMP_SCHEMA,
                    "lost_by": _WRITER,
                    "kept": {},
                    "kept_at": {"anyOf": [STAMP_SCHEMA, {"type": "null"}]},
                    "kept_by": _WRITER,
                },
                "required": ["lost", "lost_at", "kept", "kept_at"],
            },
        },
    },
    "required": ["number", "noted_at", "rule", "because", "record", "key", "values"],
}


def entry_json(catalogue: Catalogue, entry: Noted, names: Mapping[int, str]) -> dict[str, object]:
    """An entry; `names` are those of nodes by origin."""
    record = record_of(catalogue, entry.row.table)
    return {
        "number": entry.number,
        "noted_at": moment_json(entry.noted_at),
        "rule": entry.rule,
        "because": RULES.get(entry.rule, "A newer release of Herdbook noted this."),
        **row_json(record, entry.row),
        "life": entry.life,
        "sender": None if entry.sender is None else node_json(entry.sender, names),
        "restored_at": None if entry.restored_at is None else moment_json(entry.restored_at),
        "values": [_value(record, value, names) for value in entry.values],
    }


def node_json(origin: int, names: Mapping[int, str]) -> dict[str, object]:
    """A node by its origin, with its name where it is known."""
    return {"origin": origin, "node": names.get(origin)}


def stamp_json(version: Version, names: Mapping[int, str]) -> dict[str, object] | None:
    """When and where something was written; None where nothing was."""
    if version == NEVER:
        return None
    return {"at": moment_json(version.stamp), **node_json(version.origin, names)}


def _value(
    record: RecordInfo | None, value: PutAside, names: Mapping[int, str]
) -> dict[str, object]:
    return {
        **column_json(record, value.column),
        "lost": value_json(record, value.column, value.lost),
        "lost_at": stamp_json(value.lost_at, names),
        "lost_by": value.lost_by,
        "kept": value_json(record, value.column, value.kept),
        "kept_at": stamp_json(value.kept_at, names),
        "kept_by": value.kept_by,
    }
