"""Nodes and database servers that are killed, and wires that are cut, while all write."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from service.server import PrivateServer
from tests.live.herds import Checker, LiveHerd, together
from tests.live.ledgers import ledgers_kept, require_all_kept
from tests.live.pasture import some_call, some_statement
from tests.live.storm import Kinds, Storm
from tests.live.units import until
from tests.servers.programs import chosen_kinds, program_of

SEED = 31
NODES, WRITERS, TURNS = 3, 2, 60
OUTAGES = 12
LONGEST = 1.5
KINDS = Kinds(some_call, some_statement, outages=True)
CIRCLE = [(1, 0), (2, 1), (0, 2)]


@pytest.fixture
def fragile(tmp_path: Path) -> Iterator[list[PrivateServer]]:
    """A server for each node, of both kinds where both are tested."""
    kinds = chosen_kinds()
    with ExitStack() as held:
        yield [
            held.enter_context(
                PrivateServer(
                    tmp_path / f"server{number}",
                    program_of(kinds[number % len(kinds)]),
                    buffer_pool_megabytes=64,
                )
            )
            for number in range(NODES)
        ]


def outage(herd: LiveHerd, chance: random.Random) -> None:
    """Something breaks, and is whole again after a while."""
    number = chance.randrange(NODES)
    seconds = chance.random() * LONGEST
    kinds: list[Callable[[], None]] = [
        lambda: _without_node(herd, number, seconds),
        lambda: _without_server(herd, number, seconds),
        lambda: _without_wires(herd, chance.sample(list(herd.wires), 2), seconds),
    ]
    chance.choice(kinds)()


def _without_node(herd: LiveHerd, number: int, seconds: float) -> None:
    herd.kill_node(number)
    time.sleep(seconds)
    herd.start_node(number)


def _without_server(herd: LiveHerd, number: int, seconds: float) -> None:
    herd.sites[number].server.kill()
    time.sleep(seconds)
    herd.sites[number].server.start()


def _without_wires(herd: LiveHerd, links: list[tuple[int, int]], seconds: float) -> None:
    for link in links:
        herd.wires[link].cut()
    time.sleep(seconds)
    for link in links:
        herd.wires[link].heal()


@pytest.mark.slow
def test_what_is_acknowledged_outlives_nodes_servers_and_wires(
    tmp_path: Path, fragile: list[PrivateServer]
) -> None:
    """At moments from a seed a node or a server is killed, or wires are cut; it heals by itself.

    No constraint is broken at any look, and what was acknowledged is everywhere in the end.
    """
    chance = random.Random(SEED)
    with LiveHerd(tmp_path, fragile, CIRCLE) as herd:
        storms = [
            Storm(node, site.database, f"{SEED} {site.name}", KINDS)
            for node, site in zip(herd.nodes, herd.sites, strict=True)
        ]

        def break_things() -> None:
            for _ in range(OUTAGES):
                outage(herd, chance)
                time.sleep(chance.random())

        with Checker(herd) as checker, ledgers_kept(herd, SEED) as ledgers:
            together(
                break_things,
                *(lambda storm=storm: storm.blow(WRITERS, TURNS) for storm in storms),
            )
        assert [failure for storm in storms for failure in storm.failures] == []
        herd.agree()
        assert checker.broken == []
        assert sum(ledger.acknowledged for ledger in ledgers) > 100
        require_all_kept(herd, ledgers)


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
