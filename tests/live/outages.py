"""What breaks under a herd: nodes and servers are killed, wires are cut; and a server for each."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from service.server import PrivateServer
from tests.live.herds import Checker, Link, LiveHerd, together
from tests.live.ledgers import Ledger, ledgers_kept
from tests.live.pasture import some_call, some_statement
from tests.live.storm import Kinds, Storm
from tests.servers.programs import chosen_kinds, program_of

LONGEST = 1.5
KINDS = Kinds(some_call, some_statement, outages=True)


@contextmanager
def servers_of_their_own(folder: Path, count: int) -> Iterator[list[PrivateServer]]:
    """A server for each node, of both kinds where both are tested."""
    kinds = chosen_kinds()
    with ExitStack() as held:
        yield [
            held.enter_context(
                PrivateServer(
                    folder / f"server{number}",
                    program_of(kinds[number % len(kinds)]),
                    buffer_pool_megabytes=64,
                )
            )
            for number in range(count)
        ]


def outage(herd: LiveHerd, chance: random.Random) -> None:
    """Something breaks, and is whole again after a while."""
    number = chance.randrange(len(herd.sites))
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


def _without_wires(herd: LiveHerd, links: list[Link], seconds: float) -> None:
    for link in links:
        herd.wires[link].cut()
    time.sleep(seconds)
    for link in links:
        herd.wires[link].heal()


def write_under_outages(
    herd: LiveHerd, seed: int, outages: int, writers: int, turns: int
) -> list[Ledger]:
    """All nodes are written to, by API and by plain SQL, while things break at moments of a seed.

    No constraint is broken at any look. What was promised meanwhile.
    """
    chance = random.Random(seed)
    storms = [
        Storm(node, site.database, f"{seed} {site.name}", KINDS)
        for node, site in zip(herd.nodes, herd.sites, strict=True)
    ]

    def break_things() -> None:
        for _ in range(outages):
            outage(herd, chance)
            time.sleep(chance.random())

    with Checker(herd) as checker, ledgers_kept(herd, seed) as ledgers:
        together(
            break_things,
            *(lambda storm=storm: storm.blow(writers, turns) for storm in storms),
        )
    assert [failure for storm in storms for failure in storm.failures] == []
    assert checker.broken == []
    assert checker.looks > 3 * len(herd.sites), "nobody looked"
    return ledgers
