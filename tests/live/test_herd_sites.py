"""Four nodes at two sites, of which each knows one: the records choose who is linked."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from service.cli.herd_graph import Told, picture_of
from service.herd.topology import Roll, chosen
from service.store.herd.roll import roll
from tests.conftest import Servers
from tests.live.herds import CATALOGUE, LiveHerd
from tests.live.test_herd_tls import Papers, until
from tests.servers.programs import chosen_kinds
from tests.service.store.tools import in_transaction

NUMBERS = range(4)
SITES = ("north", "north", "south", "south")


def herd_of(folder: Path, servers: Servers, papers: Papers) -> LiveHerd:
    """All know the first one only, by its wire."""
    kinds = chosen_kinds()
    mixed = [servers.get(kinds[number % len(kinds)]) for number in NUMBERS]
    herd = LiveHerd(folder, mixed, [(1, 0), (2, 0), (3, 0)], papers=papers)
    for site in herd.sites:
        site.papers = {
            **site.papers,
            "HERDBOOK_HERD_FOLLOW_RECORDS": "true",
            "HERDBOOK_HERD_ADVERTISE": f"tcp:127.0.0.1:{site.port}",
        }
    return herd


def say_sites(nodes: LiveHerd) -> None:
    """Where each node is, told to the first."""
    first = nodes.nodes[0]
    until(lambda: len(first.call("node.list")["records"]) == 4, first.log)
    for record in first.call("node.list")["records"]:
        site = SITES[int(record["name"].removeprefix("node"))]
        first.call("node.update", {"record": {"id": record["id"], "site": site}})


def names(nodes: LiveHerd) -> tuple[Roll, dict[str, str]]:
    """All nodes as the first one knows them, and their names by id."""
    known: list[Roll] = []
    in_transaction(nodes.sites[0].database, CATALOGUE, lambda tx: known.append(roll(tx)))
    records = nodes.nodes[1].call("node.list")["records"]
    return known[0], {each["id"]: each["name"] for each in records}


def linked(nodes: LiveHerd, number: int) -> set[str]:
    """With whom a node is linked."""
    siblings: list[dict[str, Any]] = nodes.nodes[number].call("herd.status")["siblings"]
    return {one["name"] for one in siblings if one["state"].startswith("streaming")}


def by_configuration(name: str) -> set[str]:
    """Those that a node knows without any record."""
    return {"node0"} - {name} if name != "node0" else {"node1", "node2", "node3"}


@pytest.mark.slow
def test_the_records_choose_who_is_linked(tmp_path: Path, servers: Servers) -> None:
    """All choose alike; where one is stopped, others are linked in its place until it is back."""
    with herd_of(tmp_path, servers, Papers(tmp_path / "papers")) as nodes:
        say_sites(nodes)
        nodes.agree()
        known, called = names(nodes)
        wanted: dict[str, set[str]] = {name: by_configuration(name) for name in called.values()}
        for one, other in chosen(known.members):
            wanted[called[one]].add(called[other])
            wanted[called[other]].add(called[one])
        for number in NUMBERS:
            until(
                lambda number=number: linked(nodes, number) == wanted[f"node{number}"],  # type: ignore[misc]
                lambda number=number: (linked(nodes, number), wanted),  # type: ignore[misc]
            )
        told = [Told.parsed(node.call("herd.graph")) for node in nodes.nodes]
        picture = picture_of(told)
        assert (len(picture.parts), picture.points) == (1, frozenset())
        nodes.nodes[0].stop()
        others = {"node1", "node2", "node3"}
        for number in (1, 2, 3):
            until(
                lambda number=number: linked(nodes, number) == others - {f"node{number}"},  # type: ignore[misc]
                nodes.nodes[number].log,
            )
        nodes.nodes[3].call("farm.create", {"code": "south", "name": "south"})
        for number in (1, 2):
            until(
                lambda number=number: nodes.rows(number, "SELECT code FROM farm") == [("south",)],  # type: ignore[misc]
                nodes.nodes[number].log,
            )
        nodes.nodes[0].start()
        for number in NUMBERS:
            until(
                lambda number=number: linked(nodes, number) == wanted[f"node{number}"],  # type: ignore[misc]
                lambda number=number: (linked(nodes, number), wanted),  # type: ignore[misc]
            )
        nodes.agree()
