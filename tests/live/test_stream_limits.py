"""Clients of the stream that do not read, do not end, or are too many: what they may cost."""

from __future__ import annotations

import re
import time
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest

from tests.live.lines import Ended, LineClient
from tests.live.node import NodeProcess, served
from tests.service.cli.nodes import resident_kilobytes

ROWS, ROW_BYTES = 1_200, 100_000
MOST_KILOBYTES = 256 * 1024
PATIENCE = 60.0


def number_of(node: NodeProcess, name: str) -> float:
    """A number that the node counts."""
    with urlopen(f"{node.admin}metrics", timeout=30) as reply:
        text = reply.read().decode()
    found = re.search(rf"^{name} (\S+)$", text, re.MULTILINE)
    assert found, name
    return float(found[1])


def wait_for(node: NodeProcess, name: str, least: float) -> None:
    """Wait until a number has grown so far."""
    deadline = time.monotonic() + PATIENCE
    while number_of(node, name) < least:
        assert time.monotonic() < deadline, f"{name} is {number_of(node, name)}"
        time.sleep(0.05)


def wait_until_gone(node: NodeProcess, name: str) -> None:
    """Wait until a number is back at nothing."""
    deadline = time.monotonic() + PATIENCE
    while number_of(node, name) > 0:
        assert time.monotonic() < deadline, f"{name} is {number_of(node, name)}"
        time.sleep(0.05)


def most_kilobytes(node: NodeProcess) -> int:
    """The most memory that a node ever held."""
    status = Path(f"/proc/{node.pid}/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0])


def fill(node: NodeProcess) -> None:
    """Write far more than a node may hold."""
    for start in range(0, ROWS, 20):
        rows = [{"normal": start + at, "story": "x" * ROW_BYTES} for at in range(20)]
        node.call("sample.create", {"records": rows})


def read_until_overflow(client: LineClient, told: dict[int, list[int]]) -> dict[str, Any]:
    """Take pages in, by subscription, up to the first overflow."""
    while True:
        message = client.receive(1_000_000)
        params: dict[str, Any] = message["params"]
        if message["method"] == "feed.overflow":
            return params
        told[params["subscription"]] += [change["position"] for change in params["changes"]]


@pytest.mark.slow
def test_stalled_subscribers_cost_little_and_are_told(tmp_path: Path, database: str) -> None:
    """They hold a page each, lose their subscriptions, and take them up again without a gap."""
    with served(
        tmp_path, database, HERDBOOK_FEED_STALL_SECONDS="1", HERDBOOK_FEED_SUBSCRIPTIONS="4"
    ) as node:
        fill(node)
        with LineClient(node.stream, receive_buffer=65_536) as client:
            numbers = [client.call("feed.subscribe")["subscription"] for _ in range(4)]
            told: dict[int, list[int]] = {number: [] for number in numbers}
            wait_for(node, "herdbook_feed_overflows_total", 4)
            assert most_kilobytes(node) < MOST_KILOBYTES
            assert number_of(node, "herdbook_feed_subscriptions") == 0
            for message in client.messages:
                told[message["params"]["subscription"]] += [
                    change["position"] for change in message["params"]["changes"]
                ]
            client.messages.clear()
            ends = [read_until_overflow(client, told) for _ in numbers]
            for end in ends:
                assert end["reason"] == "stalled"
                positions = told[end["subscription"]]
                assert positions == list(range(1, end["next"] + 1))
            last = max(end["next"] for end in ends)
            assert 0 < last < ROWS / 2
            again = client.call("feed.subscribe", {"from": last, "rows": False})["subscription"]
            rest: list[int] = []
            while len(rest) < ROWS - last:
                params = client.told()["params"]
                assert params["subscription"] == again
                rest += [change["position"] for change in params["changes"]]
            assert rest == list(range(last + 1, ROWS + 1))
        assert resident_kilobytes(node.pid) < MOST_KILOBYTES


@pytest.mark.slow
def test_a_connection_that_stays_unread_is_cut_off(tmp_path: Path, database: str) -> None:
    """Who never reads again is in nobody's way for ever."""
    with served(tmp_path, database, HERDBOOK_FEED_STALL_SECONDS="0.5") as node:
        fill(node)
        with LineClient(node.stream, receive_buffer=65_536) as client:
            assert client.call("feed.subscribe")["subscription"] == 1
            wait_for(node, "herdbook_feed_overflows_total", 1)
            wait_until_gone(node, "herdbook_stream_connections")
            with pytest.raises(Ended):
                read_until_overflow(client, {1: []})


@pytest.mark.slow
def test_a_flood_of_connections_leaves_the_node_working(tmp_path: Path, database: str) -> None:
    """Those beyond the limit are told so at once; when others leave there is room again."""
    with served(tmp_path, database) as node:
        clients = [LineClient(node.stream) for _ in range(1_010)]
        try:
            refused = [client.receive()["error"]["data"]["code"] for client in clients[1_000:]]
            assert refused == ["server.busy"] * 10
            assert clients[0].call("farm.count") == 0
            assert node.call("farm.count") == 0
        finally:
            for client in clients:
                client.cut()
        wait_until_gone(node, "herdbook_stream_connections")
        with LineClient(node.stream) as client:
            assert client.call("farm.count") == 0


def test_a_line_that_never_ends_is_refused_in_time(tmp_path: Path, database: str) -> None:
    """It is read no further than the limit; other connections notice nothing."""
    with (
        served(tmp_path, database, HERDBOOK_LIMITS_BODY_BYTES="100000") as node,
        LineClient(node.stream) as other,
        LineClient(node.stream) as client,
    ):
        for _ in range(50):
            client.send(b"[" * 10_000)
        error = client.receive()["error"]
        assert (error["code"], error["data"]["code"]) == (-32010, "limit.body")
        with pytest.raises(Ended):
            client.receive()
        assert other.call("farm.count") == 0
