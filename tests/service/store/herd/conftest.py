"""A database with the ranch's tables, captured."""

from __future__ import annotations

import pytest

from schema.direct import create_tables
from service.database_url import DatabaseUrl
from tests.service.store.herd.ranch import CATALOGUE
from tests.service.store.tools import read


@pytest.fixture
def ranch(database: str) -> str:
    """The URL of the database."""
    create_tables(DatabaseUrl.parse(database).as_sqlalchemy(), CATALOGUE)
    read(database, "CREATE TABLE herdbook_revision (version_num VARCHAR(32) PRIMARY KEY)")
    return database
