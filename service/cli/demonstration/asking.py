"""Calls to the demonstration's nodes, and what their journals say."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from service.cli.output import CommandFailed
from service.cli.rpc_client import Request, send

_SECONDS = 120.0


@dataclass(frozen=True)
class Entry:
    """What a journal says of one row: why, what was put aside, and what stands there now.

    `number` is that of one node's journal; entries that say the same are equal.
    """

    rule: str
    record: str
    key: dict[str, Any]
    lost: dict[str, Any]
    kept: dict[str, Any]
    number: int = field(compare=False)

    def as_plain(self) -> dict[str, Any]:
        """What is shown of it."""
        return {"rule": self.rule, "record": self.record, "lost": self.lost, "kept": self.kept}


def answer_of(url: str, method: str, params: dict[str, Any]) -> dict[str, Any]:
    """The answer of a call, as {"result": …} or {"error": …}."""
    answer = send(url, Request(method, json.dumps(params), 1), _SECONDS)
    if answer.error is not None:
        return {"error": json.loads(answer.error)}
    return {"result": json.loads(answer.result or "null")}


def result_of(url: str, method: str, params: dict[str, Any]) -> Any:
    """The result of a call that must not fail."""
    answer = answer_of(url, method, params)
    if "error" in answer:
        raise CommandFailed(f"{method} failed: {answer['error']['message']}")
    return answer["result"]


def journal_of(url: str) -> list[Entry]:
    """What was put aside at a node, the first first."""
    return [_entry(told) for page in _pages(url) for told in page][::-1]


def _pages(url: str) -> Iterator[list[dict[str, Any]]]:
    """Each page of the journal, the newest first."""
    more: dict[str, Any] = {}
    while True:
        page = result_of(url, "journal.list", more)
        yield page["entries"]
        if page["next"] is None:
            return
        more = {"next": page["next"]}


def _entry(told: dict[str, Any]) -> Entry:
    values = told["values"]
    return Entry(
        told["rule"],
        told["record"],
        told["key"],
        {value["field"]: value["lost"] for value in values},
        {value["field"]: value["kept"] for value in values if value["kept_at"] is not None},
        told["number"],
    )
