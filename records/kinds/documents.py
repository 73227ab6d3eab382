"""JSON documents."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from records.errors import ValueRefused
from records.kinds.base import JsonSchema, Kind, refuse_type
from records.kinds.text import require_unicode

DEEPEST = 30
"""Levels of nesting: MariaDB 10.11 takes 31 at most (JSON_DEPTH_LIMIT is 32), MySQL 100."""

LOWEST_INTEGER, HIGHEST_INTEGER = -(2**63), 2**64 - 1
"""MySQL turns integers beyond these into doubles."""


LONGEST_NAME = 65_535
"""Bytes in a member's name on MySQL."""


@dataclass(frozen=True)
class JsonKind(Kind):
    """JSON. Python: what `json.loads` gives; None stands for SQL NULL, not for a JSON null.

    Compared and kept by value: MySQL orders the members of an object in its own way.
    """

    keyable = False

    def check(self, value: object) -> Any:
        """Any JSON value whose numbers and nesting both servers keep."""
        for item, depth in _walk(value):
            if depth > DEEPEST:
                raise ValueRefused("value.too_deep", f"nested deeper than {DEEPEST} levels")
            _require_scalar(item)
        return value

    def to_database(self, value: Any) -> str:
        """JSON text."""
        return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))

    def from_database(self, raw: str | bytes) -> Any:
        """Parsed JSON text."""
        return json.loads(raw)

    def json_schema(self) -> JsonSchema:
        """Anything."""
        return {}


def _walk(value: object) -> Iterator[tuple[object, int]]:
    """Every scalar and every container below `value`, with its depth; keys are among them."""
    waiting: list[tuple[object, int]] = [(value, 0)]
    while waiting:
        item, depth = waiting.pop()
        if depth <= DEEPEST:
            if isinstance(item, dict):
                _require_text_keys(item)
                waiting.extend((part, depth + 1) for part in item.values())
            elif isinstance(item, list | tuple):
                waiting.extend((part, depth + 1) for part in item)
        yield item, depth


def _require_text_keys(item: dict[Any, Any]) -> None:
    """The member names of a JSON object are text, of no more than MySQL keeps."""
    for key in item:
        name = require_unicode(key)
        if len(name) * 4 > LONGEST_NAME and len(name.encode()) > LONGEST_NAME:
            raise ValueRefused(
                "value.too_long", f"a member's name takes more than {LONGEST_NAME} bytes"
            )


def _require_scalar(item: object) -> None:
    """Refuse what JSON, or one of the servers, cannot hold."""
    if item is None or isinstance(item, bool | dict | list | tuple):
        return
    if isinstance(item, str):
        require_unicode(item)
    elif isinstance(item, int):
        _require_integer(item)
    elif not isinstance(item, float):
        refuse_type("a JSON value", item)
    elif not math.isfinite(item):
        raise ValueRefused("value.out_of_range", "JSON has no infinity and no NaN")


def _require_integer(item: int) -> None:
    """Integers that MySQL would silently turn into doubles are refused."""
    if not LOWEST_INTEGER <= item <= HIGHEST_INTEGER:
        raise ValueRefused(
            "value.out_of_range",
            f"a whole number in JSON must be between {LOWEST_INTEGER} and {HIGHEST_INTEGER}; "
            "send it as text",
        )
