"""Tables that were altered outside Herdbook: the difference is found, told and mended."""

from __future__ import annotations

import pytest

from records import DateTime, Decimal, Enum, Integer, Record, Reference, Set, Text
from tests.schema.conftest import Project
from tests.schema.test_refusing import run


class Parent(Record):
    """It has a unique key."""

    name = Text(length=90, unique=True)


class Child(Record):
    """It has an index, and what a DBA may have changed."""

    parent = Reference(Parent)
    note = Text(length=50, index=True)
    amount = Decimal(precision=10, scale=4)
    seen = DateTime()
    number = Integer(default=0)


ALTERED = {
    "unique prefix": (
        "ALTER TABLE parent DROP KEY uq_parent_name, ADD UNIQUE KEY uq_parent_name (name(10))",
        "index uq_parent_name of table parent (the first 10 of name) is in the database",
    ),
    "index prefix": (
        "ALTER TABLE child DROP KEY ix_child_note, ADD KEY ix_child_note (note(5))",
        "index ix_child_note of table child (the first 5 of note) is in the database",
    ),
    "fulltext": (
        "ALTER TABLE child DROP KEY ix_child_note, ADD FULLTEXT KEY ix_child_note (note)",
        "index ix_child_note of table child (FULLTEXT) is in the database",
    ),
    "unique index": (
        "ALTER TABLE child DROP KEY ix_child_note, ADD UNIQUE KEY ix_child_note (note(5))",
        "ix_child_note of table child",
    ),
    "generated": (
        "ALTER TABLE child MODIFY number BIGINT GENERATED ALWAYS AS (1 + 1) STORED",
        " STORED GENERATED, declared BIGINT",
    ),
    "time of change": (
        "ALTER TABLE child MODIFY seen DATETIME(6) NOT NULL DEFAULT '2026-01-31'"
        " ON UPDATE CURRENT_TIMESTAMP(6)",
        "column child.seen is DATETIME(6) ON UPDATE CURRENT_TIMESTAMP(6), declared DATETIME(6)",
    ),
    "collation": (
        "ALTER TABLE child MODIFY note VARCHAR(50) COLLATE utf8mb4_general_ci NOT NULL",
        "column child.note is VARCHAR(50) COLLATE utf8mb4_general_ci, declared VARCHAR(50) COLLATE"
        " utf8mb4_bin",
    ),
    "whole collation": (
        "ALTER TABLE child CONVERT TO CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci",
        "column child.note is VARCHAR(50) COLLATE utf8mb4_general_ci, declared VARCHAR(50) COLLATE"
        " utf8mb4_bin",
    ),
    "counted": (
        "ALTER TABLE child MODIFY number BIGINT NOT NULL AUTO_INCREMENT, ADD UNIQUE KEY n (number)",
        " AUTO_INCREMENT, declared BIGINT and has no default",
    ),
}


@pytest.mark.parametrize("name", ALTERED)
def test_what_was_altered_is_found_and_mended_by_one_revision(project: Project, name: str) -> None:
    """`check` tells it, `revision` and `upgrade` put it right, and the way back can be run too."""
    statement, told = ALTERED[name]
    project.migrate(Parent, Child)
    run(project, statement)
    migrator = project.migrator(Parent, Child)
    assert told in "\n".join(migrator.check())
    project.migrate(Parent, Child)
    assert migrator.check() == []
    migrator.downgrade("-1")
    migrator.upgrade()
    assert migrator.check() == []


def test_a_key_that_is_special_comes_back_as_it_was(project: Project) -> None:
    """The way back makes the prefix and the FULLTEXT key again."""
    project.migrate(Parent, Child)
    for name in ("unique prefix", "fulltext"):
        run(project, ALTERED[name][0])
    migrator = project.migrator(Parent, Child)
    found = migrator.check()
    project.migrate(Parent, Child)
    migrator.downgrade("-1")
    assert [line for line in migrator.check() if "behind" not in line] == found


def test_a_table_with_another_collation_gets_columns_with_the_declared_one(
    project: Project,
) -> None:
    """A new text, enum or set does not take over what the table has by default."""

    class Item(Record):
        amount = Integer()

    project.migrate(Item)
    run(project, "ALTER TABLE item DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci")

    class Item(Record):  # type: ignore[no-redef]
        amount = Integer()
        name = Text(length=9)
        long = Text()
        kind = Enum(["a", "b"])
        marks = Set(["a", "b"])

    project.migrate(Item)
    assert project.migrator(Item).check() == []
