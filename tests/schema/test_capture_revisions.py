"""Capture as revisions carry it: what is written into files, in which order, and what it leaves."""

from __future__ import annotations

import pytest
from sqlalchemy import Connection, text

from records import Integer, Record, Reference, Text
from schema.capture import install
from schema.capture.install import captures_in
from schema.capture.shape import Capture
from schema.connection import connected
from schema.errors import (
    RevisionChanged,
    SchemaBehind,
    SchemaError,
    StatementFailed,
    UnsafeChange,
)
from schema.progress import Direction
from tests.schema.capture.test_names import NAMES, parent_and_child
from tests.schema.conftest import FAMILY, Project
from tests.schema.killing import killed_at, picture, write_revision


class Plant(Record):
    """As first declared."""

    code = Integer(primary=True)
    planted = Text(length=9, default="")
    height = Integer(default=0)


class Later:
    """Classes as they are declared later, out of the way of the names above."""

    class Plant(Record):
        """A column less, a column more."""

        code = Integer(primary=True)
        height = Integer(default=0)
        colour = Text(length=9, default="")


class Renamed:
    """The same with another name for a field."""

    class Plant(Record):
        """What was planted is sown."""

        code = Integer(primary=True)
        sown = Text(length=9, default="")
        height = Integer(default=0)


def captured(project: Project) -> dict[str, Capture]:
    """What the database notes as captured."""
    with connected(project.url) as connection:
        return captures_in(connection)


def run(project: Project, *statements: str) -> None:
    """Run statements as a client would."""
    with connected(project.url) as connection:
        for statement in statements:
            connection.execute(text(statement))
        connection.commit()


def noted(project: Project) -> list[tuple[str, str, bytes | None]]:
    """The entries in the inbox: kind, key and columns."""
    with connected(project.url) as connection:
        rows = connection.execute(
            text("SELECT kind, row_key, fields FROM herdbook_inbox ORDER BY entry")
        )
        return [(kind, key.decode(), fields) for kind, key, fields in rows]


def test_a_new_class_is_captured_by_its_own_revision(project: Project) -> None:
    """The file names table, graveyard and capture once each, and only the table is told."""
    written = project.migrate(Plant)
    source = written.path.read_text()
    assert written.changes == ("table plant is declared and not in the database",)
    assert source.index("'herdbook_dead_plant'") < source.index("op.capture(\n        'plant',")
    assert "[2, 'planted', 'bytes']," in source
    migrator = project.migrator(Plant)
    assert (migrator.check(), migrator.problem()) == ([], None)
    run(project, "INSERT INTO plant (code) VALUES (1)", "UPDATE plant SET planted = 'x'")
    assert noted(project) == [("insert", "1", None), ("update", "1", b"\x80\x02")]


def test_columns_keep_their_numbers_as_others_come_and_go(project: Project) -> None:
    """A number is never given twice, also not by going back and forth."""
    project.migrate(Plant)
    with pytest.raises(UnsafeChange) as refused:
        project.migrator(Later.Plant).revision("later")
    assert refused.value.message.count("planted") == 1, "the graveyard's column is not told twice"
    written = project.migrate(Later.Plant, drops=True)
    assert written.changes == (
        "column plant.colour is declared and not in the database",
        "column plant.planted is in the database and not declared",
    )
    assert captured(project)["plant"].numbers == {1: "code", 3: "height", 4: "colour"}
    migrator = project.migrator(Later.Plant)
    assert migrator.check() == []
    migrator.downgrade("-1")
    assert captured(project)["plant"].numbers == {1: "code", 2: "planted", 3: "height"}
    assert captured(project)["plant"].last_number == 4
    assert project.migrator(Plant).check() == [
        line for line in project.migrator(Plant).check() if "behind" in line
    ]
    migrator.upgrade()
    assert migrator.check() == []


@pytest.mark.slow
def test_no_write_fails_between_the_statements_of_such_a_revision(project: Project) -> None:
    """Cut short anywhere, it leaves a table that can be written, and every write is noted."""
    project.migrate(Plant)
    migrator = project.migrator(Later.Plant)
    migrator.revision("later", allow_destructive=True)
    with killed_at(None) as points:
        migrator.upgrade()
    migrator.downgrade("-1")
    for moment in range(1, points.passed + 1):
        run(project, "DELETE FROM herdbook_inbox")
        with killed_at(moment):
            migrator.upgrade()
        run(
            project,
            "INSERT INTO plant (code) VALUES (1)",
            "UPDATE plant SET height = height + 1",
            "DELETE FROM plant",
        )
        entries = noted(project)
        # While triggers are replaced a change may be noted twice.
        assert list(dict.fromkeys(entries)) == [
            ("insert", "1", None),
            ("update", "1", b"\x80\x03"),
            ("delete", "1", None),
        ], f"killed at moment {moment}"
        migrator.upgrade()
        migrator.downgrade("-1")
        # Tables that gain and lose columns without being copied do so a few times only.
        run(project, "ALTER TABLE plant FORCE", "ALTER TABLE herdbook_dead_plant FORCE")


@pytest.mark.slow
def test_killed_at_any_moment_capture_is_completed_by_the_next_run(project: Project) -> None:
    """Capturing, renaming and releasing can be cut short at each statement and commit inside."""
    project.migrate(Plant)
    run(project, "INSERT INTO plant (code) VALUES (1), (2)", "DELETE FROM herdbook_inbox")
    capture = (
        'op.capture("plant", key=[["code", "integer"]], '
        'columns=[[1, "code", "plain"], [3, "height", "plain"]], last_number=3)'
    )
    hand_written(
        project,
        ['op.rename_column("plant", "planted", "sown")', 'op.release("plant")', capture],
        ['op.release("plant")', 'op.rename_column("plant", "sown", "planted")', capture],
    )
    migrator = project.migrator(Plant)
    first = _head(project)
    with killed_at(None) as points_up:
        migrator.upgrade()
    up = _settled(project)
    with killed_at(None) as points_down:
        migrator.downgrade(first)
    down = _settled(project)
    for moment in range(1, max(points_up.passed, points_down.passed) + 1):
        with killed_at(moment):
            migrator.upgrade()
        migrator.upgrade()
        assert _settled(project) == up, f"killed at moment {moment} on the way up"
        with killed_at(moment):
            migrator.downgrade(first)
        migrator.downgrade(first)
        assert _settled(project) == down, f"killed at moment {moment} on the way down"


def hand_written(project: Project, up: list[str], down: list[str]) -> None:
    """Put a revision r9 of these lines behind the one that was generated."""
    head = (
        '"""By hand.\n\nRevision r9, after the first.\n"""\n\nfrom alembic import op\n\n'
        f'revision = "r9"\ndown_revision = "{_head(project)}"\n'
        "branch_labels = None\ndepends_on = None\n"
    )
    bodies = ["".join(f"    {line}\n" for line in lines) for lines in (up, down)]
    source = f"{head}\n\ndef upgrade():\n{bodies[0]}\n\ndef downgrade():\n{bodies[1]}"
    write_revision(project.folder, source, "r9")


def _head(project: Project) -> str:
    (path,) = (path for path in project.folder.glob("*.py") if path.stem != "r9")
    return path.name.partition("_")[0]


def _settled(project: Project) -> dict[str, str]:
    """The database without what tells when something was written."""
    shown = picture(project.url)
    del shown["herdbook_inbox"]
    shown["plant"] = shown["plant"].partition(" [")[0]
    return shown


def test_rows_that_were_there_before_are_adopted_also_by_the_next_upgrade(
    project: Project,
) -> None:
    """A run that dies while it takes rows in is completed by the next one; each row once."""
    project.migrate(Plant)
    migrator = project.migrator(Plant)
    run(project, "DELETE FROM herdbook_inbox")
    with connected(project.url) as connection:
        connection.exec_driver_sql("SET @herdbook_applying = 1")
        rows = ", ".join(f"({number})" for number in range(2_500))
        connection.exec_driver_sql(f"INSERT INTO plant (code) VALUES {rows}")
        connection.exec_driver_sql("UPDATE herdbook_capture SET adopted = 0")
        connection.commit()
    problem = migrator.problem()
    assert isinstance(problem, SchemaBehind)
    assert "not in the changelog yet: plant" in problem.message
    assert "not in the changelog yet: plant" in migrator.check()[0]
    counted: list[int] = []

    def die(_table: str, rows: int) -> None:
        counted.append(rows)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        migrator.upgrade(on_rows=die)
    assert len(noted(project)) == 1_000
    migrator.upgrade(on_rows=lambda _table, rows: counted.append(rows))
    assert counted == [1_000, 1_000, 500]
    entries = noted(project)
    assert len(entries) == len(set(entries)) == 2_500
    assert (migrator.problem(), migrator.check(), migrator.check_rows()) == (None, [], [])


def test_a_renamed_column_keeps_its_number_and_its_dead_values(project: Project) -> None:
    """Table, graveyard and capture follow in one step, there and back."""
    project.migrate(Plant)
    run(project, "INSERT INTO plant VALUES (1, 'may', 3), (2, 'june', 4)")
    run(project, "DELETE FROM plant WHERE code = 2")
    there = 'op.rename_column("plant", "planted", "sown")'
    back = 'op.rename_column("plant", "sown", "planted")'
    hand_written(project, [there], [back])
    migrator = project.migrator(Renamed.Plant)
    assert "RENAME COLUMN `planted` TO `sown`" in migrator.sql(Direction.UP, "")
    migrator.upgrade()
    assert migrator.check() == []
    assert captured(project)["plant"].numbers[2] == "sown"
    run(project, "UPDATE plant SET sown = 'july'")
    assert noted(project)[-1] == ("update", "1", b"\x80\x02")
    with connected(project.url) as connection:
        assert connection.scalar(text("SELECT sown FROM herdbook_dead_plant")) == "june"
    migrator.downgrade("-1")
    assert captured(project)["plant"].numbers[2] == "planted"
    hand_written(project, [there.replace("planted", "paint")], [back])
    with pytest.raises(StatementFailed, match="Table plant has no column paint"):
        migrator.upgrade()
    hand_written(project, [there], [back])
    migrator.upgrade()
    assert migrator.check() == []


def test_parents_follow_when_a_childs_column_is_renamed_or_the_child_goes(
    project: Project,
) -> None:
    """The parent's trigger names the child's table and column, and never one that is gone."""

    class Bed(Record):
        code = Integer(primary=True)

    class Row(Record):
        code = Integer(primary=True)
        bed = Reference(Bed, on_delete="cascade")

    project.migrate(Bed, Row)
    hand_written(
        project,
        ['op.rename_column("row", "bed_code", "garden")'],
        ['op.rename_column("row", "garden", "bed_code")'],
    )
    project.migrator(Bed, Row).upgrade()
    run(project, "INSERT INTO bed VALUES (1)", "INSERT INTO `row` VALUES (2, 1)", "DELETE FROM bed")
    assert [entry[:2] for entry in noted(project)][2:] == [("delete", "2"), ("delete", "1")]
    project.migrator(Bed, Row).downgrade("-1")
    (project.folder / "r9.py").unlink()
    written = project.migrate(Bed, drops=True)
    body = written.path.read_text().partition("def downgrade")[0]
    assert body.index("op.capture(\n        'bed'") < body.index("op.drop_table('row')")
    assert body.index("op.drop_table('row')") < body.index("op.release('row')")
    assert project.migrator(Bed).check() == []
    assert set(captured(project)) == {"bed", *FAMILY}
    run(project, "INSERT INTO bed VALUES (3)", "DELETE FROM bed")
    project.migrator(Bed).downgrade("-1")
    assert set(captured(project)) == {"bed", "row", *FAMILY}


def test_another_key_empties_the_graveyard(project: Project) -> None:
    """Dead rows are known by their key; rows that live are captured under the new one."""
    project.migrate(Plant)
    run(project, "INSERT INTO plant VALUES (1, 'may', 3), (2, 'june', 4)")
    run(project, "DELETE FROM plant WHERE code = 2")

    class Keyed(Record):
        __storm_table__ = "plant"
        code = Integer(primary=1)
        planted = Text(length=9, default="", primary=2)
        height = Integer(default=0)

    written = project.migrate(Keyed)
    assert written.changes == ("table plant has the primary key (code), declared (code, planted)",)
    migrator = project.migrator(Keyed)
    assert migrator.check() == []
    run(project, "INSERT INTO plant VALUES (1, 'june', 3)", "DELETE FROM plant")
    with connected(project.url) as connection:
        dead = connection.execute(text("SELECT code, planted FROM herdbook_dead_plant ORDER BY 2"))
        assert [tuple(row) for row in dead] == [(1, "june"), (1, "may")]
    migrator.downgrade("-1")
    migrator.upgrade()
    assert migrator.check() == []


# SQLAlchemy does not read foreign keys whose names hold a backtick.
@pytest.mark.parametrize("name", [name for name in NAMES if "`" not in name])
def test_whatever_a_table_is_called_its_revision_runs_both_ways(
    project: Project, name: str
) -> None:
    """Quotes, percent signs and words of SQL in names, in files and in SQL that is only printed."""
    classes = parent_and_child(name, name)
    project.migrate(*classes)
    migrator = project.migrator(*classes)
    assert (migrator.check(), migrator.problem()) == ([], None)
    assert "INSERT INTO `herdbook_capture`" in migrator.sql(Direction.UP, "base:heads")
    assert migrator.recapture() != []
    assert (migrator.check(), migrator.check_rows()) == ([], [])
    migrator.downgrade("base")
    migrator.upgrade()
    assert migrator.check() == []


def test_herdbooks_own_tables_stay_while_tables_are_captured(project: Project) -> None:
    """Without them every write would fail."""
    project.migrate(Plant)
    migrator = project.migrator(Plant)
    with pytest.raises(SchemaError, match="captured are: plant"):
        migrator.downgrade("herdbook@base")
    migrator.downgrade("base")
    assert migrator.downgrade("herdbook@base") == ["hb0004", "hb0003", "hb0002", "hb0001"]


def test_a_step_that_is_refused_half_way_is_interrupted_and_repeated(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Writes fail until it is repeated, so status says so, and the file stays as it is."""
    project.migrate(Plant)
    there = 'op.rename_column("plant", "planted", "sown")'
    hand_written(project, [there], ["pass"])
    migrator = project.migrator(Renamed.Plant)
    real = install.run

    def refuse(connection: Connection, statement: str) -> None:
        real(connection, statement.replace("CREATE TRIGGER", "CREATE TRIGGERS"))

    with monkeypatch.context() as patch:
        patch.setattr(install, "run", refuse)
        with pytest.raises(StatementFailed, match="r9"):
            migrator.upgrade()
        assert migrator.status().interrupted is not None
        with pytest.raises(StatementFailed, match="r9"):
            migrator.upgrade()
    assert migrator.status().interrupted is not None
    hand_written(project, [there.replace("sown", "grown")], ["pass"])
    with pytest.raises(RevisionChanged):
        migrator.upgrade()
    hand_written(project, [there], ["pass"])
    migrator.upgrade()
    assert (migrator.status().interrupted, migrator.check()) == (None, [])
