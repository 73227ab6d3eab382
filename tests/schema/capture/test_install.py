"""Capture is put on tables that are being written, and no write is lost between its triggers."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from MySQLdb import OperationalError
from sqlalchemy import Connection, Engine, event, text

from records import Integer, Record, Reference, Text
from schema.capture import install as install_module
from schema.capture.catalogue import triggers_in
from schema.capture.install import captures_in, release
from schema.connection import connected
from schema.errors import SchemaBehind, StatementFailed
from tests.schema.capture.test_audit import run, trigger
from tests.schema.conftest import FAMILY, Project
from tests.schema.killing import Killed


class Plant(Record):
    """A parent, so it has all six triggers."""

    code = Integer(primary=True)
    name = Text(length=9, default="")


class Leaf(Record):
    """What makes it one."""

    code = Integer(primary=True)
    plant = Reference(Plant, on_delete="cascade")


class Later:
    """Classes as they are declared later, out of the way of the names above."""

    class Plant(Record):
        """A column more."""

        code = Integer(primary=True)
        name = Text(length=9, default="")
        colour = Text(length=9, default="")

    class Other(Record):
        """Another table of the same name."""

        __storm_table__ = "plant"
        code = Integer(primary=True)
        colour = Text(length=9, default="")


WRITES = (
    "INSERT INTO plant (code) VALUES (2)",
    "UPDATE plant SET name = 'x' WHERE code = 1",
    "UPDATE plant SET code = 3 WHERE code = 1",
    "DELETE FROM plant WHERE code = 1",
)


def ours(connection: Connection, table: str) -> list[str]:
    """The names of capture's triggers on a table."""
    return [one.name for one in triggers_in(connection) if one.is_ours and one.table == table]


def lose_triggers(project: Project) -> None:
    """As a restored dump that left them out."""
    with connected(project.url) as connection:
        names = ours(connection, "plant")
    run(project, *(f"DROP TRIGGER {name}" for name in names))


def lose_capture(project: Project) -> None:
    """As if the table had never been captured."""
    with connected(project.url) as connection:
        release(connection, "plant")


def after_trigger(monkeypatch: pytest.MonkeyPatch, at: int, act: Callable[[], None]) -> None:
    """Do something once, after this many triggers were made."""
    real, made = install_module.run, 0

    def watched(connection: Connection, statement: str) -> None:
        nonlocal made
        real(connection, statement)
        if statement.startswith("CREATE TRIGGER"):
            made += 1
            if made == at:
                act()

    monkeypatch.setattr(install_module, "run", watched)


def expect_all_noted(project: Project) -> None:
    """Every row that lives is in the log, and nothing is to be found."""
    migrator = project.migrator(Plant, Leaf)
    with connected(project.url) as connection:
        noted = set(connection.scalars(text("SELECT row_key FROM herdbook_inbox")))
        odd = "SELECT COUNT(*) FROM herdbook_inbox WHERE life = 0 OR stamp = 0"
        assert connection.scalar(text(odd)) == 0
        rows = connection.execute(text("SELECT code, herdbook_life FROM plant")).all()
    assert {str(code).encode() for code, _life in rows} <= noted
    assert all(life % 2 for _code, life in rows)
    assert (migrator.check(), migrator.check_rows(), migrator.problem()) == ([], [], None)


@pytest.mark.parametrize("lose", [lose_triggers, lose_capture])
@pytest.mark.parametrize("killed", [False, True])
@pytest.mark.parametrize("at", range(1, 7))
def test_a_write_between_two_triggers_is_in_the_log_afterwards(
    project: Project,
    monkeypatch: pytest.MonkeyPatch,
    at: int,
    killed: bool,
    lose: Callable[[Project], None],
) -> None:
    """On a first capture and a repeated one, also where the run dies there."""
    project.migrate(Plant, Leaf)
    for write in WRITES:
        lose(project)
        run(project, "DELETE FROM plant", "DELETE FROM herdbook_inbox")
        run(project, "DELETE FROM herdbook_dead_plant", "INSERT INTO plant (code) VALUES (1)")

        def act(write: str = write) -> None:
            run(project, write)
            if killed:
                raise Killed

        with monkeypatch.context() as patch:
            after_trigger(patch, at, act)
            if killed:
                with pytest.raises(Killed):
                    project.migrator(Plant, Leaf).recapture()
                run(project, "INSERT INTO plant (code) VALUES (4)")
            else:
                project.migrator(Plant, Leaf).recapture()
        project.migrator(Plant, Leaf).recapture()
        expect_all_noted(project)


def test_a_changed_trigger_keeps_nodes_from_starting_and_is_replaced_without_a_gap(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its name alone is no proof; while it is replaced every write is noted."""
    project.migrate(Plant, Leaf)
    migrator = project.migrator(Plant, Leaf)
    run(project, "INSERT INTO plant (code) VALUES (1)")
    name = trigger(project, "plant", "au")
    run(
        project,
        f"DROP TRIGGER {name}",
        f"CREATE TRIGGER {name} AFTER UPDATE ON plant FOR EACH ROW SET @a = 1",
        "DELETE FROM herdbook_inbox",
    )
    problem = migrator.problem()
    assert isinstance(problem, SchemaBehind)
    assert problem.message == f"trigger {name} of table plant was changed by hand."
    assert problem.hint == "Run `herdbook schema recapture`."
    real, writes = install_module.run, 0

    def writing(connection: Connection, statement: str) -> None:
        nonlocal writes
        real(connection, statement)
        writes += 1
        run(project, f"UPDATE plant SET name = 'n{writes}'")

    monkeypatch.setattr(install_module, "run", writing)
    told: list[str] = []
    migrator.recapture(on_lost=told.append)
    assert told == ["plant"]
    assert (migrator.check(), migrator.problem()) == ([], None)
    with connected(project.url) as connection:
        stamps = connection.scalars(text("SELECT DISTINCT stamp FROM herdbook_inbox")).all()
        assert len(ours(connection, "plant")) == 6
    assert len(stamps) >= writes > 2


def test_only_triggers_that_are_named_like_ours_are_dropped(project: Project) -> None:
    """What an application calls herdbook_… is the application's, whatever is in its name."""
    project.migrate(Plant)
    run(project, "CREATE TRIGGER `herdbook_`` %s` AFTER INSERT ON plant FOR EACH ROW SET @x = 1")
    stray = "herdbook_ad_0123456789abcdef01234567"
    run(project, f"CREATE TRIGGER {stray} AFTER DELETE ON plant FOR EACH ROW SET @x = 1")
    project.migrator(Plant).recapture()
    lose_capture(project)
    with connected(project.url) as connection:
        left = [one.name for one in triggers_in(connection) if one.table not in FAMILY]
        assert left == ["herdbook_` %s"]


def test_recapture_names_the_tables_whose_triggers_were_missing(project: Project) -> None:
    """What was written meanwhile into rows that are known cannot be known."""
    project.migrate(Plant, Leaf)
    migrator = project.migrator(Plant, Leaf)
    told: list[str] = []
    migrator.recapture(on_lost=told.append)
    assert told == []
    run(project, f"DROP TRIGGER {trigger(project, 'leaf', 'au')}")
    migrator.recapture(on_lost=told.append)
    assert told == ["leaf"]


@pytest.mark.parametrize("noted", [True, False])
def test_a_stale_capture_is_told_whatever_else_differs(project: Project, noted: bool) -> None:
    """An index made by hand hides nothing."""
    project.migrate(Plant)
    migrator = project.migrator(Plant)
    if noted:
        column = "COLUMN colour VARCHAR(9) COLLATE utf8mb4_bin"
        run(
            project,
            f"ALTER TABLE plant ADD {column} NOT NULL DEFAULT ''",
            f"ALTER TABLE herdbook_dead_plant ADD {column}",
        )
        migrator = project.migrator(Later.Plant)
    else:
        lose_triggers(project)
        run(project, "DELETE FROM herdbook_capture")
    assert isinstance(migrator.problem(), SchemaBehind)
    run(project, "CREATE INDEX by_hand ON plant (name)")
    assert isinstance(migrator.problem(), SchemaBehind)
    assert any("capture" in line for line in migrator.check())


def test_a_number_is_not_given_twice_after_a_release(project: Project) -> None:
    """Entries of before would be read with another column's name."""
    project.migrate(Later.Plant)
    migrator = project.migrator(Later.Plant)
    run(project, "INSERT INTO plant VALUES (1, '', '')", "DELETE FROM plant")
    run(project, "INSERT INTO plant VALUES (2, '', '')", "UPDATE plant SET name = 'x'")
    run(project, "DELETE FROM plant")
    migrator.downgrade("base")
    for path in project.folder.glob("*.py"):
        path.unlink()
    project.migrate(Later.Other)
    migrator = project.migrator(Later.Other)
    with connected(project.url) as connection:
        found = captures_in(connection)["plant"]
        assert set(captures_in(connection)) == {"plant", *FAMILY}
    assert (found.numbers, found.last_number) == ({1: "code", 3: "colour"}, 3)
    assert (migrator.check(), migrator.check_rows(), migrator.problem()) == ([], [], None)


def test_a_file_that_gives_a_used_number_again_gets_another_one(project: Project) -> None:
    """It was written for another database."""
    project.migrate(Later.Plant)
    migrator = project.migrator(Later.Plant)
    migrator.downgrade("base")
    (path,) = project.folder.glob("*.py")
    source = path.read_text()
    path.write_text(
        source.replace("[2, 'name', 'bytes']", "[2, 'shape', 'bytes']").replace(
            "sa.Column('name'", "sa.Column('shape'"
        )
    )
    assert "'shape'" in path.read_text()
    migrator.upgrade()
    with connected(project.url) as connection:
        assert captures_in(connection)["plant"].numbers == {1: "code", 3: "colour", 4: "shape"}


def test_a_deadlock_does_not_end_an_adoption(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The thousand rows are tried again; another error ends it."""
    project.migrate(Plant)
    lose_capture(project)
    run(project, "INSERT INTO plant (code) VALUES (1), (2)")
    failures = [1213, 1205]

    def fail(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        if statement.startswith("UPDATE `plant` FORCE INDEX") and failures:
            raise OperationalError(failures.pop(0), "in the way")

    event.listen(Engine, "before_cursor_execute", fail)
    try:
        project.migrator(Plant).recapture()
        assert failures == []
        assert project.migrator(Plant).check_rows() == []
        run(project, "SET @herdbook_applying = 1", "INSERT INTO plant (code) VALUES (3)")
        failures.append(1054)
        with pytest.raises(StatementFailed, match="in the way"):
            project.migrator(Plant).recapture()
    finally:
        event.remove(Engine, "before_cursor_execute", fail)
