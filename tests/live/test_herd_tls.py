"""Whole nodes of a herd over TLS: they agree, renew while they run, and refuse who is retired."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path

import pytest

from service.identity.authority import Authority, renew
from service.identity.certificates import certificate_pem, read_certificate
from service.identity.files import replace
from tests.conftest import Servers
from tests.live.herds import LiveHerd
from tests.live.node import NodeProcess
from tests.servers.programs import chosen_kinds
from tests.service.identity.papers import OTHER_HERD, herd, node_files

SECONDS = 120
NOW = datetime.now(UTC)
TRIANGLE = [(1, 0), (2, 0), (2, 1)]


class Papers:
    """The files of a herd's nodes, as they are configured."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.authority: Authority = herd(NOW)
        self.strangers: set[str] = set()

    def __call__(self, name: str) -> Mapping[str, str]:
        """The settings of a node."""
        other = herd(NOW, OTHER_HERD)
        authority = other if name in self.strangers else self.authority
        files = node_files(self._folder / name, authority, name, NOW)
        named = {f"HERDBOOK_HERD_{key.upper()}": str(path) for key, path in files._asdict().items()}
        return {**named, "HERDBOOK_CAPTURE_CHECK_SECONDS": "0.5"}

    def renew(self, name: str) -> None:
        """A new certificate in the place of a node's."""
        path = self._folder / name / "node.crt"
        former = read_certificate(path.read_bytes(), "")
        replace(path, certificate_pem(renew(self.authority, former, NOW, 300)))


def herd_of(folder: Path, servers: Servers, papers: Papers) -> LiveHerd:
    """Three nodes on the tests' servers, of both kinds where both are tested."""
    kinds = chosen_kinds()
    chosen = [servers.get(kinds[number % len(kinds)]) for number in range(3)]
    return LiveHerd(folder, chosen, TRIANGLE, papers=papers)


@pytest.fixture
def papers(tmp_path: Path) -> Papers:
    """The files of the herd."""
    return Papers(tmp_path / "papers")


def until(is_so: Callable[[], object], told: Callable[[], object]) -> None:
    """Wait for something."""
    end = time.monotonic() + SECONDS
    while not is_so():
        assert time.monotonic() < end, told()
        time.sleep(0.05)


def shown(node: NodeProcess) -> dict[str, str | None]:
    """The certificates of those that a node is linked with, by name."""
    siblings = node.call("herd.status")["siblings"]
    linked = [one for one in siblings if one["state"].startswith("streaming")]
    return {one["name"]: one["fingerprint"] for one in linked}


def recorded(node: NodeProcess) -> dict[str, str | None]:
    """The certificates that stand in the records of nodes, by name."""
    return {each["name"]: each["fingerprint"] for each in node.call("node.list")["records"]}


@pytest.mark.slow
def test_three_nodes_over_tls_agree_and_renew_while_they_run(
    tmp_path: Path, servers: Servers, papers: Papers
) -> None:
    """All write; a certificate is exchanged, and counts when the wires were cut and healed."""
    with herd_of(tmp_path, servers, papers) as nodes:
        for number, node in enumerate(nodes.nodes):
            node.call("farm.create", {"code": f"f{number}", "name": f"{number}"})
        nodes.agree()
        first = nodes.nodes[0]
        before = shown(first)
        assert set(before) == {"node1", "node2"}
        assert None not in before.values()
        assert recorded(nodes.nodes[2]).items() >= before.items()
        papers.renew("node1")
        until(lambda: "a new certificate counts" in nodes.nodes[1].log(), nodes.nodes[1].log)
        with nodes.cut_off(1):
            nodes.nodes[1].call("farm.create", {"code": "alone", "name": "alone"})
        until(lambda: len(shown(first)) == 2, lambda: first.call("herd.status"))
        nodes.agree()
        after = shown(first)
        assert after["node2"] == before["node2"]
        assert after["node1"] not in (None, before["node1"])
        until(lambda: recorded(nodes.nodes[2]).items() >= after.items(), nodes.nodes[2].log)
        assert nodes.rows(2, "SELECT COUNT(*) FROM farm") == [(4,)]
        for node in nodes.nodes:
            assert "PRIVATE" not in node.log()


@pytest.mark.slow
def test_a_retired_node_gets_nothing_more_over_tls(
    tmp_path: Path, servers: Servers, papers: Papers
) -> None:
    """The command is enough: no node is started again. Taken back, it gets what it lacks."""
    with herd_of(tmp_path, servers, papers) as nodes:
        nodes.nodes[0].call("farm.create", {"code": "before", "name": "before"})
        nodes.agree()
        for number in (0, 1):
            until(lambda number=number: noted(nodes, number), nodes.nodes[number].log)  # type: ignore[misc]
            care("retire", nodes, number)
            node = nodes.nodes[number]
            until(lambda node=node: "node2" not in shown(node), node.log)  # type: ignore[misc]
        nodes.nodes[0].call("farm.create", {"code": "after", "name": "after"})
        nodes.nodes[2].call("farm.create", {"code": "lost", "name": "lost"})
        until(lambda: nodes.rows(1, "SELECT COUNT(*) FROM farm") == [(2,)], nodes.nodes[1].log)
        told = nodes.nodes[2].call("herd.status")["siblings"]
        reasons = "".join(one["reason"] or "" for one in told if one["address"])
        assert "node2 was retired" in reasons
        assert nodes.rows(2, "SELECT code FROM farm ORDER BY code") == [("before",), ("lost",)]
        assert nodes.rows(0, "SELECT code FROM farm ORDER BY code") == [("after",), ("before",)]
        for number in (0, 1):
            care("readmit", nodes, number)
        nodes.agree()
        assert nodes.rows(2, "SELECT COUNT(*) FROM farm") == [(3,)]


def noted(nodes: LiveHerd, number: int) -> bool:
    """Whether a node has noted that it has met node2."""
    return nodes.rows(number, "SELECT 1 FROM herdbook_sibling WHERE name = 'node2'") != []


def care(command: str, nodes: LiveHerd, number: int) -> None:
    """Run a command about node2 at a node."""
    words = ["herd", command, "node2", "--yes", "--database", nodes.sites[number].database]
    subprocess.run(
        [sys.executable, "-m", "service.cli.main", *words],
        check=True,
        cwd=Path(__file__).parents[2],
        timeout=SECONDS,
    )


@pytest.mark.slow
def test_a_node_of_another_herd_gets_nothing_and_gives_nothing(
    tmp_path: Path, servers: Servers, papers: Papers
) -> None:
    """The others agree without it, and say why it is not linked."""
    papers.strangers.add("node2")
    with herd_of(tmp_path, servers, papers) as nodes:
        nodes.nodes[0].call("farm.create", {"code": "ours", "name": "ours"})
        nodes.nodes[2].call("farm.create", {"code": "theirs", "name": "theirs"})
        until(lambda: nodes.rows(1, "SELECT code FROM farm") == [("ours",)], nodes.nodes[1].log)
        stranger = nodes.nodes[2]
        until(lambda: "tls.certificate" in stranger.log(), stranger.log)
        until(lambda: "tls.refused" in nodes.nodes[0].log(), nodes.nodes[0].log)
        assert nodes.rows(0, "SELECT code FROM farm") == [("ours",)]
        assert nodes.rows(2, "SELECT code FROM farm") == [("theirs",)]
        assert shown(stranger) == {}
        assert stranger.call("herd.status")["alarms"] == []
