"""Tables without migrations, for tests and for trying something out."""

from __future__ import annotations

from records.catalogue import Catalogue
from schema.connection import connected
from schema.tables import metadata_of


def create_tables(url: str, catalogue: Catalogue) -> None:
    """Make the tables of all record classes that are not there yet.

    `url` is the database's address, as SQLAlchemy takes it. Raises a SchemaError. A database that
    holds data of value is migrated instead.
    """
    with connected(url) as connection:
        metadata_of(catalogue).create_all(connection)
        connection.commit()
