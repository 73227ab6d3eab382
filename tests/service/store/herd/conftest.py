"""Databases with the ranch's tables, captured."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from schema.direct import create_tables
from service.cli.verify_tables import Pair
from service.database_url import DatabaseUrl
from service.server import PrivateServer
from tests.conftest import Servers
from tests.servers.programs import chosen_kinds
from tests.service.store.herd import verifying
from tests.service.store.herd.herds import Member, node_beside
from tests.service.store.herd.pairs import catch_up, fill
from tests.service.store.herd.ranch import CATALOGUE
from tests.service.store.herd.verifying import asked
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
    with node_beside(server, database, "other") as other:
        yield other


@pytest.fixture(scope="module")
def twins(servers: Servers) -> Iterator[tuple[str, str]]:
    """Two databases with the same rows of every type, on two servers where there are two."""
    first, last = chosen_kinds()[0], chosen_kinds()[-1]
    names = {"twin_one": servers.get(first), "twin_other": servers.get(last)}
    for name, on in names.items():
        on.create_database(name)
    one, other = (on.url(name) for name, on in names.items())
    for url in (one, other):
        create_tables(DatabaseUrl.parse(url).as_sqlalchemy(), verifying.CATALOGUE)
        read(url, "CREATE TABLE herdbook_revision (version_num VARCHAR(32) PRIMARY KEY)")
    fill(one)
    catch_up(one, other)
    yield one, other
    for name, on in names.items():
        on.drop_database(name)


@pytest.fixture
def pair(twins: tuple[str, str]) -> Iterator[Pair]:
    """The two nodes, with the same rows."""
    with asked(twins[0]) as ours, asked(twins[1]) as theirs:
        yield Pair(ours, theirs)
