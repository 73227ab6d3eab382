"""Nodes and database servers that are killed, and wires that are cut, while all write."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from service.server import PrivateServer
from tests.live.herds import LiveHerd
from tests.live.ledgers import require_all_kept
from tests.live.outages import servers_of_their_own, write_under_outages
from tests.live.units import until
from tests.live.verified import require_verified

SEED = 31
NODES = 3
CIRCLE = [(1, 0), (2, 1), (0, 2)]
FIVE = 5
FIVE_LINKED = [(1, 0), (2, 1), (3, 2), (4, 3), (0, 4), (3, 0)]


@pytest.fixture
def fragile(tmp_path: Path) -> Iterator[list[PrivateServer]]:
    """A server for each node, of both kinds where both are tested."""
    with servers_of_their_own(tmp_path, NODES) as servers:
        yield servers


@pytest.mark.slow
def test_what_is_acknowledged_outlives_nodes_servers_and_wires(
    tmp_path: Path, fragile: list[PrivateServer]
) -> None:
    """At moments from a seed a node or a server is killed, or wires are cut; it heals by itself.

    No constraint is broken at any look, and what was acknowledged is everywhere in the end.
    """
    with LiveHerd(tmp_path, fragile, CIRCLE) as herd:
        ledgers = write_under_outages(herd, SEED, outages=12, writers=2, turns=60)
        herd.agree()
        assert sum(ledger.acknowledged for ledger in ledgers) > 100
        require_all_kept(herd, ledgers)


@pytest.mark.slow
@pytest.mark.parametrize("seed", [5, 6])
def test_five_nodes_outlive_what_breaks_under_them(tmp_path: Path, seed: int) -> None:
    """A circle of five with a short cut: the same; and `herdbook verify` finds no difference."""
    with (
        servers_of_their_own(tmp_path, FIVE) as servers,
        LiveHerd(tmp_path, servers, FIVE_LINKED) as herd,
    ):
        ledgers = write_under_outages(herd, seed, outages=10, writers=2, turns=30)
        herd.agree()
        assert sum(ledger.acknowledged for ledger in ledgers) > 50
        require_all_kept(herd, ledgers)
        require_verified(herd)


@pytest.mark.slow
def test_a_database_that_is_gone_is_told_and_the_others_go_on(
    tmp_path: Path, fragile: list[PrivateServer]
) -> None:
    """Its node is not ready and says why; when the server is back all is well by itself."""
    with LiveHerd(tmp_path, fragile, CIRCLE) as herd:
        for number in range(NODES):
            herd.nodes[number].call("farm.create", {"code": f"a{number}", "name": f"a{number}"})
        herd.agree()
        fragile[1].stop()
        until(lambda: "[-] database" in herd.readiness(1))
        for number in (0, 2):
            herd.nodes[number].call("farm.create", {"code": f"b{number}", "name": f"b{number}"})
        count = "SELECT COUNT(*) FROM farm"
        until(lambda: [herd.rows(number, count)[0][0] for number in (0, 2)] == [5, 5])
        assert "[-]" not in herd.readiness(0)
        assert "[-] database" in herd.readiness(1)
        fragile[1].start()
        herd.agree()
        assert herd.rows(1, count) == [(5,)]
        until(lambda: "[-]" not in herd.readiness(1))
