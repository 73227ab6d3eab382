"""Herdbook's own family in a project's database: made by its own revisions, in nobody else's."""

from __future__ import annotations

from sqlalchemy import text

from records import Record, Reference, Text
from schema.capture.operations import known_captures
from schema.connection import connected
from schema.progress import Direction, Journal
from schema.runner import run
from schema.scripts import load_revisions
from tests.schema.conftest import FAMILY, Project


class Farm(Record):
    """Something of a project's own."""

    name = Text(length=40)


class Field(Record):
    """A child of it."""

    farm = Reference(Farm, on_delete="cascade")


INSERT = "INSERT INTO herdbook_herd_node (id, name) VALUES (REPEAT('{0}', 16), '{0}')"
GIVE = (
    "INSERT INTO herdbook_herd_range (id, node_id, cidr, purpose) VALUES "
    "(REPEAT('{0}', 16), REPEAT('{1}', 16), REPEAT('{0}', 17), 'pool')"
)


def sql(project: Project, *statements: str) -> None:
    """Run statements, each committed."""
    with connected(project.url) as connection:
        for statement in statements:
            connection.execute(text(statement))
            connection.commit()


def noted(project: Project) -> list[tuple[str, str]]:
    """What capture has noted, in order."""
    with connected(project.url) as connection:
        rows = connection.execute(
            text("SELECT table_name, kind FROM herdbook_inbox ORDER BY entry")
        )
        return [(row[0], row[1]) for row in rows]


def tables(project: Project) -> set[str]:
    """All tables."""
    with connected(project.url) as connection:
        return {str(row[0]) for row in connection.execute(text("SHOW TABLES"))}


def as_before_the_family(project: Project) -> None:
    """A database of the release before, with the project's tables, captured, and rows in them."""
    project.migrate(Field)
    migrator = project.migrator(Field)
    migrator.downgrade("base")
    assert migrator.downgrade("hb0003") == ["hb0004"]
    revisions = load_revisions(project.folder)
    assert revisions.application_head is not None
    with connected(project.url) as connection:
        journal = Journal(connection, lambda _step: None)
        run(revisions, journal, connection, Direction.UP, revisions.application_head)
    sql(project, "INSERT INTO farm (id, name) VALUES (REPEAT('a', 16), 'a')")


def test_a_database_of_the_release_before_is_upgraded_with_its_rows(project: Project) -> None:
    """Then nothing differs; what was there is as it was, and both tables are captured."""
    as_before_the_family(project)
    assert not tables(project) & set(FAMILY)
    migrator = project.migrator(Field)
    assert migrator.problem() is not None
    assert migrator.upgrade() == ["hb0004"]
    assert (migrator.check(), migrator.check_rows(), migrator.problem()) == ([], [], None)
    sql(project, INSERT.format("n"), GIVE.format("r", "n"))
    assert noted(project) == [
        ("farm", "insert"),
        ("herdbook_herd_node", "insert"),
        ("herdbook_herd_range", "insert"),
    ]
    assert migrator.check_rows() == []


def test_a_projects_revision_neither_makes_nor_drops_nor_releases_the_family(
    project: Project,
) -> None:
    """Whatever has become of its tables."""
    written = project.migrate(Field)
    assert "herdbook_dead_farm" in written.path.read_text()
    assert not [name for name in FAMILY if name in written.path.read_text()]
    migrator = project.migrator(Field)
    assert migrator.revision("again") is None
    sql(project, "ALTER TABLE herdbook_herd_range DROP COLUMN note")
    assert migrator.revision("again") is None
    assert any("herdbook_herd_range.note" in line for line in migrator.check())


def test_a_projects_revisions_are_taken_back_and_the_family_stays(project: Project) -> None:
    """Down to base, with rows in it; further down only once nothing of the project is captured."""
    project.migrate(Field)
    sql(project, INSERT.format("n"))
    migrator = project.migrator(Field)
    migrator.downgrade("base")
    with connected(project.url) as connection:
        assert set(known_captures(connection)) == set(FAMILY)
        assert connection.scalar(text("SELECT name FROM herdbook_herd_node")) == "n"
    assert migrator.downgrade("herdbook@base") == ["hb0004", "hb0003", "hb0002", "hb0001"]
    assert not {name for name in tables(project) if "herd_" in name}


def test_lost_triggers_of_the_family_keep_a_node_from_starting_and_are_made_anew(
    project: Project,
) -> None:
    """What was written meanwhile is taken in."""
    project.migrate(Field)
    migrator = project.migrator(Field)
    with connected(project.url) as connection:
        names = connection.scalars(
            text(
                "SELECT trigger_name FROM information_schema.triggers WHERE trigger_schema = "
                "DATABASE() AND event_object_table = 'herdbook_herd_node'"
            )
        ).all()
    sql(project, *(f"DROP TRIGGER `{name}`" for name in names), INSERT.format("n"))
    problem = migrator.problem()
    assert problem is not None
    assert "herdbook_herd_node has lost its triggers" in problem.message
    assert set(FAMILY) <= set(migrator.recapture())
    assert (migrator.check(), migrator.check_rows(), migrator.problem()) == ([], [], None)
    assert noted(project) == [("herdbook_herd_node", "insert")]


def test_a_deleted_node_takes_its_ranges_along_for_plain_sql(project: Project) -> None:
    """Each of them is noted."""
    project.migrate(Field)
    sql(project, INSERT.format("n"), GIVE.format("r", "n"), "DELETE FROM herdbook_herd_node")
    assert noted(project)[2:] == [
        ("herdbook_herd_range", "delete"),
        ("herdbook_herd_node", "delete"),
    ]
