"""Deleted rows that do not fit a narrower column: what the migration says, and how it goes on."""

from __future__ import annotations

import pytest

from records import Enum, Integer, Record, Text
from records.catalogue import catalogue_of
from schema import connection
from schema.errors import StatementFailed
from tests.schema.conftest import Project
from tests.service.store.sealing.tools import changelog, seal_all, sealing
from tests.service.store.tools import ask, raw_connection, read
from tests.service.store.undoing import listed


class Wide:
    """The class as it was."""

    class Plant(Record):
        """Takes much."""

        code = Integer(primary=True)
        name = Text(length=40, default="")
        height = Integer(bits=64, default=0)
        kind = Enum(["tree", "herb", "100% grass"], default="tree")


class Narrow:
    """The class as it is now."""

    class Plant(Record):
        """Takes less of everything."""

        code = Integer(primary=True)
        name = Text(length=5, default="")
        height = Integer(bits=16, default=0)
        kind = Enum(["tree", "100% grass"], default="tree")


UNFIT = {
    "name": ["'hornbeam'", "'elderberry'"],
    "height": ["70000", "-70000"],
    "kind": ["'herb'", "'herb'"],
}


def sql(database: str, *statements: str) -> None:
    """Plain SQL, each statement committed."""
    with raw_connection(database) as connection:
        for statement in statements:
            ask(connection, statement)


def planted(project: Project, database: str, column: str) -> None:
    """Rows of which two do not fit in one column, and are deleted; one that fits is too."""
    project.migrate(Wide.Plant)
    for code, value in enumerate(UNFIT[column]):
        sql(database, f"INSERT INTO plant (code, {column}) VALUES ({code}, {value})")
    sql(database, "INSERT INTO plant (code) VALUES (7), (8)", "DELETE FROM plant WHERE code < 8")


@pytest.mark.parametrize("column", UNFIT)
def test_the_graveyard_is_named_with_what_to_do(
    project: Project, database: str, column: str
) -> None:
    """Dead rows are in the way; when those that do not fit are deleted, the command goes on."""
    planted(project, database, column)
    migrator = project.migrator(Narrow.Plant)
    written = migrator.revision("narrow", allow_destructive=True)
    assert written is not None
    with pytest.raises(StatementFailed) as refused:
        migrator.upgrade()
    assert (
        "Table herdbook_dead_plant is the graveyard of plant: some of the deleted rows in it do "
        "not fit." in refused.value.hint
    )
    assert "DELETE FROM `herdbook_dead_plant` WHERE" in refused.value.hint
    unfit = ", ".join(UNFIT[column])
    sql(database, f"DELETE FROM herdbook_dead_plant WHERE {column} IN ({unfit})")
    assert migrator.upgrade() == [written.path.name.partition("_")[0]]
    assert migrator.check() == []


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ('op.rename_table("herdbook_dead_plant", "old_plant")', "Lock wait timeout"),
        ('op.execute("ALTER TABLE herdbook_dead_plant MODIFY name TEXT")', "Lock wait timeout"),
        ('op.execute("ALTER TABLE herdbook_dead_plant DROP COLUMN nothing")', "nothing"),
    ],
)
def test_whatever_else_is_refused_is_not_laid_to_dead_rows(
    project: Project, database: str, monkeypatch: pytest.MonkeyPatch, change: str, why: str
) -> None:
    """Somebody's lock, or a mistake in the file: no other hint, and nothing is left behind."""
    planted(project, database, "name")
    tables = read(database, "SHOW TABLES")
    (before,) = (path.name.partition("_")[0] for path in project.folder.glob("*.py"))
    (project.folder / "zz.py").write_text(
        f'from alembic import op\nrevision = "zz01"\ndown_revision = "{before}"\n'
        f"def upgrade():\n    {change}\ndef downgrade():\n    pass\n"
    )
    brief = connection.SESSION.replace("lock_wait_timeout = 60", "lock_wait_timeout = 1")
    monkeypatch.setattr(connection, "SESSION", brief)
    with raw_connection(database, autocommit=False) as other:
        ask(other, "SELECT * FROM herdbook_dead_plant")
        with pytest.raises(StatementFailed, match=why) as refused:
            project.migrator(Wide.Plant).upgrade()
    assert refused.value.hint == StatementFailed.hint
    assert read(database, "SHOW TABLES") == tables


def test_rows_that_live_are_not_taken_for_dead_ones(project: Project, database: str) -> None:
    """Where the table itself refuses, the hint is about what the server names."""
    project.migrate(Wide.Plant)
    sql(database, "INSERT INTO plant (code, name) VALUES (1, 'hornbeam')")
    migrator = project.migrator(Narrow.Plant)
    migrator.revision("narrow", allow_destructive=True)
    with pytest.raises(StatementFailed) as refused:
        migrator.upgrade()
    assert refused.value.hint == StatementFailed.hint


def test_a_dead_row_that_was_deleted_is_only_not_restored(project: Project, database: str) -> None:
    """The feed tells of the death all the same, the key lives again, and nothing is found wrong."""
    planted(project, database, "name")
    sql(database, "DELETE FROM herdbook_dead_plant WHERE code = 0")
    with sealing(database) as sealer:
        seal_all(sealer)
        sql(database, "DELETE FROM herdbook_dead_plant WHERE code = 1")
        sql(database, "INSERT INTO plant (code) VALUES (0), (1)")
        seal_all(sealer)
    told = [(line.kind, line.key) for line in changelog(database)]
    for key in (b"0", b"1"):
        assert [kind for kind, one in told if one == key] == ["insert", "delete", "insert"]
    catalogue = catalogue_of([Wide.Plant])
    dead = listed(database, catalogue.records["plant"], catalogue=catalogue)
    assert [row["code"] for row in dead] == [7]
    migrator = project.migrator(Wide.Plant)
    noted: list[str] = []
    migrator.recapture((), on_deaths=lambda table, _deaths: noted.append(table))
    assert noted == []
    assert migrator.check_rows() == []
    assert read(database, "SELECT code FROM plant ORDER BY code") == [(0,), (1,), (8,)]
