"""Blocks that are given out to many at once, and by nodes that do not hear each other."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.conftest import Servers
from tests.live.herds import LiveHerd
from tests.live.node import CallFailed
from tests.live.units import until
from tests.servers.programs import chosen_kinds

POOLS = ["10.0.0.0/16", "10.1.0.0/16", "10.2.0.0/16"]


@pytest.fixture
def herd(servers: Servers, tmp_path: Path) -> Iterator[LiveHerd]:
    """Three nodes in a line with a pool each, which all of them know."""
    kinds = chosen_kinds()
    mixed = [servers.get(kinds[number % len(kinds)]) for number in range(3)]
    with LiveHerd(tmp_path, mixed, [(1, 0), (2, 1)]) as running:
        for node, pool in zip(running.nodes, POOLS, strict=True):
            node.call("range.add", {"cidr": pool, "purpose": "pool"})
        running.agree()
        yield running


def allocated(herd: LiveHerd, number: int, times: int, length: int = 28) -> list[str]:
    """What a node gives to so many clients at once; nobody is refused."""
    asked = {"length": length, "purpose": "serves"}
    with ThreadPoolExecutor(times) as clients:
        calls = [
            clients.submit(herd.nodes[number].call, "range.allocate", asked) for _ in range(times)
        ]
        return [call.result()["cidr"] for call in calls]


def served(herd: LiveHerd, number: int) -> list[str]:
    """The blocks that are given out, as a node knows them."""
    where = ["purpose", "=", "serves"]
    page = herd.nodes[number].call("range.list", {"where": where, "limit": 1_000})
    return sorted(each["cidr"] for each in page["records"])


def located(herd: LiveHerd, number: int, address: str) -> str | None:
    """The node that serves an address, as a node knows it."""
    found: str | None = herd.nodes[number].call("range.locate", {"address": address})["node"]
    return found


@pytest.mark.slow
@pytest.mark.parametrize("number", [0, 1])
def test_many_clients_at_once_get_a_block_each(herd: LiveHerd, number: int) -> None:
    """16, and then 200: the first free ones, no two alike, whichever server it is."""
    given = allocated(herd, number, 16) + allocated(herd, number, 200)
    expected = [f"10.{number}.{at >> 4}.{(at & 15) << 4}/28" for at in range(216)]
    assert sorted(given) == sorted(expected)
    herd.agree()
    assert served(herd, 2) == sorted(expected)


@pytest.mark.slow
def test_nodes_that_do_not_hear_each_other_give_no_block_twice(herd: LiveHerd) -> None:
    """Their pools are disjoint; who asks for another one's pool is told whose it is."""
    with herd.cut_off(2), herd.cut_off(0):
        given = [block for number in range(3) for block in allocated(herd, number, 20)]
        asked = {"length": 28, "purpose": "serves", "from": POOLS[1]}
        with pytest.raises(CallFailed) as refused:
            herd.nodes[0].call("range.allocate", asked)
    assert [each["code"] for each in refused.value.errors] == ["range.foreign_pool"]
    assert "ask node1" in refused.value.errors[0]["message"]
    assert len(set(given)) == 60
    herd.agree()
    assert served(herd, 1) == sorted(given)
    assert herd.nodes[1].call("range.disputes")["count"] == 0


@pytest.mark.slow
def test_of_pools_that_meet_the_later_gives_nothing_out(herd: LiveHerd) -> None:
    """It was added on the other side of a cut; both sides are told, and replication goes on."""
    with herd.cut_off(2):
        herd.nodes[0].call("range.add", {"cidr": "172.16.0.0/16", "purpose": "pool"})
        herd.nodes[2].call("range.add", {"cidr": "172.16.5.0/24", "purpose": "pool"})
    until(lambda: all(node.call("range.disputes")["count"] == 1 for node in herd.nodes))
    for node in herd.nodes:
        (dispute,) = node.call("range.disputes")["disputes"]
        assert (dispute["range"]["node"], dispute["against"]["node"]) == ("node2", "node0")
    asked = {"length": 28, "purpose": "serves"}
    with pytest.raises(CallFailed) as refused:
        herd.nodes[2].call("range.allocate", {**asked, "from": "172.16.5.0/24"})
    assert [each["code"] for each in refused.value.errors] == ["range.disputed"]
    given = herd.nodes[0].call("range.allocate", {**asked, "from": "172.16.0.0/16"})
    # The best fit lies beside the disputed pool, and surely outside it.
    assert given["cidr"] == "172.16.4.0/28"
    herd.agree()
    assert "172.16.4.0/28" in served(herd, 2)


@pytest.mark.slow
def test_what_was_released_on_any_node_is_given_out_again(herd: LiveHerd) -> None:
    """Once it was heard of, before anything larger is broken up."""
    given = [herd.nodes[0].call("range.allocate", {"length": 28, "purpose": "serves"})
             for _ in range(3)]  # fmt: skip
    herd.agree()
    # What a node knows of releases is what it locates by.
    until(lambda: located(herd, 0, "10.0.0.16") == "node0")
    herd.nodes[2].call("range.release", {"id": given[1]["id"]})
    until(lambda: located(herd, 0, "10.0.0.16") is None)
    assert served(herd, 0) == ["10.0.0.0/28", "10.0.0.32/28"]
    assert allocated(herd, 0, 1) == ["10.0.0.16/28"]
