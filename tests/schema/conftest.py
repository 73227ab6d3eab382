"""A project of record classes with its own folder of revisions, on each server."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from records import Record
from records.catalogue import Catalogue, catalogue_of
from schema.migrator import Migrator, Written
from service.database_url import DatabaseUrl

FAMILY = ("herdbook_herd_node", "herdbook_herd_range")
"""The tables of Herdbook's own family, which are captured in every database."""


@dataclass(frozen=True)
class Project:
    """A database and a folder of revisions, for whatever record classes a test declares."""

    url: str
    folder: Path

    def catalogue(self, *classes: type[Record]) -> Catalogue:
        """These classes and their parents."""
        return catalogue_of(classes)

    def migrator(self, *classes: type[Record]) -> Migrator:
        """The migrator for these classes."""
        return Migrator(self.url, self.catalogue(*classes), self.folder)

    def migrate(self, *classes: type[Record], drops: bool = False) -> Written:
        """Write the revision for these classes and run it."""
        migrator = self.migrator(*classes)
        migrator.upgrade()
        written = migrator.revision("change", allow_destructive=drops)
        assert written is not None, "there was nothing to do"
        migrator.upgrade()
        return written


@pytest.fixture
def project(database: str, tmp_path: Path) -> Project:
    """An empty project on a fresh database."""
    return Project(DatabaseUrl.parse(database).as_sqlalchemy(), tmp_path / "revisions")
