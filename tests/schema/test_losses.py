"""Nothing that loses data, or makes some up, gets into the database unsaid."""

from __future__ import annotations

from typing import Any

import pytest

from records import Date, DateTime, Decimal, Enum, FixedText, Integer, Json, Record, Text, Time
from records.catalogue import catalogue_of
from schema.errors import UnsafeChange
from schema.losses import may_lose
from schema.tables import metadata_of
from tests.schema.conftest import Project
from tests.schema.samples import CHANGES
from tests.schema.test_refusing import run

Maker = Any

ROUNDED: dict[str, tuple[Maker, Maker, str]] = {
    "scale": (
        lambda: Decimal(precision=10, scale=4),
        lambda: Decimal(precision=10, scale=2),
        "1.2345",
    ),
    "moment": (DateTime, lambda: DateTime(precision=0), "2026-01-31 10:00:00.654321"),
    "day": (DateTime, Date, "2026-01-31 10:00:00.654321"),
    "time": (Time, lambda: Time(precision=3), "10:00:00.654321"),
    "whole": (lambda: Decimal(precision=10, scale=4), Integer, "1.2345"),
    "spaces": (lambda: Text(length=9), lambda: FixedText(length=9), "a  "),
    "place": (lambda: Enum(["a", "b"]), Integer, "b"),
}


def item(**fields: Any) -> type[Record]:
    """A record class of these fields."""
    made: type[Record] = type("Item", (Record,), {"__module__": __name__, **fields})
    return made


@pytest.mark.parametrize("name", ROUNDED)
def test_a_change_of_type_that_alters_values_must_be_allowed(project: Project, name: str) -> None:
    """The server would not refuse it: it is told, marked in the file, and then it happens."""
    before, after, value = ROUNDED[name]
    project.migrate(item(key=Integer(primary=True), field=before()))
    run(project, f"INSERT INTO item VALUES (1, '{value}')")
    later = project.migrator(item(key=Integer(primary=True), field=after()))
    with pytest.raises(UnsafeChange, match=r"would delete or change data: column item\.field is"):
        later.revision("narrower")
    written = later.revision("narrower", allow_destructive=True)
    assert written is not None
    assert "# This may change data" in written.path.read_text()
    later.upgrade()
    assert later.check() == []


# Of the changes of one field that the samples hold, these go through only if they are allowed.
LOSSY = {
    "boolean": False,
    "time_precision": True,
    "timestamp_precision": True,
    "moment_precision": False,
    "decimal_scale": False,
    "float": False,
    "text_fixed": True,
    "bytes_fixed": True,
    "text_to_json": True,
    "date": False,
    "uuid": False,
    "year": False,
}


@pytest.mark.parametrize("name", LOSSY)
def test_what_a_field_keeps_decides_whether_its_change_may_lose(name: str) -> None:
    """There, as the samples change it; the finer one never loses what the coarser one has."""
    fields = [item(key=Integer(primary=True), field=maker()) for maker in CHANGES[name]]
    tables = [metadata_of(catalogue_of([made])).tables["item"] for made in fields]
    found, declared = (table.c.field.type for table in tables)
    assert may_lose(found, declared) is LOSSY[name]


def test_a_wider_type_needs_no_leave(project: Project) -> None:
    """Nor does what the server itself refuses, such as a text that is too long."""
    project.migrate(item(number=Integer(bits=32), name=Text(length=9), data=Json()))
    wider = item(number=Text(length=40), name=Text(length=5), data=Text())
    written = project.migrate(wider)
    assert written.destructive == ()
    assert "# This" not in written.path.read_text().partition("def downgrade")[0]


def test_the_way_back_is_marked_too(project: Project) -> None:
    """What widens on the way up narrows on the way down."""
    project.migrate(item(field=DateTime(precision=0)))
    text = project.migrate(item(field=DateTime())).path.read_text()
    up, _, down = text.partition("def downgrade")
    assert "# This" not in up
    assert "# This may change data" in down


def test_values_that_the_server_makes_up_are_told(project: Project) -> None:
    """A new field without a default on rows that are there: the file and the answer say it."""
    project.migrate(item(amount=Integer()))
    run(project, "INSERT INTO item VALUES ('1234567890123456', 1)")
    written = project.migrate(
        item(
            amount=Integer(),
            kind=Enum(["a", "b"]),
            count=Integer(default=7),
            note=Text(length=9, allow_none=True),
        )
    )
    assert written.filling == ("column item.kind is declared and not in the database",)
    lines = written.path.read_text().splitlines()
    marks = [number for number, line in enumerate(lines) if "# Rows that are there get" in line]
    assert len(marks) == 1
    assert "kind" in lines[marks[0] + 1]
