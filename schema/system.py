"""Herdbook's own tables. Their names begin with `herdbook_`.

Each comes from a frozen revision in `migrations/versions`; a test compares the two.
"""

from __future__ import annotations

from sqlalchemy import Column, MetaData, PrimaryKeyConstraint, Table
from sqlalchemy.dialects import mysql

from records.declaration import SYSTEM_PREFIX
from schema.tables import TABLE_OPTIONS

BRANCH = "herdbook"
"""The label of the revisions that make these tables."""

# These two must be there before the first revision runs, so the runner makes them itself.
REVISION_TABLE = f"{SYSTEM_PREFIX}revision"
"""Where Alembic keeps the revisions the database is at."""

JOURNAL_TABLE = f"{SYSTEM_PREFIX}migration"
"""Where a migration keeps how far it has come."""

system_metadata = MetaData()

schema_numbers = Table(
    f"{SYSTEM_PREFIX}schema",
    system_metadata,
    Column("only", mysql.TINYINT(unsigned=True), nullable=False, autoincrement=False),
    Column("number", mysql.INTEGER(unsigned=True), nullable=False),
    Column("oldest_code", mysql.INTEGER(unsigned=True), nullable=False),
    PrimaryKeyConstraint("only"),
    **TABLE_OPTIONS,
)
"""One row, whose key is 1: the two numbers of `schema.version`."""


def is_system_table(name: str) -> bool:
    """Whether a table belongs to Herdbook and not to the record classes."""
    return name.startswith(SYSTEM_PREFIX)
