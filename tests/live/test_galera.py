"""A database of three servers: written to at any of them, captured once, sealed once.

A node stands at each server, and one of the three seals.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import MySQLdb
import pytest

from records.catalogue import load_catalogue
from tests.live.node import NodeProcess, migrate
from tests.live.replica import Replica
from tests.live.storm import Storm
from tests.live.test_storm_of_writers import assert_every_position_once, tables_of
from tests.live.units import until
from tests.servers.galera import SERVERS, GaleraCluster, clusters_are_tested
from tests.service.store.tools import ask, raw_connection, read

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not clusters_are_tested(), reason="MariaDB is not among the chosen servers"),
]

RECORDS = "tests.live.herd"
CATALOGUE = load_catalogue(RECORDS)
SEED = 4
GENERATIONS = 40
FARMS_BEFORE_AND_AFTER = 60


@dataclass
class Herd:
    """The servers, the database at each, and the node at each. The first node seals at first."""

    cluster: GaleraCluster
    urls: list[str]
    nodes: list[NodeProcess]


@pytest.fixture
def herd(tmp_path: Path) -> Iterator[Herd]:
    """Three servers and three nodes."""
    with ExitStack() as held:
        cluster = held.enter_context(GaleraCluster(tmp_path / "servers"))
        urls = cluster.create_database("herd")
        migrate(tmp_path, urls[0], RECORDS)
        nodes = []
        for number, url in enumerate(urls):
            settle(url)
            place = tmp_path / f"node{number}"
            place.mkdir()
            settings = {
                "HERDBOOK_NODE_RECORDS": RECORDS,
                "HERDBOOK_NODE_MIGRATIONS": str(tmp_path / "migrations"),
            }
            nodes.append(held.enter_context(NodeProcess(place, url, **settings)))
            until(lambda: holder(urls[0]) != "")
        yield Herd(cluster, urls, nodes)


def holder(url: str) -> str:
    """Who seals, according to the database."""
    found: str = read(url, "SELECT holder FROM herdbook_sealer")[0][0]
    return found


def settle(url: str) -> None:
    """Wait until a server shows all that was committed at any of them so far."""
    with raw_connection(url) as connection:
        ask(connection, "SET SESSION wsrep_sync_wait = 1")
        ask(connection, "SELECT 1")


def until_all_is_sealed(urls: list[str]) -> None:
    """Wait until no server has an entry without a position."""

    def empty() -> bool:
        for url in urls:
            settle(url)
        return all(read(url, "SELECT COUNT(*) FROM herdbook_inbox") == [(0,)] for url in urls)

    until(empty, every=0.05)


def changelog(url: str) -> list[Any]:
    """All that is sealed, as one server has it."""
    return read(url, "SELECT * FROM herdbook_changelog ORDER BY position")


def assert_sealed_once(urls: list[str], nodes: list[NodeProcess]) -> Replica:
    """Changelog and tables are the same at each server, and the feed of each node gives them."""
    until_all_is_sealed(urls)
    entries = changelog(urls[0])
    tables = tables_of(urls[0])
    for url, node in zip(urls, nodes, strict=True):
        replica = Replica(node, CATALOGUE)
        replica.read_to_the_end()
        assert changelog(url) == entries
        assert tables_of(url) == replica.tables == tables
        assert_every_position_once(url, len(entries))
    return replica


@contextmanager
def beside(tasks: Sequence[Callable[[], None]]) -> Iterator[None]:
    """Run tasks in threads beside the block; what they raise is raised after it."""
    failures: list[BaseException] = []

    def guarded(task: Callable[[], None]) -> None:
        try:
            task()
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=guarded, args=(task,)) for task in tasks]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        for thread in threads:
            thread.join()
    assert failures == []


def test_whichever_server_is_written_to_changes_are_captured_and_sealed_once(herd: Herd) -> None:
    """A storm at all three, by API and SQL, leaves one changelog that gives the tables."""
    pairs = zip(herd.nodes, herd.urls, strict=True)
    storms = [Storm(node, url, SEED + turn) for turn, (node, url) in enumerate(pairs)]
    with beside([partial(storm.blow, 6, 25) for storm in storms]):
        pass
    for storm in storms:
        assert storm.failures == [], f"{storm.outcomes}\n{storm.node.log()[-4000:]}"
        assert storm.outcomes["sql done"] > 5, storm.outcomes
        assert storm.outcomes["api done"] > 5, storm.outcomes
    replica = assert_sealed_once(herd.urls, herd.nodes)
    assert replica.position > 100, "the storm was a calm"


def test_entries_of_several_servers_interleave_and_parents_come_first(herd: Herd) -> None:
    """A farm is made at one server, its cow at the next, the cow's bell at the third."""
    with ExitStack() as held:
        connections = [held.enter_context(raw_connection(url)) for url in herd.urls]
        for connection in connections:
            ask(connection, "SET SESSION wsrep_sync_wait = 15")
        for number in range(GENERATIONS):
            first, second, third = (connections[(number + turn) % SERVERS] for turn in range(3))
            farm = f"f{number}"
            ask(first, "INSERT INTO farm (code, name) VALUES (%s, %s)", (farm, farm))
            ask(second, "INSERT INTO cow (number, farm_code) VALUES (%s, %s)", (number, farm))
            new_bell = "INSERT INTO bell (number, farm_code, cow_number) VALUES (%s, %s, %s)"
            ask(third, new_bell, (number, farm, number))
    assert_sealed_once(herd.urls, herd.nodes)
    entries = read(
        herd.urls[0], "SELECT table_name, entry FROM herdbook_changelog ORDER BY position"
    )
    assert [table for table, _entry in entries] == ["farm", "cow", "bell"] * GENERATIONS
    assert {entry % SERVERS for _table, entry in entries} == set(range(SERVERS)), (
        "the servers' numbers do not interleave"
    )


def test_when_the_sealers_server_dies_another_node_seals(herd: Herd) -> None:
    """Whatever was committed at any server is sealed exactly once, also what the dead one took."""
    sealer = holder(herd.urls[0])
    committed: list[list[str]] = [[] for _ in herd.urls]
    dead = threading.Event()
    writers = [
        partial(write_farms, herd.urls[number], number, committed[number], dead)
        for number in range(SERVERS)
    ]
    with beside(writers):
        until(lambda: all(len(farms) >= FARMS_BEFORE_AND_AFTER for farms in committed))
        herd.cluster.servers[0].kill()
        dead.set()
    left, nodes = herd.urls[1:], herd.nodes[1:]
    until(lambda: holder(left[0]) not in ("", sealer), every=0.1)
    replica = assert_sealed_once(left, nodes)
    told = {code for (code,) in replica.tables["farm"]}
    for farms in committed:
        assert set(farms) <= told, "a commit that a server acknowledged is lost"
    assert len(told) - sum(map(len, committed)) <= 1, "but for the one under way, no others"


def write_farms(url: str, server: int, committed: list[str], dead: threading.Event) -> None:
    """New farms, each noted once its commit is acknowledged, until a while after the death.

    The server that dies takes its writer along.
    """
    after = 0
    try:
        with raw_connection(url) as connection:
            while after < FARMS_BEFORE_AND_AFTER:
                code = f"{server}-{len(committed)}"
                ask(connection, "INSERT INTO farm (code, name) VALUES (%s, %s)", (code, code))
                committed.append(code)
                after += dead.is_set()
    except MySQLdb.OperationalError:
        if server != 0:
            raise
