"""Three nodes that all write at once: no constraint is ever broken, and in the end all agree."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from tests.conftest import Servers
from tests.live.herds import CATALOGUE, RECORDS, Checker, LiveHerd, broken_in, together
from tests.live.ledgers import ledgers_kept, require_all_kept
from tests.live.node import migrate
from tests.live.pasture import some_call, some_statement
from tests.live.storm import Kinds, Storm
from tests.servers.programs import chosen_kinds
from tests.service.store.tools import ask, raw_connection

SEED = 30
NODES, WRITERS, TURNS = 3, 4, 30
MOST_STORMS = 6
"""Who meets whom is left to the machine: it blows again until everything has happened once."""
OUTCOMES = {"api done", "sql done", "sql undone", "sql refused"}
RULES = {"later write", "taken along", "unique"}
KINDS = Kinds(some_call, some_statement)
CIRCLE = [(1, 0), (2, 1), (0, 2)]


def test_nodes_that_all_write_agree_and_break_nothing_meanwhile(
    tmp_path: Path, servers: Servers
) -> None:
    """API and plain SQL on every node, on the same few keys: cascades, lets go, holds on to.

    At every look at every node there is no orphan and no value twice that has to be unique; what
    was acknowledged is everywhere in the end.
    """
    kinds = chosen_kinds()
    mixed = [servers.get(kinds[number % len(kinds)]) for number in range(NODES)]
    with LiveHerd(tmp_path, mixed, CIRCLE) as herd:
        with Checker(herd) as checker, ledgers_kept(herd, SEED) as ledgers:
            for number in range(MOST_STORMS):
                outcomes = blown(herd, f"{SEED} {number}")
                if outcomes.keys() >= OUTCOMES and herd.journal().keys() >= RULES:
                    break
        herd.agree()
        assert checker.broken == []
        assert checker.looks > 3 * NODES, "nobody looked"
        require_all_kept(herd, ledgers)
        assert outcomes.keys() >= OUTCOMES, "the storms were a calm"
        assert herd.journal().keys() >= RULES, "hardly anybody met"


def blown(herd: LiveHerd, seed: str) -> Counter[str]:
    """A storm at every node at once; what came of the attempts, where that was had at each."""
    storms = [
        Storm(node, site.database, f"{seed} {site.name}", KINDS)
        for node, site in zip(herd.nodes, herd.sites, strict=True)
    ]
    together(*(lambda storm=storm: storm.blow(WRITERS, TURNS) for storm in storms))
    assert [failure for storm in storms for failure in storm.failures] == []
    everywhere = storms[0].outcomes
    for storm in storms[1:]:
        everywhere &= storm.outcomes
    return everywhere


def test_what_is_broken_is_seen(tmp_path: Path, database: str) -> None:
    """The looks of the test above find an orphan and a twin, where somebody makes them."""
    migrate(tmp_path, database, RECORDS)
    assert broken_in(database) == ()
    with raw_connection(database) as connection:
        ask(connection, "SET foreign_key_checks = 0")
        ask(connection, "INSERT INTO visit (number, cow_number, note) VALUES (1, 5, '')")
        ask(connection, "INSERT INTO farm (code, name) VALUES ('a', 'same')")
        (index,) = [one.name for one in CATALOGUE.records["farm"].uniques]
        ask(connection, f"ALTER TABLE farm DROP INDEX `{index}`")
        ask(connection, "INSERT INTO farm (code, name) VALUES ('b', 'same')")
    assert broken_in(database) == ("duplicates of " + index + ": 1", "orphans of visit.cow: 1")
