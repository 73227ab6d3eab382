"""What a resumed migration must not take for done, and what no revision may hold."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import MySQLdb
import pytest
from sqlalchemy import Engine, event

from schema.connection import connected
from schema.errors import DatabaseUnreachable, RevisionChanged, RevisionsBroken, StatementFailed
from schema.migrator import Migrator
from schema.status import problem_of
from tests.schema.conftest import Project
from tests.schema.killing import killed_at, picture, revision_of, write_revision
from tests.schema.test_resuming import Anything


def run(project: Project, *statements: str) -> None:
    """Change the database outside Herdbook."""
    with connected(project.url) as connection:
        for statement in statements:
            connection.exec_driver_sql(statement)
        connection.commit()


def ready(project: Project, *lines: str) -> Migrator:
    """The migrator of a project with one revision of these lines, Herdbook's own tables made."""
    write_revision(project.folder, revision_of(*lines))
    migrator = project.migrator(Anything)
    migrator.upgrade("herdbook@head")
    return migrator


def intended(project: Project, line: str) -> Migrator:
    """A run that was killed after it noted a definition and before it carried it out."""
    migrator = ready(project, line)
    for moment in range(1, 12):
        with killed_at(moment):
            migrator.upgrade()
        with connected(project.url) as connection:
            states = connection.exec_driver_sql("SELECT state FROM herdbook_migration").all()
        if [tuple(row) for row in states] == [("intended",)]:
            return migrator
    raise AssertionError("no moment leaves an intent alone")


TABLES = (
    "CREATE TABLE p (i INT PRIMARY KEY)",
    "CREATE TABLE t (i BIGINT, j INT, KEY k (j))",
)


@pytest.mark.parametrize(
    "line",
    [
        'op.execute("ALTER TABLE t ADD COLUMN b INT AFTER nothere")',
        "op.execute(\"ALTER TABLE t ADD `change` INT COMMENT 'rename column' AFTER nothere\")",
        'op.execute("ALTER TABLE nothere ADD COLUMN b INT")',
        'op.execute("ALTER TABLE nothere RENAME COLUMN a TO b")',
        'op.create_foreign_key("fk_t", "t", "p", ["i"], ["i"])',
        'op.execute("CREATE INDEX k ON nothere (i)")',
        'op.execute("CREATE TABLE nonsense")',
    ],
)
def test_a_resumed_run_is_refused_what_a_first_run_would_be(project: Project, line: str) -> None:
    """An error that does not say "it is so already" is an error again."""
    run(project, *TABLES)
    migrator = intended(project, line)
    before = {name: made for name, made in picture(project.url).items() if name in "pt"}
    with pytest.raises(StatementFailed, match="Revision r1, statement 1"):
        migrator.upgrade()
    after = {name: made for name, made in picture(project.url).items() if name in "pt"}
    assert after == before


@pytest.mark.parametrize(
    ("line", "done"),
    [
        ('op.execute("DROP VIEW v")', "DROP VIEW v"),
        (
            'op.create_foreign_key("fk_t", "t", "p", ["j"], ["i"])',
            "ALTER TABLE t ADD CONSTRAINT fk_t FOREIGN KEY (j) REFERENCES p (i)",
        ),
        ('op.execute("ALTER TABLE t RENAME COLUMN j TO c")', "ALTER TABLE t RENAME COLUMN j TO c"),
        ('op.execute("ALTER TABLE t CHANGE j c INT")', "ALTER TABLE t CHANGE j c INT"),
        ('op.execute("ALTER TABLE t RENAME INDEX k TO l")', "ALTER TABLE t RENAME INDEX k TO l"),
        ('op.rename_table("t", "u")', "ALTER TABLE t RENAME TO u"),
        ('op.create_primary_key(None, "t", ["j"])', "ALTER TABLE t ADD PRIMARY KEY (j)"),
    ],
)
def test_what_was_carried_out_before_the_kill_counts_as_done(
    project: Project, line: str, done: str
) -> None:
    """The server's way to say "it is so already" is understood, on either server."""
    run(project, *TABLES, "CREATE VIEW v AS SELECT 1 AS one")
    migrator = intended(project, line)
    run(project, done)
    whole = picture(project.url)
    assert migrator.upgrade() == ["r1"]
    left = picture(project.url)
    assert {name: left[name] for name in left if "herdbook" not in name} == {
        name: whole[name] for name in whole if "herdbook" not in name
    }


@pytest.mark.parametrize(
    "text", ["CREATE TABLE a (i INT); CREATE TABLE b (i INT)", "SET @x = 5; CREATE TABLE a (i INT)"]
)
def test_several_statements_in_one_text_are_refused(project: Project, text: str) -> None:
    """The journal could not tell how far they came; the hint says how to write them."""
    migrator = ready(project, f'op.execute("{text}")')
    with pytest.raises(StatementFailed) as raised:
        migrator.upgrade()
    assert "Each `op.execute` takes one statement" in raised.value.hint
    assert "a" not in picture(project.url)


def test_a_trigger_of_several_statements_is_one_statement(project: Project) -> None:
    """What stands between BEGIN and END belongs to it."""
    migrator = ready(
        project,
        'op.execute("CREATE TABLE a (i INT)")',
        'op.execute("CREATE TRIGGER w BEFORE INSERT ON a FOR EACH ROW "'
        ' "BEGIN SET @x = NEW.i; SET NEW.i = @x + 1; END")',
        'op.execute("INSERT INTO a VALUES (5)")',
    )
    migrator.upgrade()
    assert "[(6,)]" in picture(project.url)["a"]


@pytest.mark.parametrize(
    "line",
    [
        'op.create_foreign_key(None, "t", "p", ["j"], ["i"])',
        'op.create_unique_constraint(None, "t", ["j"])',
        'op.create_check_constraint(None, "t", "j > 3")',
        'op.add_column("t", sa.Column("c", sa.Integer, sa.ForeignKey("p.i")))',
    ],
)
def test_a_key_without_a_name_is_refused(project: Project, line: str) -> None:
    """A resumed run would make it a second time without noticing."""
    run(project, *TABLES)
    migrator = ready(project, line)
    with pytest.raises(RevisionsBroken, match="Revision r1 adds a key without a name to table t"):
        migrator.upgrade()


def test_an_interrupted_revision_without_its_file_is_not_forgotten(project: Project) -> None:
    """Its statements were half done, so no other file may take its place, up or down."""
    migrator = ready(project, *(f'op.execute("CREATE TABLE {name} (i INT)")' for name in "abc"))
    with killed_at(10):
        migrator.upgrade()
    assert "a" in picture(project.url)
    other = revision_of('op.execute("CREATE TABLE z (i INT)")').replace('"r1"', '"r2"')
    write_revision(project.folder, other, "r1")
    for move in (migrator.upgrade, migrator.downgrade):
        with pytest.raises(RevisionChanged, match=r"r1 was interrupted .* no file for it") as told:
            move("base")
        assert "Put the file back" in told.value.hint
    status = migrator.status()
    problem = problem_of(status)
    assert (status.state, type(problem)) == ("interrupted", RevisionChanged)
    assert problem is not None
    assert problem.hint == told.value.hint
    assert "restore the database" in problem.hint
    assert "z" not in picture(project.url)


@contextmanager
def answer_lost(beginning: str, code: int) -> Iterator[None]:
    """The server carries a statement out, and an error comes in place of its answer."""

    def lose(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        if statement.startswith(beginning):
            raise MySQLdb.OperationalError(code, "The answer was lost")

    event.listen(Engine, "after_cursor_execute", lose)
    try:
        yield
    finally:
        event.remove(Engine, "after_cursor_execute", lose)


@pytest.mark.parametrize(
    ("code", "error"), [(2013, DatabaseUnreachable), (1317, StatementFailed)], ids=["lost", "stop"]
)
@pytest.mark.parametrize("beginning", ["CREATE TABLE a", "UPDATE a", "INSERT INTO a"])
def test_a_lost_answer_makes_nothing_happen_twice(
    project: Project, beginning: str, code: int, error: type[Exception]
) -> None:
    """A connection that breaks, or a statement that is killed: the next run completes it."""
    migrator = ready(
        project,
        'op.execute("CREATE TABLE a (i INT)")',
        'op.execute("INSERT INTO a VALUES (5)")',
        'op.execute("UPDATE a SET i = i + 1")',
    )
    with answer_lost(beginning, code), pytest.raises(error, match="The answer was lost"):
        migrator.upgrade()
    assert migrator.upgrade() == ["r1"]
    assert "[(6,)]" in picture(project.url)["a"]
