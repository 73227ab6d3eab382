"""Whole nodes seal: one at a time, through frozen and killed processes and restarted servers."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from service.server import PrivateServer
from tests.live.node import CallFailed, NodeProcess, migrate, page, served
from tests.live.units import until
from tests.service.store.tools import read

SEALED = "SELECT COUNT(*), COUNT(DISTINCT entry), MAX(`position`) FROM herdbook_changelog"


@pytest.fixture
def fragile(server: PrivateServer) -> Iterator[PrivateServer]:
    """The shared server, running again afterwards whatever the test did."""
    yield server
    server.thaw()
    server.start()


def add(node: NodeProcess, count: int = 1) -> None:
    """Create records over the API."""
    for _turn in range(count):
        node.call("sample.create", {"tiny": 1})


def sealed(url: str, count: int) -> bool:
    """Whether so many changes are sealed, each once, without a gap."""
    found = read(url, SEALED)[0]
    assert found[0] == found[1] == (found[2] or 0)
    return bool(found[0] == count)


def holder(url: str) -> str:
    """Who has the lease."""
    found: str = read(url, "SELECT holder FROM herdbook_sealer")[0][0]
    return found


def test_a_node_seals_and_says_so(tmp_path: Path, database: str) -> None:
    """Readiness and metrics tell; when it stops, the lease is free."""
    with served(tmp_path, database) as node:
        add(node, 3)
        until(lambda: sealed(database, 3))
        assert "[+] sealing: ok" in page(node, "/readyz?verbose")
        until(lambda: "herdbook_sealed_total 3.0" in page(node, "/metrics"))
        metrics = page(node, "/metrics")
        assert "herdbook_sealed_position 3.0" in metrics
        assert "herdbook_sealer_held 1.0" in metrics
        assert holder(database)
    assert holder(database) == ""


def test_a_killed_node_is_replaced(tmp_path: Path, database: str) -> None:
    """It could not give the lease back; another node takes it when it stands still."""
    with served(tmp_path, database) as first:
        until(lambda: bool(holder(database)))
        before = holder(database)
        with NodeProcess(tmp_path, database) as second:
            os.kill(first.pid, signal.SIGKILL)
            add(second, 2)
            until(lambda: sealed(database, 2))
            assert holder(database) != before


def test_a_frozen_node_is_replaced_and_comes_back(tmp_path: Path, database: str) -> None:
    """While it is stopped another seals; when it goes on it serves, and seals nothing twice."""
    migrate(tmp_path, database)
    with NodeProcess(tmp_path, database) as first:
        until(lambda: bool(holder(database)))
        before = holder(database)
        with NodeProcess(tmp_path, database) as second:
            os.kill(first.pid, signal.SIGSTOP)
            try:
                add(second, 2)
                until(lambda: sealed(database, 2))
            finally:
                os.kill(first.pid, signal.SIGCONT)
            assert holder(database) != before
            add(first, 2)
            until(lambda: sealed(database, 4))
            until(lambda: "herdbook_sealer_held 0.0" in page(first, "/metrics"))
            assert "[+] sealing: ok" in page(first, "/readyz?verbose")


def test_a_restarted_database_is_sealed_on(
    fragile: PrivateServer, tmp_path: Path, database: str
) -> None:
    """After a crash of the server the node goes on where it was, and is ready again."""
    with served(tmp_path, database) as node:
        add(node, 2)
        until(lambda: sealed(database, 2))
        fragile.kill()
        until(lambda: "sealing fails" in node.log())
        fragile.start()
        until(lambda: _added(node))
        until(lambda: sealed(database, 3))
        until(lambda: "[+] sealing: ok" in page(node, "/readyz?verbose"))
        assert "sealing goes on after" in node.log()


def _added(node: NodeProcess) -> bool:
    """Create a record, if the node can already."""
    try:
        add(node)
    except CallFailed as error:
        if error.code != "server.unavailable":
            raise
        return False
    return True
