"""A node whose clock is a day ahead: who has seen its writes still writes after it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from service.server import PrivateServer
from tests.conftest import Servers
from tests.live.herds import LiveHerd
from tests.live.node import NodeProcess
from tests.live.units import until
from tests.servers.programs import chosen_kinds
from tests.service.store.tools import read

DAY = 86_400
EARLY = "early"
STAMPS = "SELECT MAX(stamp), UNIX_TIMESTAMP() FROM herdbook_changelog"


@pytest.fixture
def mixed(servers: Servers) -> Iterator[list[PrivateServer]]:
    """Servers for two nodes, of both kinds where both are tested.

    At each there is a user for whom it is tomorrow: the clock of his sessions stands, a day after
    the moment when they began.
    """
    kinds = chosen_kinds()
    chosen = [servers.get(kinds[number % len(kinds)]) for number in range(2)]
    for server in chosen:
        url = server.url("mysql")
        read(url, f"CREATE USER IF NOT EXISTS '{EARLY}'@'localhost'")
        read(url, f"GRANT ALL ON `herd%`.* TO '{EARLY}'@'localhost'")
        read(url, f"GRANT PROCESS ON *.* TO '{EARLY}'@'localhost'")
        read(url, f"SET GLOBAL init_connect = 'SET timestamp = UNIX_TIMESTAMP(SYSDATE()) + {DAY}'")
    yield chosen
    for server in chosen:
        url = server.url("mysql")
        read(url, "SET GLOBAL init_connect = ''")
        read(url, f"DROP USER IF EXISTS '{EARLY}'@'localhost'")


def _met_by(node: NodeProcess) -> dict[str, Any]:
    """What a node says of its sibling, once it has noted that it met it."""
    until(lambda: node.call("herd.status")["siblings"][0]["seen_at"] is not None)
    (sibling,) = node.call("herd.status")["siblings"]
    return dict(sibling)


@pytest.mark.slow
@pytest.mark.parametrize("early", [0, 1])
def test_a_later_write_wins_over_what_it_has_seen_whatever_the_clocks_say(
    tmp_path: Path, mixed: list[PrivateServer], early: int
) -> None:
    """The node of tomorrow writes first, the one of today has it and writes over it: that stands.

    A record that tomorrow made can be deleted, and restored, today.
    """
    herd = LiveHerd(tmp_path, mixed, [(1, 0)])
    herd.sites[early].user = EARLY
    with herd:
        tomorrow, today = herd.nodes[early], herd.nodes[1 - early]
        tomorrow.call("farm.create", {"code": "f", "name": "made tomorrow"})
        tomorrow.call("farm.create", {"code": "g", "name": "gone"})
        herd.agree()
        (ahead,) = herd.rows(
            1 - early, "SELECT MAX(stamp) - UNIX_TIMESTAMP() * 1000000 FROM herdbook_changelog"
        )
        assert ahead[0] > (DAY - 3_600) * 1_000_000, "it is not tomorrow there"
        assert DAY - 3_600 < _met_by(today)["clock_ahead_seconds"] < DAY + 3_600
        assert _met_by(tomorrow)["clock_ahead_seconds"] is None
        today.call("farm.update", {"code": "f", "name": "renamed today"})
        today.call("farm.delete", {"code": "g"})
        herd.agree()
        for number in range(2):
            assert herd.rows(number, "SELECT code, name FROM farm") == [("f", "renamed today")]
        today.call("farm.restore", {"code": "g"})
        tomorrow.call("farm.update", {"code": "f", "name": "renamed again"})
        herd.agree()
        for number in range(2):
            found = herd.rows(number, "SELECT code, name FROM farm ORDER BY code")
            assert found == [("f", "renamed again"), ("g", "gone")]
        assert herd.journal() == {}
