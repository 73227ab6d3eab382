"""Databases with the ranch's tables, captured."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from schema.direct import create_tables
from service.database_url import DatabaseUrl
from service.server import PrivateServer
from tests.service.store.herd.herds import Member
from tests.service.store.herd.ranch import CATALOGUE
from tests.service.store.tools import read


@pytest.fixture
def ranch(database: str) -> str:
    """The URL of the database."""
    create_tables(DatabaseUrl.parse(database).as_sqlalchemy(), CATALOGUE)
    read(database, "CREATE TABLE herdbook_revision (version_num VARCHAR(32) PRIMARY KEY)")
    return database


@pytest.fixture
def one(ranch: str) -> Member:
    """A node."""
    return Member(ranch)


@pytest.fixture
def other(server: PrivateServer, database: str) -> Iterator[Member]:
    """Another node, on the same server."""
    name = DatabaseUrl.parse(database).database + "_other"
    server.create_database(name)
    url = server.url(name)
    create_tables(DatabaseUrl.parse(url).as_sqlalchemy(), CATALOGUE)
    read(url, "CREATE TABLE herdbook_revision (version_num VARCHAR(32) PRIMARY KEY)")
    yield Member(url)
    server.drop_database(name)
