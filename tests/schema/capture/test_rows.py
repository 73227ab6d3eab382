"""`herdbook schema check --rows` finds what no trigger saw."""

from __future__ import annotations

import pytest

import schema.capture.rows as rows_module
from records import Decimal, Integer, Record, Reference, Text, Timestamp
from schema.connection import connected
from tests.schema.capture.test_audit import run
from tests.schema.conftest import Project


class Bed(Record):
    """A parent."""

    code = Integer(primary=True)
    name = Text(length=9, default="")


class Row(Record):
    """Its child, with a key of three parts."""

    bed = Reference(Bed, primary=True, on_delete="cascade")
    moment = Timestamp(primary=2)
    size = Decimal(precision=30, scale=9, primary=3)


@pytest.fixture
def full(project: Project) -> Project:
    """Both tables with a thousand and some rows each, half of them deleted again."""
    project.migrate(Bed, Row)
    beds = ", ".join(f"({number}, 'x')" for number in range(1_500))
    rows = ", ".join(
        f"({number}, '2026-10-25 00:30:00.123456', 123456789012345678901.000000001)"
        for number in range(1_500)
    )
    run(
        project,
        f"INSERT INTO bed VALUES {beds}",
        f"INSERT INTO `row` VALUES {rows}",
        "UPDATE bed SET name = 'y' WHERE code % 3 = 0",
        "DELETE FROM bed WHERE code % 2 = 0",
    )
    return project


def test_all_is_well_with_rows_that_came_and_went_under_capture(full: Project) -> None:
    """Births, deaths, rebirths: nothing to say, and the progress comes to the whole."""
    run(full, "INSERT INTO bed (code) VALUES (2), (4)")
    shares: list[float] = []
    assert full.migrator(Bed, Row).check_rows(shares.append) == []
    assert sum(shares) == pytest.approx(1)


def test_truncated_rows_are_found(full: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """TRUNCATE fires no trigger; the changelog still knows the rows. Memory is bounded."""
    run(full, "TRUNCATE `row`")
    found = full.migrator(Bed, Row).check_rows()
    assert len(found) == 1
    assert found[0].startswith("table row: rows that are gone and nobody saw them go (TRUNCATE")
    assert (
        ": 750, such as 1 2026-10-25 00:30:00.123456 123456789012345678901.000000001, 3 2026"
        in found[0]
    )
    monkeypatch.setattr(rows_module, "COUNTED_KEYS", 100)
    assert ": at least 100, such as 1 2026" in full.migrator(Bed, Row).check_rows()[0]


def test_rows_that_came_past_capture_are_found(full: Project) -> None:
    """As from a restored dump; then `recapture` takes them in."""
    with connected(full.url) as connection:
        connection.exec_driver_sql("SET @herdbook_applying = 1")
        connection.exec_driver_sql("INSERT INTO bed (code) VALUES (5001), (5002)")
        connection.commit()
    migrator = full.migrator(Bed, Row)
    assert migrator.check_rows() == [
        "table bed: rows that were never captured: 2, such as 5001, 5002"
    ]
    migrator.recapture(["bed"])
    assert migrator.check_rows() == []


def test_orphans_and_rows_both_alive_and_dead_are_found(full: Project) -> None:
    """What sessions without checks leave behind."""
    with connected(full.url) as connection:
        connection.exec_driver_sql("SET SESSION foreign_key_checks = 0")
        connection.exec_driver_sql("SET @herdbook_applying = 1")
        connection.exec_driver_sql("DELETE FROM bed WHERE code IN (1, 3)")
        connection.exec_driver_sql(
            "INSERT INTO herdbook_dead_bed (code, name, herdbook_life, herdbook_stamp, "
            "herdbook_origin, herdbook_died, herdbook_writer) VALUES (5, 'x', 2, 1, 1, 1, 'x')"
        )
        connection.exec_driver_sql("DELETE FROM herdbook_inbox WHERE row_key = '5'")
        connection.commit()
    found = full.migrator(Bed, Row).check_rows()
    assert found == [
        "table bed: rows that are in its graveyard as well: 1, such as 5",
        "table row: rows whose row of bed is not there (fk_row_bed_code): 2, such as "
        "1 2026-10-25 00:30:00.123456 123456789012345678901.000000001, "
        "3 2026-10-25 00:30:00.123456 123456789012345678901.000000001",
        "table bed: rows that are gone and nobody saw them go (TRUNCATE, or capture was off): 2, "
        "such as 1, 3",
    ]
