"""A subscriber whose connection is cut again and again gets every change once, and in order."""

from __future__ import annotations

import itertools
import random
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.live.lines import Ended, LineClient
from tests.live.node import NodeProcess
from tests.live.replica import Replica
from tests.live.storm import Storm
from tests.live.test_storm_of_writers import CATALOGUE, serving, tables_of

CUTS = 1_000
WRITERS = 4
SEED = 23


@contextmanager
def writing(storm: Storm) -> Iterator[None]:
    """Writers of both sorts, for as long as the block runs."""
    stop = threading.Event()

    def write(number: int) -> None:
        for turn in itertools.count():
            if stop.is_set():
                return
            write = storm.sql_writer if number % 2 else storm.api_writer
            write(number + WRITERS * turn, 10)

    threads = [
        threading.Thread(target=storm.guarded(lambda number=number: write(number)))  # type: ignore[misc]
        for number in range(WRITERS)
    ]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        stop.set()
        for thread in threads:
            thread.join()


def take(replica: Replica, client: LineClient, piece: int) -> None:
    """The next message, received in such pieces; a page of changes goes into the replica."""
    message = client.messages.popleft() if client.messages else client.receive(piece)
    assert message["method"] == "feed.change", message
    params = message["params"]
    replica.apply(params["changes"])
    assert params["next"] == replica.position
    replica.complete = params["complete"]
    if replica.complete:
        replica.complete_pages += 1
        replica.require_whole()


def follow_until_cut(replica: Replica, node: NodeProcess, chance: random.Random) -> str:
    """Subscribe where the replica is, read on for a while, and cut; how it was cut."""
    how = chance.choice(["reset", "closed", "within a line", "unread"])
    with LineClient(node.stream) as client:
        client.call("feed.subscribe", {"from": replica.position})
        for _ in range(chance.randrange(4)):
            take(replica, client, chance.choice([1, 100, 65_536]))
        if how == "within a line":
            client.receive_some(chance.randrange(1, 200))
        if how != "closed":
            client.cut()
    return how


def follow_to_the_end(replica: Replica, node: NodeProcess, last: int) -> None:
    """Read all that is left, over one connection."""
    with LineClient(node.stream) as client:
        client.call("feed.subscribe", {"from": replica.position})
        while replica.position < last:
            take(replica, client, 65_536)


@pytest.mark.slow
def test_a_subscriber_cut_a_thousand_times_has_the_tables(tmp_path: Path, database: str) -> None:
    """In the midst of a line, of a page, of nothing: no change is missed and none comes twice.

    Deletes as well: what it has in the end is what the tables have.
    """
    chance = random.Random(SEED)
    ways: Counter[str] = Counter()
    with serving(tmp_path, database) as node:
        storm, replica = Storm(node, database, SEED), Replica(node, CATALOGUE)
        with writing(storm):
            for _ in range(CUTS):
                try:
                    ways[follow_until_cut(replica, node, chance)] += 1
                except Ended:
                    pytest.fail(f"the node ended a connection\n{node.log()[-4000:]}")
            under_load = replica.position
        assert storm.failures == [], f"{storm.outcomes}\n{node.log()[-4000:]}"
        last = Replica(node, CATALOGUE)
        last.read_to_the_end()
        follow_to_the_end(replica, node, last.position)
        assert replica.tables == last.tables == tables_of(database)
    assert sum(ways.values()) == CUTS
    assert under_load > CUTS, f"hardly anything was written: {storm.outcomes}"
    assert replica.complete_pages > 100, "the reader hardly ever saw a whole state"
    kinds = Counter(life.alive for life in replica.lives.values())
    assert kinds[True] > 5, "all was deleted"
    assert max(life.life for life in replica.lives.values()) > 10, "nothing was born again"
