"""A node that is retired on one node is refused on all that the record reaches, and stays so."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.conftest import Servers
from tests.live.herds import LiveHerd
from tests.live.test_herd_peers import farms, reasons
from tests.live.test_herd_tls import Papers, care, herd_of, shown, until

STATE = "SELECT state FROM herdbook_herd_node WHERE name = 'node2'"


@pytest.fixture
def papers(tmp_path: Path) -> Papers:
    """The files of the herd."""
    return Papers(tmp_path / "papers")


def refused_by(nodes: LiveHerd, number: int) -> None:
    """Wait until a node is not linked with node2, and says why."""
    node = nodes.nodes[number]
    until(lambda: "node2" not in shown(node), node.log)
    until(lambda: "sibling.retired" in reasons(node), node.log)


@pytest.mark.slow
def test_who_is_retired_on_one_node_is_refused_on_all(
    tmp_path: Path, servers: Servers, papers: Papers
) -> None:
    """Also after they were started again, and whatever he writes; until each takes him back."""
    with herd_of(tmp_path, servers, papers) as nodes:
        first, second, third = nodes.nodes
        until(lambda: len(first.call("node.list")["records"]) == 3, first.log)
        first.call("farm.create", {"code": "before", "name": "before"})
        nodes.agree()
        care("retire", nodes, 0)
        for number in (0, 1):
            refused_by(nodes, number)
        until(lambda: "node2 (origin" in second.log().split("retired here")[0], second.log)
        assert "is retired here, as its record says" in second.log()
        assert nodes.rows(1, STATE) == [("retired",)]
        record = third.call("node.list", {"where": ["name", "=", "node2"]})["records"][0]
        third.call("node.update", {"record": {"id": record["id"], "state": "active"}})
        third.call("farm.create", {"code": "late", "name": "late"})
        for number in (0, 1):
            nodes.nodes[number].stop()
            nodes.nodes[number].start()
        for number in (0, 1):
            refused_by(nodes, number)
        first.call("farm.create", {"code": "after", "name": "after"})
        until(lambda: farms(nodes, 1) == ["after", "before"], second.log)
        assert farms(nodes, 2) == ["before", "late"]
        care("readmit", nodes, 0)
        until(lambda: "node2" in shown(first), first.log)
        until(lambda: farms(nodes, 0) == ["after", "before", "late"], first.log)
        assert "node2" not in shown(second)
        until(lambda: nodes.rows(1, STATE) == [("active",)], second.log)
        refused_by(nodes, 1)
        care("readmit", nodes, 1)
        until(lambda: "node2" in shown(second), second.log)
        nodes.agree()
