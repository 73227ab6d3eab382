"""Captured tables on a fresh database, and what their triggers noted."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from records import Record
from records.catalogue import Catalogue, catalogue_of
from schema.capture.install import captures_in
from schema.capture.row_key import as_read, split
from schema.connection import connected
from schema.direct import create_tables
from schema.system import inbox
from service.database_url import DatabaseUrl


@dataclass(frozen=True)
class Captured:
    """A database with the captured tables of some record classes."""

    url: str
    catalogue: Catalogue

    def run(self, *statements: str) -> None:
        """Run statements as a client would, each in a transaction of its own."""
        with connected(self.url) as connection:
            for statement in statements:
                connection.exec_driver_sql(statement.replace("%", "%%"))
                connection.commit()

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """The rows of a query."""
        with connected(self.url) as connection:
            found = connection.exec_driver_sql(query.replace("%", "%%")).all()
        return [tuple(row) for row in found]

    def noted(self) -> list[tuple[Any, ...]]:
        """Every entry in the inbox: kind, table and key."""
        with connected(self.url) as connection:
            captures = captures_in(connection)
            entries = connection.execute(inbox.select().order_by(inbox.c.entry)).all()
        return [
            (
                entry.kind,
                entry.table_name,
                *(
                    as_read(part.form, found)
                    for part, found in zip(
                        captures[entry.table_name].key,
                        split(entry.row_key, len(captures[entry.table_name].key)),
                        strict=True,
                    )
                ),
            )
            for entry in entries
        ]


CaptureClasses = Callable[..., Captured]


@pytest.fixture
def capturing(database: str) -> CaptureClasses:
    """Makes the captured tables of record classes on a fresh database."""
    url = DatabaseUrl.parse(database).as_sqlalchemy()

    def make(*classes: type[Record]) -> Captured:
        catalogue = catalogue_of(classes)
        create_tables(url, catalogue)
        return Captured(url, catalogue)

    return make
