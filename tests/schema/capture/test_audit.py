"""What `herdbook schema check` finds about capture, and what `recapture` mends."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy import text

from records import Integer, Record, Reference, Text
from schema.capture.audit import read_captured
from schema.connection import connected
from schema.errors import LockHeld, MigrationInterrupted, SchemaBehind, SchemaError
from schema.lock import only_runner
from schema.migrator import Migrator
from service.server import PrivateServer
from tests.schema.conftest import FAMILY, Project
from tests.schema.killing import killed_at, write_revision

OLD = "herdbook_ad_0123456789abcdef01234567"


class Bed(Record):
    """A parent."""

    code = Integer(primary=True)
    name = Text(length=9, default="")


class Row(Record):
    """Its child."""

    code = Integer(primary=True)
    bed = Reference(Bed, on_delete="cascade")


@pytest.fixture
def migrated(project: Project) -> Project:
    """Both tables, captured."""
    project.migrate(Bed, Row)
    return project


def run(project: Project, *statements: str) -> None:
    """Run statements as a DBA would."""
    with connected(project.url) as connection:
        for statement in statements:
            connection.exec_driver_sql(statement.replace("%", "%%"))
        connection.commit()


def trigger(project: Project, table: str, kind: str) -> str:
    """The name of a trigger of capture; `kind` is `bi`, `au` and the like."""
    with connected(project.url) as connection:
        (found,) = (one for one in read_captured(connection) if one.table == table)
    (name,) = (name for name in found.wanted if name.startswith(f"herdbook_{kind}_"))
    return name


def expect(migrator: Migrator, *beginnings: str) -> None:
    """Exactly these findings, each by its beginning."""
    found = migrator.check()
    assert len(found) == len(beginnings), found
    for line, beginning in zip(sorted(found), sorted(beginnings), strict=True):
        assert line.startswith(beginning), found


def test_a_trigger_that_is_gone_is_found_keeps_nodes_from_starting_and_is_made_anew(
    migrated: Project,
) -> None:
    """Rows that came in between are taken in; nothing else is written down twice."""
    migrator = migrated.migrator(Bed, Row)
    run(migrated, "INSERT INTO bed (code) VALUES (1)")
    run(migrated, f"DROP TRIGGER {trigger(migrated, 'bed', 'bi')}")
    run(migrated, f"DROP TRIGGER {trigger(migrated, 'bed', 'ai')}")
    run(migrated, "INSERT INTO bed (code) VALUES (2), (3)")
    expect(migrator, "the capture of table bed is stale: 2 of its 6 triggers")
    problem = migrator.problem()
    assert isinstance(problem, SchemaBehind)
    assert "stale" in problem.message
    assert problem.hint == "Run `herdbook schema recapture`."
    adopted: list[tuple[str, int]] = []
    assert migrator.recapture(on_rows=lambda *found: adopted.append(found)) == [
        "bed",
        *FAMILY,
        "row",
    ]
    assert adopted == [("bed", 2)]
    assert (migrator.check(), migrator.problem(), migrator.check_rows()) == ([], None, [])
    with connected(migrated.url) as connection:
        rows = connection.execute(text("SELECT row_key FROM herdbook_inbox ORDER BY entry"))
        assert [row.row_key for row in rows] == [b"1", b"2", b"3"]


def test_a_table_without_any_trigger_is_told_as_such(migrated: Project) -> None:
    """As after a restore that left the triggers out."""
    for kind in ("bi", "ai", "bu", "au", "ad"):
        run(migrated, f"DROP TRIGGER {trigger(migrated, 'row', kind)}")
    expect(migrated.migrator(Bed, Row), "the capture of table row has lost its triggers")


def test_a_trigger_that_was_made_anew_with_another_text_is_found(migrated: Project) -> None:
    """The name alone proves nothing."""
    name = trigger(migrated, "bed", "ad")
    run(
        migrated,
        f"DROP TRIGGER {name}",
        f"CREATE TRIGGER {name} AFTER DELETE ON bed FOR EACH ROW SET @x = 1",
        f"CREATE TRIGGER {OLD} AFTER DELETE ON bed FOR EACH ROW SET @x = 1",
    )
    expect(
        migrated.migrator(Bed, Row),
        f"trigger {name} of table bed was changed by hand",
        f"trigger {OLD} of table bed belongs to another capture",
    )


def test_another_definer_and_one_that_does_not_exist_are_found(migrated: Project) -> None:
    """Both end in writes that fail with error 1449."""
    migrator = migrated.migrator(Bed, Row)
    run(migrated, "UPDATE herdbook_capture SET definer = 'ghost@nowhere' WHERE table_name = 'row'")
    found = migrator.check()
    assert any(
        line.startswith("the account ghost@nowhere owns triggers of capture") for line in found
    )
    migrator.recapture(["row"])
    assert migrator.check() == []


def test_a_trigger_of_the_applications_that_runs_after_ours_is_found(migrated: Project) -> None:
    """What it changes would not be noted; the finding says how to put it right."""
    ours = trigger(migrated, "bed", "bu")
    change = "BEFORE UPDATE ON bed FOR EACH ROW {} SET NEW.name = UPPER(NEW.name)"
    run(migrated, f"CREATE TRIGGER shout {change.format('')}")
    migrator = migrated.migrator(Bed, Row)
    expect(migrator, "trigger shout of table bed runs after Herdbook's")
    assert f"PRECEDES {ours}" in migrator.check()[0]
    run(
        migrated,
        "DROP TRIGGER shout",
        f"CREATE TRIGGER shout {change.format(f'PRECEDES {ours}')}",
        "CREATE TRIGGER count_up AFTER UPDATE ON bed FOR EACH ROW SET @x = 1",
        "INSERT INTO bed VALUES (1, 'a')",
        "UPDATE bed SET name = 'b'",
    )
    assert migrator.check() == []


def test_columns_that_came_or_went_by_hand_are_found(migrated: Project) -> None:
    """With what follows from it."""
    run(
        migrated,
        "ALTER TABLE bed ADD COLUMN extra INT",
        "ALTER TABLE herdbook_dead_row DROP COLUMN bed_code",
        "ALTER TABLE bed DROP COLUMN name",
    )
    expect(
        migrated.migrator(Bed, Row),
        "column bed.extra is in the database and not declared",
        "column bed.name is declared and not in the database",
        "column bed.name is captured and is gone: every write to the table fails",
        "column herdbook_dead_row.bed_code is declared and not in the database",
        "the graveyard of table row lacks column bed_code: every deletion",
    )


def test_foreign_keys_that_cascade_by_themselves_are_found(migrated: Project) -> None:
    """Declared ones that were altered, and those of tables nobody declared."""
    run(
        migrated,
        "ALTER TABLE `row` DROP FOREIGN KEY fk_row_bed_code",
        "ALTER TABLE `row` ADD CONSTRAINT fk_row_bed_code FOREIGN KEY (bed_code) "
        "REFERENCES bed (code) ON DELETE CASCADE ON UPDATE CASCADE",
        "CREATE TABLE _stones (bed BIGINT NOT NULL, CONSTRAINT lies FOREIGN KEY (bed) "
        "REFERENCES bed (code) ON DELETE CASCADE)",
    )
    found = migrated.migrator(Bed, Row).check()
    told = [line for line in found if "by itself" in line]
    assert told == [
        "foreign key fk_row_bed_code of table row does ON DELETE CASCADE and ON UPDATE CASCADE by "
        "itself, which no trigger sees; make it NO ACTION",
        "foreign key lies of table _stones does ON DELETE CASCADE by itself, which no trigger "
        "sees; make it NO ACTION",
    ]


def test_a_captured_table_without_transactions_is_found(project: Project) -> None:
    """An entry could stay without its change."""
    project.migrate(Bed)
    run(project, "ALTER TABLE bed ENGINE = MyISAM, ROW_FORMAT = DYNAMIC")
    expect(project.migrator(Bed), "table bed is kept by MyISAM, which has no transactions")


def test_what_is_to_be_captured_is_named(migrated: Project) -> None:
    """A wrong name is told with the right ones; other tables keep what they have."""
    migrator = migrated.migrator(Bed, Row)
    with pytest.raises(SchemaError, match="No record class has the table beds") as told:
        migrator.recapture(["beds", "row"])
    assert told.value.hint == f"The tables are: bed, {', '.join(FAMILY)}, row."
    before = trigger(migrated, "bed", "bi")
    alone = migrated.migrator(Bed)
    assert alone.recapture() == ["bed", *FAMILY]
    assert trigger(migrated, "bed", "bi") == before
    with connected(migrated.url) as connection:
        assert [one.table for one in read_captured(connection)] == ["bed", *FAMILY, "row"]


def test_recapture_waits_for_a_migration_and_refuses_what_is_half_done(migrated: Project) -> None:
    """Triggers name columns: they must be there."""
    migrator = migrated.migrator(Bed, Row)
    with (
        connected(migrated.url) as connection,
        only_runner(connection, 5),
        pytest.raises(LockHeld),
    ):
        migrator.recapture(wait_seconds=0.1)
    run(migrated, "ALTER TABLE herdbook_dead_bed DROP COLUMN name")
    with pytest.raises(SchemaBehind, match=r"herdbook_dead_bed\.name"):
        migrator.recapture()
    assert migrator.recapture(["row"]) == ["row"]


@pytest.fixture
def reader(migrated: Project, server: PrivateServer) -> Iterator[Migrator]:
    """The same database for an account that may read and write rows and nothing else."""
    url = migrated.url.replace("://root@", "://reader@")
    name = migrated.url.partition("?")[0].rpartition("/")[2]
    run(
        migrated,
        "CREATE USER reader@localhost",
        f"GRANT SELECT, INSERT, UPDATE, DELETE ON {name}.* TO reader@localhost",
    )
    yield Migrator(url, migrated.catalogue(Bed, Row), migrated.folder)
    run(migrated, "DROP USER reader@localhost")


def test_a_node_needs_no_right_to_see_triggers(migrated: Project, reader: Migrator) -> None:
    """It tells a trigger it may not see from one that is not there; check says what it cannot."""
    assert reader.problem() is None
    assert reader.check() == [
        "this account lacks the TRIGGER privilege, so nobody can say whether the triggers are "
        f"unchanged of: bed, {', '.join(FAMILY)}, row"
    ]
    run(migrated, f"DROP TRIGGER {trigger(migrated, 'bed', 'au')}")
    problem = reader.problem()
    assert problem is not None
    assert "1 of its 6 triggers" in problem.message


def test_an_interrupted_migration_is_completed_first(migrated: Project) -> None:
    """Half a revision is nothing to capture by."""
    write_revision(
        migrated.folder,
        '"""x.\n\nRevision r2, after.\n"""\n\nfrom alembic import op\n\nrevision = "r2"\n'
        f'down_revision = "{next(migrated.folder.glob("*.py")).name.partition("_")[0]}"\n'
        "branch_labels = None\ndepends_on = None\n\n\n"
        'def upgrade():\n    op.execute("CREATE TABLE one (a INT)")\n'
        '    op.execute("CREATE TABLE two (a INT)")\n\n\ndef downgrade():\n    pass\n',
        "r2",
    )
    migrator = migrated.migrator(Bed, Row)
    with killed_at(8):
        migrator.upgrade()
    with pytest.raises(MigrationInterrupted):
        migrator.recapture()
