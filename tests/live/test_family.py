"""Nodes and their ranges in a herd of whole nodes, on mixed servers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.conftest import Servers
from tests.live.herds import LiveHerd
from tests.live.node import CallFailed
from tests.live.units import until
from tests.servers.programs import chosen_kinds
from tests.service.store.tools import ask, raw_connection

NAMES = ["node0", "node1", "node2"]


@pytest.fixture(scope="module")
def herd(servers: Servers, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveHerd]:
    """Three nodes in a line, each the sibling of the next."""
    kinds = chosen_kinds()
    mixed = [servers.get(kinds[number % len(kinds)]) for number in range(3)]
    with LiveHerd(tmp_path_factory.mktemp("herd"), mixed, [(1, 0), (2, 1)]) as running:
        yield running


def names_at(herd: LiveHerd, number: int) -> list[str]:
    """The names of all nodes that one knows of, in order."""
    page = herd.nodes[number].call("node.list", {"order": "name"})
    return [each["name"] for each in page["records"]]


def blocks_at(herd: LiveHerd, number: int, purpose: str) -> list[str]:
    """The blocks for a purpose, in order, as one node knows them."""
    where = ["purpose", "=", purpose]
    page = herd.nodes[number].call("range.list", {"where": where, "order": "cidr"})
    return [each["cidr"] for each in page["records"]]


def disputes_at(herd: LiveHerd, number: int) -> list[tuple[str, ...]]:
    """Nodes and blocks of each disputed range and of what stands against it."""
    answer = herd.nodes[number].call("range.disputes")
    assert answer["count"] == len(answer["disputes"])
    return [
        tuple(each[side][name] for side in ("range", "against") for name in ("node", "cidr"))
        for each in answer["disputes"]
    ]


def test_each_node_has_one_record_everywhere(herd: LiveHerd) -> None:
    """Under its name and with its origin; a start with nothing new writes nothing."""
    until(lambda: all(names_at(herd, number) == NAMES for number in range(3)))
    herd.agree()
    told = {each["name"]: each["origin"] for each in herd.nodes[2].call("node.list")["records"]}
    assert told == {
        name: node.call("herd.status")["origin"]
        for name, node in zip(NAMES, herd.nodes, strict=True)
    }
    before = herd.nodes[0].call("herd.status")["vector"]
    herd.kill_node(0)
    herd.start_node(0)
    assert herd.nodes[0].call("herd.status")["vector"] == before


def test_ranges_that_are_added_on_one_node_are_on_all(herd: LiveHerd) -> None:
    """Also those that one gives to another node; released ones go everywhere."""
    first, second, _third = herd.nodes
    kept = first.call("range.add", {"cidr": "10.0.0.0/16", "purpose": "serves"})
    first.call("range.add", {"cidr": "2001:db8::/32", "purpose": "serves", "node": "node2"})
    second.call("range.add", {"cidr": "10.0.0.0/24", "purpose": "serves", "note": "the lab"})
    until(lambda: len(blocks_at(herd, 2, "serves")) == 3)
    herd.agree()
    assert blocks_at(herd, 2, "serves") == ["10.0.0.0/16", "10.0.0.0/24", "2001:db8::/32"]
    assert herd.nodes[2].call("range.release", {"id": kept["id"]}) == {"released": 1}
    until(lambda: len(blocks_at(herd, 0, "serves")) == 2)
    herd.agree()


def test_what_is_in_the_way_is_named(herd: LiveHerd) -> None:
    """A pool of another node counts as well; a purpose does not look at others."""
    first, second, _third = herd.nodes
    first.call("range.add", {"cidr": "172.16.0.0/12", "purpose": "pool"})
    until(lambda: blocks_at(herd, 1, "pool") == ["172.16.0.0/12"])
    with pytest.raises(CallFailed) as refused:
        second.call("range.add", {"cidr": "172.16.5.0/24", "purpose": "pool"})
    assert refused.value.code == "constraint.violated"
    assert refused.value.errors == [
        {
            "pointer": "/cidr",
            "code": "range.taken",
            "message": "172.16.5.0/24 cannot be given to node1 as pool: "
            "there is 172.16.0.0/12, pool of node0; node0 can give it away by splitting that pool",
        }
    ]
    second.call("range.add", {"cidr": "172.16.5.0/24", "purpose": "peers"})
    herd.agree()


def test_each_node_tells_who_serves_an_address(herd: LiveHerd) -> None:
    """By the longest prefix; what was written elsewhere counts, and what is released does not."""
    first, _second, third = herd.nodes
    first.call("range.add", {"cidr": "198.18.0.0/15", "purpose": "serves"})
    small = {"cidr": "198.18.7.0/24", "purpose": "serves", "node": "node1"}
    made = first.call("range.add", small)

    def who(number: int, address: str = "198.18.7.1") -> str | None:
        found: str | None = herd.nodes[number].call("range.locate", {"address": address})["node"]
        return found

    until(lambda: [who(number) for number in range(3)] == ["node1"] * 3)
    assert [who(number, "198.19.0.1") for number in range(3)] == ["node0"] * 3
    assert who(0, "192.0.2.1") is None
    third.call("range.release", {"id": made["id"]})
    until(lambda: [who(number) for number in range(3)] == ["node0"] * 3)


def test_claims_from_both_sides_of_a_cut_both_stay_and_stop_nothing(herd: LiveHerd) -> None:
    """Of overlapping pools the later is disputed everywhere; what is written afterwards comes."""
    with herd.cut_off(2):
        herd.nodes[0].call("range.add", {"cidr": "192.168.0.0/16", "purpose": "pool"})
        herd.nodes[2].call("range.add", {"cidr": "192.168.7.0/24", "purpose": "pool"})
    herd.nodes[2].call("range.add", {"cidr": "203.0.113.0/24", "purpose": "admin"})
    until(lambda: blocks_at(herd, 0, "admin") == ["203.0.113.0/24"])
    herd.agree()
    for number in range(3):
        assert {"192.168.0.0/16", "192.168.7.0/24"} <= set(blocks_at(herd, number, "pool"))
    until(lambda: all(disputes_at(herd, number) for number in range(3)))
    assert [disputes_at(herd, number) for number in range(3)] == [
        [("node2", "192.168.7.0/24", "node0", "192.168.0.0/16")]
    ] * 3


def test_two_nodes_of_one_name_are_told_apart_by_an_ending(herd: LiveHerd) -> None:
    """The later claim to a name that was made on both sides of a cut gets it; nothing stops."""
    insert = "INSERT INTO herdbook_herd_node (id, name) VALUES (RANDOM_BYTES(16), 'twin')"
    with herd.cut_off(2):
        for number in (0, 2):
            with raw_connection(herd.sites[number].database) as connection:
                ask(connection, insert)
        herd.nodes[0].call("range.add", {"cidr": "10.1.0.0/16", "purpose": "peers", "node": "twin"})
        herd.nodes[2].call("range.add", {"cidr": "10.1.0.0/16", "purpose": "peers", "node": "twin"})
    until(lambda: all(len(names_at(herd, number)) == 5 for number in range(3)))
    herd.agree()
    (plain, ended) = [name for name in names_at(herd, 1) if name.startswith("twin")]
    assert plain == "twin"
    assert len(ended) > len("twin")
    assert blocks_at(herd, 1, "peers").count("10.1.0.0/16") == 2


def test_ranges_go_with_their_node_also_one_that_was_added_meanwhile(herd: LiveHerd) -> None:
    """A node is deleted on one side of a cut and gets a block on the other: both go everywhere."""
    with raw_connection(herd.sites[0].database) as connection:
        ask(connection, "INSERT INTO herdbook_herd_node (id, name) VALUES (RANDOM_BYTES(16), 'b')")
    herd.nodes[0].call("range.add", {"cidr": "100.64.0.0/16", "purpose": "peers", "node": "b"})
    until(lambda: "100.64.0.0/16" in blocks_at(herd, 2, "peers"))
    with herd.cut_off(2):
        with raw_connection(herd.sites[0].database) as connection:
            ask(connection, "DELETE FROM herdbook_herd_node WHERE name = 'b'")
        assert "100.64.0.0/16" not in blocks_at(herd, 0, "peers")
        late: dict[str, Any] = {"cidr": "100.65.0.0/16", "purpose": "peers", "node": "b"}
        herd.nodes[2].call("range.add", late)
    until(lambda: "b" not in names_at(herd, 2))
    herd.agree()
    for number in range(3):
        assert not {"100.64.0.0/16", "100.65.0.0/16"} & set(blocks_at(herd, number, "peers"))
    rules = [each["rule"] for each in herd.nodes[2].call("journal.list")["entries"]]
    assert "taken along" in rules


def test_the_feed_tells_of_both_classes(herd: LiveHerd) -> None:
    """As of any other class."""
    asked = {"from": 0, "records": ["node", "range"], "limit": 1_000}
    changes = herd.nodes[1].call("feed.read", asked)["changes"]
    assert {each["record"] for each in changes} == {"node", "range"}


def test_no_other_way_of_writing_is_there(herd: LiveHerd) -> None:
    """Nothing goes past the question what is in the way, and no node's name is written for it."""
    methods = set(herd.nodes[0].call("system.listMethods"))
    assert {name for name in methods if name.startswith(("node.", "range."))} == {
        "node.get", "node.list", "node.count", "node.update",
        "range.get", "range.list", "range.count",
        "range.add", "range.allocate", "range.release", "range.locate", "range.disputes",
        "range.free", "range.summary", "range.import", "range.split", "range.merge",
    }  # fmt: skip
