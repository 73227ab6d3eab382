"""Lines of nodes: what one writes passes others on its way, whoever dials whom."""

from __future__ import annotations

from pathlib import Path

import pytest

from service.store.herd.journal import losses_of
from tests.conftest import Servers
from tests.live.herds import Link, LiveHerd
from tests.live.units import until
from tests.servers.programs import chosen_kinds
from tests.service.store.tools import ask, raw_connection

AWAY = 5_000
"""Changes that happen while a node is away; more than fit into one part of a delta."""


def herd_of(folder: Path, servers: Servers, links: list[Link]) -> LiveHerd:
    """Nodes on the tests' servers, of both kinds in turn where both are tested."""
    kinds = chosen_kinds()
    nodes = max(max(link) for link in links) + 1
    mixed = [servers.get(kinds[number % len(kinds)]) for number in range(nodes)]
    return LiveHerd(folder, mixed, links)


def many_cows(database: str, farm: str, first: int, count: int) -> None:
    """Plain SQL, in transactions of different sizes."""
    with raw_connection(database, autocommit=False) as connection:
        number, size = first, 1
        while number < first + count:
            rows = range(number, min(number + size, first + count))
            values = ", ".join(f"({n}, '{farm}', {n % 1000})" for n in rows)
            ask(connection, f"INSERT INTO cow (number, farm_code, weight) VALUES {values}")
            connection.commit()
            number, size = rows.stop, size * 2 + 1


def lost_weights(herd: LiveHerd, number: int) -> set[int]:
    """The weights that a node's journal has put aside."""
    entries = herd.rows(number, "SELECT content FROM herdbook_journal WHERE rule = 'later write'")
    return {loss.value for (content,) in entries for loss in losses_of(content)}


@pytest.mark.slow
@pytest.mark.parametrize("links", [[(1, 0), (2, 1)], [(0, 1), (1, 2)]], ids=["inwards", "outwards"])
def test_a_node_that_was_away_gets_everything_through_the_one_it_knows(
    tmp_path: Path, servers: Servers, links: list[Link]
) -> None:
    """Of three in a line the last is cut off; thousands of changes on both sides come together.

    Of two writes of one value that had not seen each other, the later stands and the other is in a
    journal.
    """
    with herd_of(tmp_path, servers, links) as herd:
        first, _middle, last = herd.nodes
        first.call("farm.create", {"code": "f", "name": "f"})
        first.call("cow.create", {"number": -1, "farm_code": "f", "weight": 0})
        herd.agree()
        with herd.cut_off(2):
            many_cows(herd.sites[0].database, "f", 0, AWAY)
            many_cows(herd.sites[2].database, "f", AWAY, 500)
            last.call("cow.update", {"number": -1, "weight": 1})
            first.call("cow.update", {"number": -1, "weight": 2})
            until(lambda: herd.rows(1, "SELECT COUNT(*) FROM cow") == [(AWAY + 1,)])
            assert herd.rows(2, "SELECT COUNT(*) FROM cow") == [(501,)]
        herd.agree()
        assert herd.rows(2, "SELECT COUNT(*) FROM cow") == [(AWAY + 501,)]
        assert herd.rows(2, "SELECT weight FROM cow WHERE number = -1") == [(2,)]
        assert {1} in [lost_weights(herd, number) for number in range(3)]


@pytest.mark.slow
def test_a_chain_of_five_carries_from_end_to_end(tmp_path: Path, servers: Servers) -> None:
    """Either side dials; it is cut in the middle while both ends write, and heals."""
    with herd_of(tmp_path, servers, [(0, 1), (2, 1), (2, 3), (4, 3)]) as herd:
        herd.nodes[0].call("farm.create", {"code": "f", "name": "f"})
        until(lambda: herd.rows(4, "SELECT COUNT(*) FROM farm") == [(1,)])
        herd.wires[2, 3].cut()
        herd.nodes[0].call("farm.delete", {"code": "f"})
        herd.nodes[4].call("cow.create", {"number": 1, "farm_code": "f"})
        herd.nodes[4].call("farm.create", {"code": "g", "name": "g"})
        many_cows(herd.sites[4].database, "g", 100, 300)
        herd.wires[2, 3].heal()
        herd.agree()
        for number in range(5):
            assert herd.rows(number, "SELECT code FROM farm") == [("g",)]
            assert herd.rows(number, "SELECT COUNT(*) FROM cow") == [(300,)]
        assert herd.journal()["taken along"] > 0
