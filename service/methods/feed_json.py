"""What readers of the feed are sent: the same over every transport."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from typing import Any

from records.catalogue import Catalogue
from records.kinds.base import JsonSchema
from records.validation import Row
from service.methods.feed_port import Change, Consumer, Ends, FeedPage, Wanted
from service.methods.subjects import encoder

_EPOCH = datetime.datetime(1970, 1, 1)
_LAST_MOMENT = 253_402_300_799_999_999
"""The end of the year 9999: the last that RFC 3339 has, also for a clock that is beyond it."""

_POSITION: JsonSchema = {"type": "integer", "minimum": 0}
CHANGE_SCHEMA: JsonSchema = {
    "type": "object",
    "properties": {
        "position": _POSITION,
        "record": {"type": ["string", "null"]},
        "table": {"type": "string"},
        "kind": {"enum": ["insert", "update", "delete"]},
        "key": {"type": ["object", "null"]},
        "fields": {"type": "array", "items": {"type": "string"}},
        "life": {"type": "integer", "minimum": 1},
        "origin": {"type": "integer", "minimum": 1},
        "writer": {"type": "string"},
        "at": {"type": "string", "format": "date-time"},
        "row": {"type": ["object", "null"]},
        "matches": {"const": False},
    },
    "required": ["position", "record", "kind", "key", "life", "origin", "writer", "at"],
}
PAGE_SCHEMA: JsonSchema = {
    "type": "object",
    "properties": {
        "found": {"type": "boolean"},
        "changes": {"type": "array", "items": CHANGE_SCHEMA},
        "next": _POSITION,
        "head": _POSITION,
        "horizon": _POSITION,
        "complete": {"type": "boolean"},
    },
    "required": ["found", "changes", "next", "head", "horizon", "complete"],
}
CONSUMER_SCHEMA: JsonSchema = {
    "type": "object",
    "properties": {
        "consumer": {"type": "string"},
        "position": _POSITION,
        "registered_at": {"type": "string", "format": "date-time"},
        "seen_at": {"type": "string", "format": "date-time"},
    },
    "required": ["consumer", "position", "registered_at", "seen_at"],
}


class ChangeEncoder:
    """Turns changes into JSON, as one reader wants them."""

    def __init__(self, catalogue: Catalogue, wanted: Wanted) -> None:
        self._catalogue = catalogue
        self._rows = wanted.rows
        self._encoders: dict[tuple[str, bool], Callable[[Row], dict[str, object]]] = {}

    def changes(self, page: FeedPage) -> list[dict[str, Any]]:
        """The changes of a page."""
        return [self._change(change) for change in page.changes]

    def page(self, page: FeedPage) -> dict[str, Any]:
        """A whole page, as `feed.read` answers."""
        return {
            "found": page.found,
            "changes": self.changes(page),
            "next": page.next,
            **ends_json(page.ends),
            "complete": page.complete,
        }

    def _change(self, change: Change) -> dict[str, Any]:
        entry = change.entry
        told: dict[str, Any] = {"position": entry.position, "record": entry.record}
        if entry.record is None:
            told["table"] = entry.table
        told |= {"kind": entry.kind, "key": self._key(change)}
        if entry.kind == "update":
            told["fields"] = list(entry.fields)
        told |= {
            "life": entry.life,
            "origin": entry.origin,
            "writer": entry.writer,
            "at": moment_json(entry.stamp),
        }
        if self._rows:
            told["row"] = self._row(change)
        if not change.matches:
            told["matches"] = False
        return told

    def _key(self, change: Change) -> dict[str, object] | None:
        entry = change.entry
        if entry.record is None or entry.key is None:
            return None
        record = self._catalogue.records[entry.record]
        return self._encoder(entry.record, keys=True)(dict(zip(record.key, entry.key, strict=True)))

    def _row(self, change: Change) -> dict[str, object] | None:
        if change.row is None or change.entry.record is None:
            return None
        return self._encoder(change.entry.record, keys=False)(change.row)

    def _encoder(self, name: str, *, keys: bool) -> Callable[[Row], dict[str, object]]:
        """The encoder of a class's rows or keys, made once."""
        known = self._encoders.get((name, keys))
        if known is None:
            record = self._catalogue.records[name]
            known = encoder(record, record.key if keys else tuple(record.fields))
            self._encoders[name, keys] = known
        return known


def ends_json(ends: Ends) -> dict[str, int]:
    """How far the changelog reaches."""
    return {"head": ends.head, "horizon": ends.horizon}


def consumer_json(consumer: Consumer) -> dict[str, Any]:
    """A consumer."""
    return {
        "consumer": consumer.name,
        "position": consumer.position,
        "registered_at": moment_json(consumer.registered_at),
        "seen_at": moment_json(consumer.seen_at),
    }


def moment_json(microseconds: int) -> str:
    """RFC 3339 in UTC, from microseconds since 1970."""
    moment = _EPOCH + datetime.timedelta(microseconds=min(microseconds, _LAST_MOMENT))
    return moment.isoformat("T", "microseconds") + "Z"
