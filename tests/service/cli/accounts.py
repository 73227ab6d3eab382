"""Accounts as `herdbook grant` prints them, on servers whose binary log is on."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

from service.privileges.statements import PASSWORD
from service.server import PrivateServer, ServerKind
from tests.servers.programs import program_of
from tests.service.store.tools import ask, raw_connection

SECRET = "hush"
_OPTIONS = ["--log-bin=log", "--server-id=1", "--sync-binlog=1"]


@contextmanager
def logging_server_of(kind: ServerKind) -> Iterator[PrivateServer]:
    """A server whose binary log is on; accounts without SUPER may make triggers."""
    directory = Path(tempfile.mkdtemp(prefix="herdbook-tests-"))
    with PrivateServer(directory, program_of(kind), options=_OPTIONS) as server:
        yield server
    shutil.rmtree(directory, ignore_errors=True)


def as_root(server: PrivateServer, *statements: str) -> None:
    """Run statements as whoever administers the server; what is printed for the password is set."""
    with raw_connection(server.url("mysql")) as connection:
        for statement in statements:
            ask(connection, statement.replace(PASSWORD, f"'{SECRET}'"))


@contextmanager
def database_of(server: PrivateServer, name: str, users: Iterable[str]) -> Iterator[None]:
    """An empty database; it goes at the end, and the users with it."""
    server.create_database(name)
    try:
        yield
    finally:
        server.drop_database(name)
        as_root(server, *(f"DROP USER IF EXISTS `{user}`@localhost" for user in users))


def url_of(server: PrivateServer, database: str, user: str) -> str:
    """The database's URL for an account that was made as printed."""
    return server.url(database).replace("root@", f"{quote(user)}:{SECRET}@")
