"""The database as it was at one moment, for as long as a delta is read."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import NamedTuple

from MySQLdb import Error as DriverError
from storm.exceptions import Error as StormError

from records.catalogue import Catalogue
from service.errors import ServiceError, Unavailable
from service.herd.vectors import Vector
from service.server.errors import ServerError
from service.store.database import HerdbookDatabase
from service.store.herd.floors import floors_of
from service.store.records_store import RecordStore
from service.store.sealing.entries import Entry, visible
from service.store.settings import SessionSettings
from service.store.transaction import Transaction
from service.store.translation import translate

IDLE_SECONDS = 600
"""A snapshot that is kept open holds up the server's purge, and whoever changes a table. But a few
parts of a delta over a slow wire take minutes, and one that ends early begins again from its start:
as long as links wait (`service.transports.siblings.terms`)."""

_STRUCTURE_SECONDS = 5
"""How long is waited for a table whose structure is being changed."""


@dataclass(frozen=True)
class ReadingSession(SessionSettings):
    """For a connection that only reads; the server ends it when it has been idle for too long.

    So a process that stands still keeps no snapshot.
    """

    autocommit: bool = True
    idle_seconds: int = IDLE_SECONDS

    def statements(self, mariadb: bool) -> tuple[str, ...]:
        """What prepares a session."""
        return (
            *super().statements(mariadb),
            f"SET SESSION wait_timeout = {self.idle_seconds:d}, "
            f"lock_wait_timeout = {_STRUCTURE_SECONDS:d}",
        )


class Moment(NamedTuple):
    """What a snapshot shows of the node as a whole.

    `written` is the last position of what was written here, `position` the last of all. Of the
    entries that have none yet, the lowest are `unsealed`, as many as were asked for. `floors` are
    the highest positions that were pruned, by origin.
    """

    origin: int
    written: int
    position: int
    floors: Vector
    vector: Vector
    unsealed: tuple[Entry, ...] = ()


def moment_of(tx: Transaction, most_unsealed: int = 0) -> Moment:
    """What a transaction sees of the node."""
    ((origin,),) = tx.rows("SELECT `origin` FROM `herdbook_node` WHERE `only` = 1")
    ((written, position),) = tx.rows(
        "SELECT `written`, `position` FROM `herdbook_sealer` WHERE `only` = 1"
    )
    vector = dict(tx.rows("SELECT `origin`, `position` FROM `herdbook_vector`"))
    if written:
        vector[origin] = max(written, vector.get(origin, 0))
    unsealed = visible(tx, most_unsealed) if most_unsealed else []
    return Moment(origin, written, position, floors_of(tx), vector, tuple(unsealed))


class Snapshot:
    """A connection that sees one moment. It belongs to one thread."""

    def __init__(self, database: HerdbookDatabase, catalogue: Catalogue) -> None:
        self._store = RecordStore(database, catalogue)
        self.tx = Transaction(self._store, catalogue)
        try:
            self.tx.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
            self.tx.execute("START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY")
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Give the connection back to the server, which ends the snapshot."""
        self._store.close()


@contextmanager
def told_by_service_errors() -> Iterator[None]:
    """Let whatever goes wrong while reading be a ServiceError."""
    try:
        yield
    except sqlite3.Error as error:
        text = f"the node cannot keep the delta in its temporary files: {error}"
        hint = "Free space where the node keeps temporary files (SQLITE_TMPDIR, /var/tmp, /tmp)."
        raise Unavailable(text, hint=hint) from error
    except (DriverError, StormError, ServerError) as error:
        known = translate(error)
        if isinstance(known, ServiceError):
            raise known from error
        raise ServiceError("the database gave an error that is not known") from error
