"""The private database servers of a measurement, and plain connections to them."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import MySQLdb

from records.catalogue import load_catalogue
from schema.connection import connected
from schema.direct import create_tables
from schema.tables import metadata_of
from service.database_url import DatabaseUrl
from service.server import PrivateServer, ServerKind
from tests.servers.programs import program_of

RECORDS = "bench.places"


@contextmanager
def server_of(kind: str) -> Iterator[PrivateServer]:
    """A server with a new directory, which goes away at the end."""
    folder = Path(tempfile.mkdtemp(prefix="herdbook-bench-"))
    try:
        found = ServerKind(kind)
        with PrivateServer(folder / kind, program_of(found), buffer_pool_megabytes=256) as server:
            yield server
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def new_database(server: PrivateServer, name: str, *, captured: bool) -> str:
    """The URL of a new database with the measurements' tables, captured or not."""
    server.drop_database(name)
    server.create_database(name)
    url = server.url(name)
    address = DatabaseUrl.parse(url).as_sqlalchemy()
    if captured:
        create_tables(address, load_catalogue(RECORDS))
        return url
    with connected(address) as connection:
        metadata_of(load_catalogue(RECORDS)).create_all(connection)
        connection.commit()
    return url


@contextmanager
def plain_connection(url: str, *, autocommit: bool = True) -> Iterator[Any]:
    """A connection of the driver, as any program would have one."""
    address = DatabaseUrl.parse(url)
    connection = MySQLdb.connect(
        user=address.user,
        database=address.database,
        unix_socket=address.unix_socket,
        charset="utf8mb4",
        autocommit=autocommit,
    )
    with closing(connection):
        yield connection


def ask(connection: Any, statement: str, parameters: Sequence[object] = ()) -> list[Any]:
    """The rows of a statement."""
    with connection.cursor() as cursor:
        cursor.execute(statement, tuple(parameters) or None)
        return list(cursor.fetchall())
