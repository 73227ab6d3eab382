"""A node of the measurements, and a subscriber over its stream."""

from __future__ import annotations

import json
import shutil
import socket
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from bench.machine import RECORDS
from tests.live.node import NodeProcess, migrate

_SECONDS = 120.0


@contextmanager
def node_on(database: str) -> Iterator[NodeProcess]:
    """A node as it runs in earnest, on a new database, which is migrated first."""
    folder = Path(tempfile.mkdtemp(prefix="herdbook-bench-"))
    try:
        migrate(folder, database, RECORDS)
        with NodeProcess(folder, database, HERDBOOK_NODE_RECORDS=RECORDS) as node:
            yield node
    finally:
        shutil.rmtree(folder, ignore_errors=True)


class Stream:
    """One connection: calls, and what is told in between."""

    def __init__(self, node: NodeProcess) -> None:
        parts = urlsplit(node.stream)
        address = (parts.hostname or "", parts.port or 0)
        self._socket = socket.create_connection(address, timeout=_SECONDS)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._lines = self._socket.makefile("rb")

    def close(self) -> None:
        """End the connection."""
        self._lines.close()
        self._socket.close()

    def send(self, method: str, parameters: Mapping[str, Any]) -> None:
        """Call without waiting for the answer, which comes among the other lines."""
        call = {"jsonrpc": "2.0", "id": 1, "method": method, "params": parameters}
        self._socket.sendall(json.dumps(call).encode() + b"\n")

    def next_message(self) -> dict[str, Any]:
        """The next line, whatever it is; raises TimeoutError where none comes."""
        line = self._lines.readline()
        if not line:
            raise ConnectionError("the node closed the stream")
        message: dict[str, Any] = json.loads(line)
        if "error" in message:
            raise RuntimeError(f"the node refuses: {message['error']}")
        return message
