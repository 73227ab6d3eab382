"""The frozen revisions make what `schema/system.py` declares."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
from sqlalchemy import select

from records import Record, Text
from records.catalogue import catalogue_of
from schema.changes import changes_to
from schema.connection import connected
from schema.migrator import Migrator
from schema.scripts import ENVIRONMENT
from schema.status import tolerated
from schema.system import schema_numbers, system_metadata
from schema.version import OLDEST_CODE, SCHEMA_NUMBER
from schema.words import in_words
from service.database_url import DatabaseUrl

FILES = sorted((ENVIRONMENT / "versions").glob("hb*.py"))


class Anything(Record):
    """Only there so that there is a record class."""

    name = Text(length=9)


def test_all_revisions_together_make_the_declared_tables(database: str) -> None:
    """What is declared for new code is what upgraded databases have; and back to nothing."""
    url = DatabaseUrl.parse(database).as_sqlalchemy()
    migrator = Migrator(url, catalogue_of([Anything]), None)
    migrator.upgrade()
    with connected(url) as connection:
        found = changes_to(connection, system_metadata).up
        row = connection.execute(select(schema_numbers)).one()
    assert [in_words(change) for change in found] == []
    assert tuple(row) == (1, SCHEMA_NUMBER, OLDEST_CODE)
    migrator.downgrade("herdbook@base")
    with connected(url) as connection:
        found = changes_to(connection, system_metadata).up
    assert {in_words(change) for change in found} == {
        f"table {name} is declared and not in the database" for name in system_metadata.tables
    }


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_revision_stands_alone_and_has_the_name_of_ours(path: Path) -> None:
    """It imports the vocabulary of migrations only, so no later change of code changes it."""
    tree = ast.parse(path.read_text())
    imported = {
        name.partition(".")[0]
        for node in ast.walk(tree)
        for name in (
            [part.name for part in node.names]
            if isinstance(node, ast.Import)
            else [node.module or ""]
            if isinstance(node, ast.ImportFrom)
            else []
        )
    }
    assert imported <= {"alembic", "sqlalchemy"}
    assert tolerated(path.stem.partition("_")[0])
