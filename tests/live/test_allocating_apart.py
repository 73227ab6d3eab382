"""Three nodes on servers of their own that do not hear each other, and give blocks out."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from ipaddress import ip_network
from itertools import pairwise
from pathlib import Path
from threading import Barrier
from typing import Any
from uuid import uuid4

import pytest

from records.catalogue import with_family
from service.ranges.notation import read_block
from tests.live.herds import CATALOGUE, LiveHerd
from tests.live.node import CallFailed
from tests.live.outages import servers_of_their_own
from tests.live.units import until
from tests.live.verified import require_verified
from tests.service.store.tools import read

CIDR = with_family(CATALOGUE).records["range"].fields["cidr"].kind
SERVES = {"length": 28, "purpose": "serves"}
_BY_SQL = (
    "INSERT INTO herdbook_herd_range (id, node_id, cidr, purpose) "
    "SELECT %s, id, %s, 'pool' FROM herdbook_herd_node WHERE name = %s"
)


@pytest.fixture
def herd(tmp_path: Path) -> Iterator[LiveHerd]:
    """They hear each other, and all know all."""
    links = [(1, 0), (2, 0), (2, 1)]
    with (
        servers_of_their_own(tmp_path, 3) as servers,
        LiveHerd(tmp_path, servers, links) as running,
    ):
        until(lambda: all(node.call("node.count") == 3 for node in running.nodes))
        yield running


def allocated(herd: LiveHerd, clients: list[int]) -> list[str]:
    """What so many clients get of each node by number, all at one moment; nobody is refused."""
    all_there = Barrier(sum(clients))

    def ask(number: int) -> str:
        all_there.wait(60)
        cidr: str = herd.nodes[number].call("range.allocate", SERVES)["cidr"]
        return cidr

    with ThreadPoolExecutor(sum(clients)) as pool:
        numbers = [number for number, count in enumerate(clients) for _ in range(count)]
        return list(pool.map(ask, numbers))


def disjoint(blocks: list[str]) -> bool:
    """Whether no address is in two of the blocks."""
    networks = sorted(map(ip_network, blocks), key=lambda each: int(each.network_address))
    return not any(one.overlaps(next_) for one, next_ in pairwise(networks))


def of_purpose(herd: LiveHerd, number: int, purpose: str) -> list[Any]:
    """The ranges of a purpose, as a node has them."""
    asked = {"where": ["purpose", "=", purpose], "order": "cidr", "limit": 1_000}
    records: list[Any] = herd.nodes[number].call("range.list", asked)["records"]
    return records


@pytest.mark.slow
@pytest.mark.parametrize("clients", [[6, 5, 5], [67, 67, 66]], ids=["16", "200"])
def test_clients_of_three_nodes_that_are_apart_get_no_address_twice(
    herd: LiveHerd, clients: list[int]
) -> None:
    """Out of one pool, which one act has split between them; afterwards all have the same."""
    pool = herd.nodes[0].call("range.add", {"cidr": "10.0.0.0/14", "purpose": "pool"})
    give = {"10.1.0.0/16": "node1", "10.2.0.0/16": "node2"}
    herd.nodes[0].call("range.split", {"range": pool["id"], "length": 16, "give": give})
    until(lambda: all(len(of_purpose(herd, at, "pool")) == 4 for at in range(3)))
    with herd.cut_off(0), herd.cut_off(2):
        given = allocated(herd, clients)
        apart = [[each["cidr"] for each in of_purpose(herd, at, "serves")] for at in range(3)]
    assert [len(each) for each in apart] == clients
    assert sorted(given) == sorted(block for each in apart for block in each)
    assert disjoint(given)
    herd.agree()
    require_verified(herd)
    for at in range(3):
        assert sorted(each["cidr"] for each in of_purpose(herd, at, "serves")) == sorted(given)
        assert herd.nodes[at].call("range.disputes")["count"] == 0


@pytest.mark.slow
@pytest.mark.parametrize("by_sql", [False, True], ids=["range.add", "plain SQL"])
def test_pools_that_were_made_to_meet_are_in_dispute_and_nothing_else_is_held_up(
    herd: LiveHerd, by_sql: bool
) -> None:
    """By hand, on three sides of a cut; all nodes tell so, and go on to pass on whatever comes."""
    blocks = ["172.16.0.0/16", "172.16.5.0/24", "172.16.5.128/25"]
    with herd.cut_off(0), herd.cut_off(2):
        for number, block in enumerate(blocks):
            add_pool(herd, number, block, by_sql)
        herd.nodes[2].call("farm.create", {"code": "apart", "name": "Apart"})
    until(lambda: all(node.call("range.disputes")["count"] == 2 for node in herd.nodes))
    for node in herd.nodes:
        told = node.call("range.disputes")["disputes"]
        assert [(each["range"]["cidr"], each["range"]["node"]) for each in told] == [
            ("172.16.5.0/24", "node1"), ("172.16.5.128/25", "node2"),
        ]  # fmt: skip
        assert {each["against"]["cidr"] for each in told} == {"172.16.0.0/16"}
    for number in (1, 2):
        with pytest.raises(CallFailed) as refused:
            herd.nodes[number].call("range.allocate", SERVES)
        assert [each["code"] for each in refused.value.errors] == ["range.disputed"]
    # The best fit lies beside the disputed pools, and surely outside them.
    assert herd.nodes[0].call("range.allocate", SERVES)["cidr"] == "172.16.4.0/28"
    for number, node in enumerate(herd.nodes):
        node.call("farm.create", {"code": f"later{number}", "name": f"Later {number}"})
    herd.agree()
    require_verified(herd)
    assert [node.call("farm.count") for node in herd.nodes] == [4, 4, 4]
    assert [len(of_purpose(herd, at, "pool")) for at in range(3)] == [3, 3, 3]
    (first,) = (each for each in of_purpose(herd, 1, "pool") if each["cidr"] == blocks[0])
    herd.nodes[1].call("range.release", {"id": first["id"]})
    until(lambda: all(node.call("range.disputes")["count"] == 1 for node in herd.nodes))
    assert herd.nodes[1].call("range.allocate", SERVES)["cidr"] == "172.16.5.0/28"


def add_pool(herd: LiveHerd, number: int, block: str, by_sql: bool) -> None:
    """A pool of the node by its number, made there; the later it is made, the later its claim."""
    if by_sql:
        raw = CIDR.to_database(read_block(block).network)
        read(herd.sites[number].database, _BY_SQL, (uuid4().bytes, raw, f"node{number}"))
    else:
        herd.nodes[number].call("range.add", {"cidr": block, "purpose": "pool"})
