"""What was deleted before a migration comes back after it."""

from __future__ import annotations

from records import Integer, Record, Text
from records.catalogue import catalogue_of
from tests.schema.conftest import Project
from tests.service.store.direct import done
from tests.service.store.tools import ask, raw_connection
from tests.service.store.undoing import undoing


class Before:
    """The class as it was."""

    class Plant(Record):
        """Has no colour."""

        code = Integer(primary=True)


class After:
    """The class as it is now."""

    class Plant(Record):
        """Has a colour, which must be there."""

        code = Integer(primary=True)
        colour = Text(length=9, default="green")


def test_a_record_comes_back_with_a_field_that_was_added_since(
    project: Project, database: str
) -> None:
    """It gets the default of the field, like the records that lived through the migration."""
    project.migrate(Before.Plant)
    with raw_connection(database) as connection:
        ask(connection, "INSERT INTO plant (code) VALUES (1), (2)")
        ask(connection, "DELETE FROM plant WHERE code = 1")
    project.migrate(After.Plant)
    catalogue = catalogue_of([After.Plant])
    with undoing(database, catalogue) as undo:
        restored = done(undo.restore(catalogue.records["plant"], [(1,)], False, ()))
    assert restored.rows == [{"code": 1, "colour": "green"}]
