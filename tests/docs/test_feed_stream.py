"""`docs/feed.md`: what it shows of the stream is what a node says, and its lists are whole."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from service.methods import subscriptions
from service.metrics import StreamMetrics, new_registry
from tests.docs.test_feed import GAZETTEER, PAGE, blocks, lasting
from tests.live.lines import LineClient
from tests.live.node import NodeProcess, migrate

ROOT = Path(__file__).parents[2]
OPERATING = (ROOT / "docs" / "operating.md").read_text()


def conversation() -> list[tuple[str, Any]]:
    """Each line of the page's conversation: who says it, and what."""
    [text] = re.findall(r"^```stream\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    return [(line[0], json.loads(line[2:])) for line in text.splitlines()]


def canonical(messages: list[Any]) -> list[str]:
    """Messages in an order of their own: an answer and a notification may come either way round."""
    return sorted(json.dumps(lasting(message), sort_keys=True) for message in messages)


@pytest.mark.slow
def test_the_conversation_of_the_page_takes_place(tmp_path: Path, database: str) -> None:
    """A program that sends the lines of the page gets the lines of the page."""
    migrate(tmp_path, database, GAZETTEER)
    with NodeProcess(tmp_path, database, HERDBOOK_NODE_RECORDS=GAZETTEER) as node:
        for _kind, text in blocks()[:3]:
            assert "result" in node.post(json.loads(text))
        with LineClient(node.stream) as client:
            got, expected = [], []
            for who, message in conversation():
                if who == ">":
                    client.send(json.dumps(message).encode() + b"\n")
                else:
                    expected.append(message)
                    got.append(client.receive())
            assert canonical(got) == canonical(expected)
    assert len(expected) == 4


def test_the_page_lists_every_reason() -> None:
    """Whatever ends a subscription, a reader finds what it means."""
    for reason in (subscriptions.STALLED, subscriptions.PRUNED, subscriptions.TOO_LARGE):
        assert f"| `{reason}` |" in PAGE


def test_the_numbers_of_the_stream_are_listed() -> None:
    """Every metric that the stream has stands on the page about operating."""
    registry = new_registry()
    StreamMetrics(registry)
    names = {
        sample.name
        for metric in registry.collect()
        for sample in metric.samples
        if sample.name.startswith("herdbook_") and not sample.name.endswith("_created")
    }
    assert len(names) == 4
    assert {name for name in names if f"`{name}`" not in OPERATING} == set()
