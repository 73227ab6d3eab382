"""A database with the tables of the families."""

from __future__ import annotations

import pytest

from tests.service.store.families import CATALOGUE
from tests.service.store.tools import create_tables


@pytest.fixture
def families(database: str) -> str:
    """The URL of a database with the families' tables, empty."""
    create_tables(database, CATALOGUE)
    return database
