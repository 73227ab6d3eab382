"""One database with captured tables for each server and module, emptied before each test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from schema.direct import create_tables
from service.database_url import DatabaseUrl
from service.server import PrivateServer
from tests.capture.witness import Session, Zoo
from tests.capture.zoo import CATALOGUE


@pytest.fixture(scope="module")
def shared_zoo(server: PrivateServer, request: pytest.FixtureRequest) -> Iterator[Zoo]:
    """The tables, made once a module; tests that change tables make their own."""
    name = request.module.__name__.rpartition(".")[2]
    server.create_database(name)
    url = server.url(name)
    create_tables(DatabaseUrl.parse(url).as_sqlalchemy(), CATALOGUE)
    yield Zoo(url, CATALOGUE)
    server.drop_database(name)


@pytest.fixture
def zoo(shared_zoo: Zoo) -> Zoo:
    """Captured tables, all of them empty."""
    shared_zoo.empty()
    shared_zoo.forget()
    return shared_zoo


@pytest.fixture
def sql(zoo: Zoo) -> Iterator[Session]:
    """A session of plain SQL on them; each statement commits."""
    with zoo.session() as session:
        yield session


@pytest.fixture
def own_zoo(database: str) -> Zoo:
    """Captured tables that the test may change."""
    create_tables(DatabaseUrl.parse(database).as_sqlalchemy(), CATALOGUE)
    return Zoo(database, CATALOGUE)
