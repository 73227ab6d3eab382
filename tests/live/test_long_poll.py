"""feed.read that waits, over HTTP, on a node with its sealer."""

from __future__ import annotations

import json
import socket
import time
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.live.node import NodeProcess, served
from tests.service.store.tools import ask, raw_connection

PATIENCE = 20.0
FARM = "INSERT INTO farm (id, name) VALUES (UNHEX(REPLACE(UUID(), '-', '')), '{}')"


@pytest.fixture
def node(tmp_path: Path, database: str) -> Iterator[NodeProcess]:
    """A node on an empty, captured database."""
    with served(tmp_path, database) as running:
        yield running


def assert_waiting(node: NodeProcess, count: int) -> None:
    """Wait until so many calls wait for a change."""
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        with urllib.request.urlopen(f"{node.admin}metrics", timeout=PATIENCE) as answer:
            if f"herdbook_feed_waiting {count:.1f}" in answer.read().decode():
                return
        time.sleep(0.02)
    raise AssertionError(f"there are never {count} calls that wait")


def write(database: str, name: str) -> None:
    """A farm, by plain SQL."""
    with raw_connection(database) as connection:
        ask(connection, FARM.format(name))


def test_a_waiting_call_is_answered_when_somebody_writes(node: NodeProcess, database: str) -> None:
    """Plain SQL as well as a call; each of those who wait, and with whole pages."""
    with ThreadPoolExecutor(4) as pool:
        for turn in range(3):
            asked = {"from": turn, "wait_seconds": 25}
            calls = [pool.submit(node.call, "feed.read", asked) for _ in range(4)]
            assert_waiting(node, 4)
            if turn == 1:
                node.call("farm.create", {"name": f"farm {turn}"})
            else:
                write(database, f"farm {turn}")
            answers = [call.result(PATIENCE) for call in calls]
            for answer in answers:
                (change,) = answer["changes"]
                assert change["row"]["name"] == f"farm {turn}"
                assert change["writer"].startswith("api:" if turn == 1 else "sql:")
                assert answer["next"] == turn + 1
    assert_waiting(node, 0)


def test_a_client_that_hangs_up_is_waited_for_no_more(node: NodeProcess) -> None:
    """Its call ends, and the node serves others."""
    place = urlsplit(node.rpc)
    call = {"jsonrpc": "2.0", "id": 1, "method": "feed.read", "params": {"wait_seconds": 25}}
    body = json.dumps(call).encode()
    head = (
        f"POST / HTTP/1.1\r\nHost: {place.hostname}\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    for _ in range(5):
        with socket.create_connection((place.hostname, place.port), timeout=PATIENCE) as client:
            client.sendall(head.encode() + body)
            assert_waiting(node, 1)
        assert_waiting(node, 0)


def test_a_node_that_stops_answers_those_who_wait(tmp_path: Path, database: str) -> None:
    """With an empty page to go on from, and at once."""
    with ThreadPoolExecutor(1) as pool:
        with served(tmp_path, database) as node:
            call = pool.submit(node.call, "feed.read", {"wait_seconds": 25})
            assert_waiting(node, 1)
        answer = call.result(PATIENCE)
    assert (answer["found"], answer["changes"], answer["next"]) == (True, [], 0)


def test_reading_page_by_page_while_others_write_leaves_nothing_out(
    node: NodeProcess, database: str
) -> None:
    """Positions without gap or repeat, and in the end exactly what the table holds."""

    def write_many(writer: int) -> None:
        for number in range(40):
            write(database, f"{writer}.{number}")

    with ThreadPoolExecutor(3) as pool:
        writers = [pool.submit(write_many, writer) for writer in range(3)]
        position, complete = 0, False
        seen: list[str] = []
        until = time.monotonic() + PATIENCE
        while len(seen) < 120 or not complete:
            assert time.monotonic() < until, f"only {len(seen)} changes came"
            page = node.call("feed.read", {"from": position, "limit": 7, "wait_seconds": 5})
            assert [change["position"] for change in page["changes"]] == list(
                range(position + 1, page["next"] + 1)
            )
            seen += [change["row"]["name"] for change in page["changes"]]
            position, complete = page["next"], page["complete"]
        for writer in writers:
            writer.result(PATIENCE)
    assert sorted(seen) == sorted(
        f"{writer}.{number}" for writer in range(3) for number in range(40)
    )
