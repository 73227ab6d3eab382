"""One runner at a time: a lock of the server's, freed by itself when the runner dies."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, text

from schema.errors import LockHeld

# One wait at the server; in between Ctrl-C gets through.
_SLICE_SECONDS = 1.0


@contextmanager
def only_runner(connection: Connection, wait_seconds: float) -> Iterator[None]:
    """Hold the database's migration lock; raises LockHeld when it stays taken for too long."""
    name = lock_name(_database(connection))
    deadline = time.monotonic() + wait_seconds
    while not _taken(connection, name, min(_SLICE_SECONDS, deadline - time.monotonic())):
        if time.monotonic() >= deadline:
            holder = connection.scalar(text("SELECT IS_USED_LOCK(:name)"), {"name": name})
            raise LockHeld(
                f"Another run is migrating this database (connection {holder} of the server) and "
                f"was not done within {wait_seconds:g} seconds."
            )
    connection.commit()
    # Closing the connection frees the lock too, and a broken connection has freed it already.
    yield
    connection.scalar(text("SELECT RELEASE_LOCK(:name)"), {"name": name})
    connection.commit()


def lock_name(database: str) -> str:
    """The lock's name: locks are shared by all databases of a server and have short names."""
    return f"herdbook.schema.{hashlib.sha256(database.encode()).hexdigest()[:40]}"


def _database(connection: Connection) -> str:
    return str(connection.scalar(text("SELECT DATABASE()")))


def _taken(connection: Connection, name: str, seconds: float) -> bool:
    """Whether the lock could be had within some seconds."""
    asked = {"name": name, "seconds": max(seconds, 0)}
    return bool(connection.scalar(text("SELECT GET_LOCK(:name, :seconds)"), asked) == 1)
