"""`docs/feed.md`: its examples are sent to a node."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from service.methods.feed_json import CHANGE_SCHEMA, PAGE_SCHEMA
from service.methods.feed_request import READING
from tests.live.node import NodeProcess, migrate

PAGE = (Path(__file__).parents[2] / "docs" / "feed.md").read_text()
GAZETTEER = "examples.gazetteer.records"
OF_THE_MOMENT = {"at", "origin", "registered_at", "seen_at"}
"""Members whose values are others each time."""


def blocks() -> list[tuple[str, str]]:
    """The fenced blocks that hold calls and answers, with their kinds, in order."""
    fence = r"^```(json|json-result|json-answer)\n(.*?)^```$"
    return re.findall(fence, PAGE, re.MULTILINE | re.DOTALL)


def lasting(value: Any) -> Any:
    """A value without what is another each time; that it is there still counts."""
    if isinstance(value, list):
        return [lasting(item) for item in value]
    if not isinstance(value, dict):
        return value
    return {
        name: type(item).__name__ if name in OF_THE_MOMENT else lasting(item)
        for name, item in value.items()
    }


@pytest.mark.slow
def test_every_example_of_the_page_is_answered_as_it_says(tmp_path: Path, database: str) -> None:
    """What stands below a call is what a node answers."""
    migrate(tmp_path, database, GAZETTEER)
    with NodeProcess(tmp_path, database, HERDBOOK_NODE_RECORDS=GAZETTEER) as node:
        answer: dict[str, Any] = {}
        for kind, text in blocks():
            if kind == "json":
                answer = node.post(json.loads(text))
            elif kind == "json-result":
                assert lasting(answer["result"]) == lasting(json.loads(text)), answer
            else:
                shown, data = json.loads(text), answer["error"]["data"]
                assert {name: data.get(name) for name in shown} == shown
    assert sum(kind != "json" for kind, _text in blocks()) >= 4


def test_the_page_explains_every_member_and_parameter() -> None:
    """Whatever is sent or told, a reader finds."""
    names = {*PAGE_SCHEMA["properties"], *CHANGE_SCHEMA["properties"]}
    names |= {parameter.name for parameter in READING}
    missing = {name for name in names if not re.search(rf"[`\"]{name}\b", PAGE)}
    assert missing == set()
