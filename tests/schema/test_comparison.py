"""The database is found equal to what made it, and different wherever it differs."""

from __future__ import annotations

import pytest
from alembic.operations.ops import AlterColumnOp

from records import Enum, Record, Text
from records.catalogue import catalogue_of
from schema.changes import changes_to, told
from schema.connection import connected
from schema.tables import metadata_of
from schema.words import in_words
from tests.schema.conftest import Project
from tests.schema.samples import CHANGES, sample


def test_every_single_change_of_a_field_is_found_and_nothing_else(project: Project) -> None:
    """Whatever one changes about one field, the comparison shows exactly that."""
    project.migrate(sample())
    wrong = {}
    with connected(project.url) as connection:
        assert changes_to(connection, metadata_of(catalogue_of([sample()]))).up == []
        for name in CHANGES:
            found = told(changes_to(connection, metadata_of(catalogue_of([sample(name)]))).up)
            columns = [part.column_name for part in found if isinstance(part, AlterColumnOp)]
            if columns != [name] or len(found) != 1:
                wrong[name] = found
    assert wrong == {}


def test_all_changes_at_once_can_be_made_and_taken_back(project: Project) -> None:
    """The revision for all changes leads there, and its other half leads back."""
    before, after = sample(), sample(*CHANGES)
    project.migrate(before)
    project.migrate(after, drops=True)
    assert project.migrator(after).check() == []
    project.migrator(after).downgrade("-1")
    with connected(project.url) as connection:
        left = changes_to(connection, metadata_of(catalogue_of([before]))).up
    assert [in_words(change) for change in left] == []


def test_choices_beyond_the_basic_plane_are_compared(project: Project) -> None:
    """The servers' catalogues show such characters as question marks; that is no difference."""

    class Mood(Record):
        face = Enum(["😀", "😐"], default="😀")
        motto = Text(length=9, default="😀")

    project.migrate(Mood)
    assert project.migrator(Mood).check() == []


@pytest.mark.parametrize(
    "statement", ["CREATE TABLE _notes (a INT)", "ALTER TABLE sample COMMENT 'x'"]
)
def test_what_is_the_dbas_own_is_no_difference(project: Project, statement: str) -> None:
    """Tables that begin with an underscore, and comments, are nobody's business."""
    project.migrate(sample())
    with connected(project.url) as connection:
        connection.exec_driver_sql(statement)
    assert project.migrator(sample()).check() == []
