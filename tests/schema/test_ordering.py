"""Revisions come out in an order that both servers accept, up and down."""

from __future__ import annotations

import pytest

from records import Decimal, Index, Integer, Record, Reference, Text, Unique
from schema.errors import UnsafeChange
from schema.migrator import Migrator
from tests.schema.conftest import Project

Classes = tuple[type[Record], ...]


def parent_and_child(on_delete: str) -> Classes:
    """Two classes with one reference."""

    class Parent(Record):
        name = Text(length=9)

    class Child(Record):
        parent = Reference(Parent, on_delete=on_delete, allow_none=True)

    return Parent, Child


def each_refers_to_the_other() -> Classes:
    """Neither table can come first."""

    class Land(Record):
        capital = Reference("Town", allow_none=True, on_delete="set_null")

    class Town(Record):
        land = Reference(Land)
        twin = Reference("self", allow_none=True)

    return Land, Town


def composite_keys() -> Classes:
    """Keys of several columns, one of them inherited from the parent's key."""

    class Shelf(Record):
        hall = Text(length=9, primary=1)
        row = Integer(bits=16, primary=2)

    class Book(Record):
        shelf = Reference(Shelf, primary=True)
        place = Integer(bits=16, primary=True)
        isbn = Text(length=13)
        __constraints__ = (Unique("shelf", "isbn"), Index("isbn", "place", name="by_isbn"))

    return Shelf, Book


CASES = {
    "restrict": parent_and_child("restrict"),
    "cascade": parent_and_child("cascade"),
    "set_null": parent_and_child("set_null"),
    "mutual": each_refers_to_the_other(),
    "composite": composite_keys(),
}


@pytest.mark.parametrize("name", CASES)
def test_classes_come_and_go_again(project: Project, name: str) -> None:
    """Made, taken back, made once more, and dropped when the classes are gone from the code."""

    class Other(Record):
        name = Text(length=9)

    classes = CASES[name]
    migrator = project.migrator(*classes, Other)
    project.migrate(*classes, Other)
    assert migrator.check() == []
    migrator.downgrade("base")
    migrator.upgrade()
    assert migrator.check() == []
    project.migrate(Other, drops=True)
    assert project.migrator(Other).check() == []
    migrator.downgrade("-1")
    assert _differences(migrator) == []


def test_foreign_keys_do_nothing_by_themselves(project: Project) -> None:
    """Whatever on_delete says, only capture is made anew: the triggers carry the rules out."""
    project.migrate(*parent_and_child("restrict"))
    for on_delete in ("cascade", "set_null", "restrict"):
        classes = parent_and_child(on_delete)
        changes = project.migrate(*classes).changes
        assert changes == ("the capture of table parent is declared otherwise",)
        assert project.migrator(*classes).check() == []


def test_a_reference_is_taken_away_with_its_index_and_column(project: Project) -> None:
    """The foreign key goes before the index it needs, the index before the column."""
    parent, child = parent_and_child("restrict")
    project.migrate(parent, child)

    class Child(Record):
        name = Text(length=9)

    with pytest.raises(UnsafeChange, match=r"column child\.parent_id"):
        project.migrator(parent, Child).revision("drop")
    project.migrate(parent, Child, drops=True)
    assert project.migrator(parent, Child).check() == []


def test_the_type_of_a_key_changes_on_both_sides_of_its_foreign_key(project: Project) -> None:
    """The foreign key goes and comes back around the change."""

    class Shelf(Record):
        code = Text(length=4, primary=True)

    class Book(Record):
        shelf = Reference(Shelf)

    project.migrate(Shelf, Book)

    class Shelf(Record):  # type: ignore[no-redef]
        code = Integer(primary=True)

    class Book(Record):  # type: ignore[no-redef]
        shelf = Reference(Shelf)

    project.migrate(Shelf, Book, drops=True)
    migrator = project.migrator(Shelf, Book)
    assert migrator.check() == []
    migrator.downgrade("-1")
    assert len(_differences(migrator)) == 2


def test_a_primary_key_changes_in_one_statement(project: Project) -> None:
    """Alembic does not see this change by itself."""

    class Part(Record):
        code = Text(length=4, primary=1)
        number = Integer(default=0)

    project.migrate(Part)

    class Part(Record):  # type: ignore[no-redef]
        code = Text(length=4, primary=1)
        number = Integer(default=0, primary=2)

    migrator = project.migrator(Part)
    assert _differences(migrator) == [
        "table part has the primary key (code), declared (code, number)"
    ]
    written = project.migrate(Part)
    assert "op.replace_primary_key" in written.path.read_text()
    assert migrator.check() == []
    migrator.downgrade("-1")
    migrator.upgrade()
    assert migrator.check() == []


def test_keys_are_renamed_and_replaced(project: Project) -> None:
    """An index under another name, and another index under the same name."""

    class Plot(Record):
        name = Text(length=9)
        size = Decimal(precision=9, scale=2)
        __constraints__ = (Index("name", name="first"), Unique("size", name="second"))

    project.migrate(Plot)

    class Plot(Record):  # type: ignore[no-redef]
        name = Text(length=9)
        size = Decimal(precision=9, scale=2)
        __constraints__ = (Index("name", name="third"), Unique("size", "name", name="second"))

    project.migrate(Plot)
    migrator = project.migrator(Plot)
    assert migrator.check() == []
    migrator.downgrade("-1")
    migrator.upgrade()
    assert migrator.check() == []


def _differences(migrator: Migrator) -> list[str]:
    """What `check` says, without the line on pending revisions."""
    return [line for line in migrator.check() if "behind" not in line]
