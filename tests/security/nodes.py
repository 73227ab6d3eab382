"""A node for all tests of a module: they try to get at it, and it goes on as before."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from service.server import PrivateServer
from tests.live.node import NodeProcess, served


@contextmanager
def node_on(
    server: PrivateServer, folder: Path, name: str, **settings: str
) -> Iterator[NodeProcess]:
    """A node on a database of this name, which goes at the end."""
    database = f"security_{name}"
    server.create_database(database)
    try:
        with served(folder, server.url(database), **settings) as node:
            yield node
    finally:
        server.drop_database(database)
