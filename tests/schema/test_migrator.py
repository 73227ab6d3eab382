"""From a declaration to tables and back, through revisions a DBA can read."""

from __future__ import annotations

from records import Record, Reference, Text
from schema.progress import Direction
from tests.schema.conftest import Project


def test_a_new_class_becomes_a_table_that_check_agrees_with(project: Project) -> None:
    """Declare, write the revision, upgrade: nothing differs any more."""

    class Country(Record):
        code = Text(length=2, unique=True)
        name = Text(length=120, index=True)

    class City(Record):
        country = Reference(Country, on_delete="cascade")
        name = Text(length=200, default="it's \\ 100% 😀")

    migrator = project.migrator(City)
    written = project.migrate(City)
    print(written.path.read_text())
    assert written.changes == (
        "table country is declared and not in the database",
        "index ix_country_name of table country is declared and not in the database",
        "table city is declared and not in the database",
        "index ix_city_country_id of table city is declared and not in the database",
    )
    assert migrator.check() == []
    assert migrator.problem() is None
    assert migrator.revision("again") is None
    assert migrator.downgrade("base") == [written.path.name.partition("_")[0]]
    assert len(migrator.check()) == 5
    print(migrator.sql(Direction.UP, "base:"))
    print(migrator.sql(Direction.DOWN, "head:base"))
