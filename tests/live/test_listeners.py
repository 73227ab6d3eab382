"""Where a node listens, and who may come in there."""

from __future__ import annotations

import http.client
import json
import socket
import stat
from pathlib import Path

import pytest

from tests.live.node import served


class SocketConnection(http.client.HTTPConnection):
    """HTTP over a socket in the file system."""

    def __init__(self, path: str) -> None:
        super().__init__("localhost", timeout=30)
        self._path = path

    def connect(self) -> None:
        """Connect to the path instead of a host."""
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(30)
        self.sock.connect(self._path)


@pytest.mark.parametrize(("asked", "mode"), [("", 0o600), (":mode=660", 0o660)])
def test_a_socket_is_open_to_the_nodes_own_user_unless_asked(
    tmp_path: Path, database: str, asked: str, mode: int
) -> None:
    """Calls are answered over it, and other users of the machine cannot open it."""
    path = tmp_path / "rpc.sock"
    with served(tmp_path, database, HERDBOOK_LISTEN_RPC=f"unix:{path}{asked}") as node:
        assert node.rpc == f"unix:{path}"
        assert stat.S_IMODE(path.stat().st_mode) == mode
        connection = SocketConnection(str(path))
        call = {"jsonrpc": "2.0", "id": 1, "method": "farm.count"}
        headers = {"Content-Type": "application/json"}
        connection.request("POST", "/", json.dumps(call), headers)
        assert json.loads(connection.getresponse().read())["result"] == 0
        connection.close()
