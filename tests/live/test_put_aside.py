"""Two nodes that wrote apart: what lost is seen and restored from the shell, and both agree."""

from __future__ import annotations

import json
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from service.database_url import DatabaseUrl
from service.server import PrivateServer
from tests.live.node import NodeProcess, migrate
from tests.service.cli.nodes import herdbook
from tests.service.store.tools import read

RECORDS = "tests.live.herd"
SECONDS = 60

Nodes = tuple[NodeProcess, NodeProcess]


@pytest.fixture
def nodes(tmp_path: Path, server: PrivateServer, database: str) -> Iterator[Nodes]:
    """Two nodes, linked; before that each of them made the farm F, the second one later."""
    name = DatabaseUrl.parse(database).database + "_other"
    server.create_database(name)
    folders, urls = (tmp_path / "one", tmp_path / "two"), (database, server.url(name))
    for folder, url, title in zip(folders, urls, ("early", "late"), strict=True):
        folder.mkdir()
        migrate(folder, url, RECORDS)
        with NodeProcess(folder, url, HERDBOOK_NODE_RECORDS=RECORDS) as node:
            node.call("farm.create", {"code": "F", "name": title})
    place = f"unix:{tmp_path}/herd.sock"
    common = {"HERDBOOK_NODE_RECORDS": RECORDS, "HERDBOOK_CAPTURE_CHECK_SECONDS": "1"}
    with ExitStack() as stack:
        one = NodeProcess(
            folders[0], urls[0], HERDBOOK_NODE_NAME="one", HERDBOOK_HERD_LISTEN=place, **common
        )
        two = NodeProcess(
            folders[1], urls[1], HERDBOOK_NODE_NAME="two", HERDBOOK_HERD_SIBLINGS=place, **common
        )
        yield stack.enter_context(one), stack.enter_context(two)
    server.drop_database(name)


def until(holds: Callable[[], bool], what: str) -> None:
    """Wait for something that takes a moment between two processes."""
    end = time.monotonic() + SECONDS
    while not holds():
        assert time.monotonic() < end, what
        time.sleep(0.05)


def names(nodes: Nodes) -> list[str]:
    """What each node calls the farm."""
    return [node.call("farm.get", {"code": "F"})["name"] for node in nodes]


def ran(*arguments: str, code: int = 0) -> Any:
    """What a command prints for programs."""
    done = herdbook(*arguments, "--json")
    assert done.returncode == code, done.stderr
    return json.loads(done.stdout)


def metrics(node: NodeProcess) -> str:
    """What the node counts."""
    with urllib.request.urlopen(f"{node.admin}metrics", timeout=SECONDS) as page:
        return str(page.read().decode())


@pytest.mark.slow
def test_what_lost_between_two_nodes_is_restored_from_the_shell(nodes: Nodes) -> None:
    """The later name stands on both; one command brings the earlier one back, on both."""
    until(lambda: names(nodes) == ["late", "late"], "the nodes do not agree")
    holders = [node for node in nodes if node.call("journal.list")["entries"]]
    (entry,) = ran("journal", "list", "--url", holders[0].rpc)["entries"]
    assert (entry["rule"], entry["key"]) == ("later write", {"code": "F"})
    assert {entry["values"][0]["lost_at"]["node"], entry["values"][0]["kept_at"]["node"]} <= {
        "one", "two", None,
    }  # fmt: skip
    number = str(entry["number"])
    shown = herdbook("journal", "show", number, "--url", holders[0].rpc)
    assert '"early"' in shown.stdout
    assert '"late"' in shown.stdout
    ran("journal", "restore", number, "--url", holders[0].rpc)
    until(lambda: names(nodes) == ["early", "early"], "what was restored does not travel")
    again = herdbook("journal", "restore", number, "--url", holders[0].rpc)
    assert again.returncode == 1
    assert "restored already" in again.stderr


@pytest.mark.slow
def test_the_state_of_the_herd_is_told_by_each_node(nodes: Nodes) -> None:
    """Both are linked and lack nothing; together they are one graph, whole."""

    def settled() -> bool:
        told = [node.call("herd.status")["siblings"] for node in nodes]
        return all(
            len(siblings) == 1
            and siblings[0]["state"].startswith("streaming")
            and siblings[0]["they_lack"] == 0
            for siblings in told
        )

    until(settled, "the nodes do not come to rest")
    status = ran("herd", "status", "--url", nodes[0].rpc)
    assert (status["name"], status["siblings"][0]["name"]) == ("one", "two")
    assert status["siblings"][0]["schema"] == status["schema"]
    graph = ran("herd", "graph", nodes[0].rpc, nodes[1].rpc)
    assert graph["whole"]
    assert graph["diameter"] == 1
    assert {node["name"] for node in graph["nodes"]} == {"one", "two"}


@pytest.mark.slow
def test_what_a_node_cannot_write_is_held_retried_and_counted(
    nodes: Nodes, server: PrivateServer, database: str
) -> None:
    """A rule that one database has by itself; lifted, one command writes what waited."""
    one, two = nodes
    until(lambda: names(nodes) == ["late", "late"], "the nodes do not agree")
    url = server.url(DatabaseUrl.parse(database).database + "_other")
    read(url, "ALTER TABLE farm ADD CONSTRAINT short CHECK (CHAR_LENGTH(name) < 9)")
    one.call("farm.create", {"code": "G", "name": "much too long"})
    until(lambda: bool(two.call("held.list")["held"]), "nothing is held")
    assert ran("herd", "status", "--url", two.rpc, code=3)["held"]["refused"] == 1
    until(lambda: 'herdbook_held{reason="refused"} 1.0' in metrics(two), "it is not counted")
    still = ran("held", "retry", "--url", two.rpc, code=3)
    assert (still["written"], len(still["held"])) == (0, 1)
    read(url, "ALTER TABLE farm DROP CONSTRAINT short")
    assert ran("held", "retry", "farm", "G", "--url", two.rpc) == {"written": 1, "held": []}
    assert two.call("farm.get", {"code": "G"})["name"] == "much too long"
    until(lambda: 'herdbook_held{reason="refused"} 0.0' in metrics(two), "it is still counted")
    status = ran("herd", "status", "--url", two.rpc)
    assert status["held"]["refused"] == 0
