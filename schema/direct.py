"""Tables without migrations, for tests and for trying something out."""

from __future__ import annotations

import secrets

from sqlalchemy import Connection
from sqlalchemy.dialects import mysql

from records.catalogue import Catalogue
from schema.capture.install import install, numbered_in
from schema.connection import connected
from schema.system import node_identity, sealer, system_metadata
from schema.tables import CAPTURE, metadata_of


def create_tables(url: str, catalogue: Catalogue) -> None:
    """Make the tables of all record classes that are not there yet, and capture them.

    `url` is the database's address, as SQLAlchemy takes it. Raises a SchemaError. A database that
    holds data of value is migrated instead.
    """
    with connected(url) as connection:
        system_metadata.create_all(connection)
        _first_rows(connection)
        metadata = metadata_of(catalogue)
        metadata.create_all(connection)
        connection.commit()
        known = numbered_in(connection)
        for table in metadata.sorted_tables:
            if CAPTURE in table.info:
                install(connection, table.info[CAPTURE].numbered_like(known.get(table.name)))


def _first_rows(connection: Connection) -> None:
    """The rows that the tables of one row begin with."""
    origin = secrets.randbelow(2**32 - 1) + 1
    for table, values in ((node_identity, {"origin": origin}), (sealer, {})):
        row = mysql.insert(table).values(only=1, **values)
        connection.execute(row.prefix_with("IGNORE"))
    connection.commit()
