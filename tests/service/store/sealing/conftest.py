"""A database whose tables are captured."""

from __future__ import annotations

import pytest

from tests.service.store.sealing.tools import captured


@pytest.fixture
def plots(database: str) -> str:
    """The URL of a database with the tables of the plots, captured and empty."""
    return captured(database)
