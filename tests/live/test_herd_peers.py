"""Whole nodes over TLS come from their ranges, whichever node was told of these."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.conftest import Servers
from tests.live.herds import LiveHerd
from tests.live.node import NodeProcess
from tests.live.test_herd_tls import Papers, herd_of, shown, until

WRONG = "sibling.wrong_address"


@pytest.fixture
def papers(tmp_path: Path) -> Papers:
    """The files of the herd."""
    return Papers(tmp_path / "papers")


def reasons(node: NodeProcess) -> str:
    """Why a node is not linked with others."""
    return "".join(one.get("reason") or "" for one in node.call("herd.status")["siblings"])


def give(node: NodeProcess, name: str, cidr: str) -> str:
    """A range of addresses that links of a node come from; its id."""
    asked = {"cidr": cidr, "purpose": "peers", "node": name}
    given: str = node.call("range.add", asked)["id"]
    return given


def farms(nodes: LiveHerd, number: int) -> list[str]:
    """What a node has."""
    found = nodes.rows(number, "SELECT code FROM farm ORDER BY code")
    return [code for (code,) in found]


@pytest.mark.slow
def test_a_node_that_comes_from_elsewhere_is_shut_out_everywhere(
    tmp_path: Path, servers: Servers, papers: Papers
) -> None:
    """Told to one node; the other refuses it too. Given its range back, it gets what it lacks."""
    with herd_of(tmp_path, servers, papers) as nodes:
        first, second, third = nodes.nodes
        first.call("farm.create", {"code": "before", "name": "before"})
        nodes.agree()
        given = give(first, "node2", "10.9.0.0/16")
        for node in (first, second):
            until(lambda node=node: "node2" not in shown(node), node.log)  # type: ignore[misc]
            until(lambda node=node: WRONG in reasons(node), node.log)  # type: ignore[misc]
        assert WRONG in first.log()
        first.call("farm.create", {"code": "after", "name": "after"})
        third.call("farm.create", {"code": "alone", "name": "alone"})
        until(lambda: farms(nodes, 1) == ["after", "before"], second.log)
        until(lambda: WRONG in reasons(third), third.log)
        assert farms(nodes, 0) == ["after", "before"]
        assert farms(nodes, 2) == ["alone", "before"]
        give(second, "node2", "127.0.0.0/8")
        nodes.agree()
        assert farms(nodes, 2) == ["after", "alone", "before"]
        until(lambda: WRONG not in reasons(first) + reasons(second), first.log)
        first.call("range.release", {"record": {"id": given}})
        nodes.agree()
        assert set(shown(third)) == {"node0", "node1"}
