"""`herdbook feed` and a real node: what people and programs see of the changes."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.live.node import NodeProcess, served
from tests.service.cli.nodes import ROOT, herdbook
from tests.service.store.tools import ask, raw_connection

PATIENCE = 60.0


class Follower:
    """A `herdbook feed tail` under way."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def lines(self, count: int) -> list[Any]:
        """The next changes that it shows."""
        assert self._process.stdout is not None
        return [json.loads(self._process.stdout.readline()) for _ in range(count)]

    def interrupt(self) -> tuple[int, str]:
        """Press Ctrl-C; the exit code, and what it still showed."""
        self._process.send_signal(signal.SIGINT)
        shown, _nothing = self._process.communicate(timeout=PATIENCE)
        return self._process.returncode, shown


@contextmanager
def tail(url: str, *more: str) -> Iterator[Follower]:
    """Follow a stream for the time of a block; killed where it takes too long."""
    process = subprocess.Popen(
        [sys.executable, "-P", "-m", "service.cli.main", "feed", "tail", "--url", url, *more],
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
    )
    deadline = threading.Timer(PATIENCE, process.kill)
    deadline.start()
    try:
        yield Follower(process)
    finally:
        deadline.cancel()
        process.kill()
        process.communicate()


def test_following_survives_a_restart_and_ends_with_ctrl_c(tmp_path: Path, database: str) -> None:
    """Each change is shown once and in order, those too that were made while the node was down."""
    with served(tmp_path, database) as node:
        farm = node.call("farm.create", {"name": "0"})
        url, port = node.stream, urlsplit(node.stream).port
        with tail(url, "--from", "start", "--json", "--rows") as follower:
            shown = follower.lines(1)
            node.__exit__(None, None, None)
            with raw_connection(database) as connection:
                ask(connection, "UPDATE farm SET name = '1'")
            again = {"HERDBOOK_LISTEN_STREAM": f"tcp:{port}:interface=127.0.0.1"}
            with NodeProcess(tmp_path, database, **again) as node:
                shown += follower.lines(1)
                node.call("farm.update", {"id": farm["id"], "name": "2"})
                node.call("farm.delete", {"id": farm["id"]})
                shown += follower.lines(2)
                assert follower.interrupt() == (0, "")
    assert [change["position"] for change in shown] == [1, 2, 3, 4]
    assert [change["kind"] for change in shown] == ["insert", "update", "update", "delete"]
    assert shown[1]["writer"].startswith("sql:")


def test_consumers_are_seen_and_forgotten(tmp_path: Path, database: str) -> None:
    """What keeps the changelog from being pruned can be found and ended from the shell."""
    with served(tmp_path, database) as node:
        node.call("farm.create", {"records": [{"name": str(number)} for number in range(3)]})
        page = node.call("feed.read", {"from": 0, "wait_seconds": 20})
        node.call("feed.register", {"consumer": "search-index", "from": 1})
        listed = herdbook("feed", "consumers", "--url", node.stream)
        assert listed.returncode == 0, listed.stderr
        assert page["head"] == 3
        assert listed.stdout.splitlines()[2].split()[:3] == ["search-index", "1", "2"]
        assert herdbook("feed", "forget", "search-index", "--url", node.stream).returncode == 0
        assert node.call("feed.consumers")["consumers"] == []
        plain = herdbook("feed", "forget", "search-index", "--url", node.stream)
        assert (plain.returncode, plain.stdout) == (1, "")
        assert "there is no consumer search-index" in plain.stderr
        assert "herdbook feed consumers" in plain.stderr
        again = herdbook("feed", "forget", "search-index", "--url", node.stream, "--json")
        assert again.returncode == 1
        assert json.loads(again.stderr)["error"]["data"]["code"] == "feed.refused"


@pytest.mark.parametrize(
    ("words", "count"),
    [
        (["--from", "start", "--count", "2"], 2),
        (["--from", "1", "--count", "1"], 1),
        (
            [
                "--from",
                "start",
                "--record",
                "farm",
                "--where",
                '["name", "=", "b"]',
                "--count",
                "1",
            ],
            1,
        ),
    ],
)
def test_people_see_lines(tmp_path: Path, database: str, words: list[str], count: int) -> None:
    """As many as asked for, each with its record and writer."""
    with served(tmp_path, database) as node:
        node.call("farm.create", {"records": [{"name": "a"}, {"name": "b"}]})
        ran = herdbook("feed", "tail", "--url", node.stream, *words)
    assert (ran.returncode, ran.stderr) == (0, "")
    lines = ran.stdout.splitlines()
    assert len(lines) == count
    assert all("  farm  insert  id=" in line and "api:127.0.0.1" in line for line in lines)


def test_positions_outside_the_changelog_are_told_apart(tmp_path: Path, database: str) -> None:
    """One that is no longer kept, and one that was never given."""
    with served(tmp_path, database) as node:
        node.call("farm.create", {"records": [{"name": str(number)} for number in range(3)]})
        node.call("feed.read", {"from": 0, "wait_seconds": 20})
        with raw_connection(database) as connection:
            ask(connection, "DELETE FROM herdbook_changelog WHERE position <= 2")
            ask(connection, "UPDATE herdbook_sealer SET horizon = 2")
        told = [
            herdbook("feed", "tail", "--from", start, "--url", node.stream).stderr
            for start in ("1", "7")
        ]
    assert "after position 1 are no longer kept; those after 2 are, up to 3" in told[0]
    assert "7 was never given; the last position is 3" in told[1]
    assert "read on from its last position" in told[1]


def test_a_listener_that_takes_http_is_told_from_the_stream(tmp_path: Path, database: str) -> None:
    """The command ends at once and names the listener that it needs."""
    with served(tmp_path, database) as node:
        for other in (node.rpc, node.admin):
            url = f"tcp://{urlsplit(other).netloc}"
            ran = herdbook("feed", "tail", "--url", url)
            assert ran.returncode == 1
            assert f"{url} takes HTTP: it is no stream" in ran.stderr
            assert "listen.stream" in ran.stderr
