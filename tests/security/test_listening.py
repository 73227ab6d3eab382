"""Out of the box nothing listens beyond loopback."""

from __future__ import annotations

import os
import re
import socket
from pathlib import Path

import pytest

from service.config.values import HerdSettings, ListenSettings
from service.server import ServerKind
from service.server.processes import servers_on
from tests.live.node import NodeProcess, migrate
from tests.security.sockets import open_sockets
from tests.servers.programs import chosen_kinds, program_of
from tests.service.cli.nodes import node_up


def test_sockets_are_found(tmp_path: Path) -> None:
    """Of either family, and for TCP only those that listen; so what is not found is not there."""
    held = [socket.create_server(("127.0.0.1", 0)), socket.create_server(("0.0.0.0", 0))]
    held.append(socket.create_server(("::1", 0), family=socket.AF_INET6))
    client = socket.create_connection(held[0].getsockname())
    letters = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    letters.bind(("127.0.0.1", 0))
    try:
        found = {(str(each.address), each.port) for each in open_sockets(os.getpid())}
        for each in (*held, letters):
            assert each.getsockname()[:2] in found
        assert client.getsockname() not in found
    finally:
        for each in (*held, client, letters):
            each.close()


def test_a_node_listens_on_loopback_alone(tmp_path: Path, database: str) -> None:
    """With the listeners that it has by default, but for their ports, which are any free ones."""
    usual = ListenSettings()
    defaults = {"rpc": usual.rpc, "admin": usual.admin, "stream": usual.stream}
    settings = {
        f"HERDBOOK_LISTEN_{name.upper()}": re.sub(r"^tcp:865[0-2]:", "tcp:0:", endpoint)
        for name, endpoint in defaults.items()
    }
    assert all(":0:" in endpoint for endpoint in settings.values())
    assert HerdSettings().listen == ""
    migrate(tmp_path, database)
    with NodeProcess(tmp_path, database, **settings) as node:
        found = open_sockets(node.pid)
    assert {(each.kind, each.address.is_loopback) for each in found} == {("tcp", True)}
    assert len(found) == 3


@pytest.mark.slow
@pytest.mark.parametrize("kind", chosen_kinds(), ids=str)
def test_a_node_with_a_server_of_its_own_listens_on_loopback_alone(
    tmp_path: Path, kind: ServerKind
) -> None:
    """And its database server not at all: it has a socket in the node's directory."""
    with node_up(tmp_path / "data", str(program_of(kind).path)) as told:
        assert {each.address.is_loopback for each in open_sockets(told["pid"])} == {True}
        [server] = servers_on(tmp_path / "data" / "data")
        assert open_sockets(server) == []
