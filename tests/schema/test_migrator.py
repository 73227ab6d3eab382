"""From a declaration to tables and back, through revisions a DBA can read."""

from __future__ import annotations

from typing import Any

import MySQLdb
import pytest
from sqlalchemy import text
from sqlalchemy.engine import make_url

from records import Json, Record, Reference, Text
from schema.connection import connected
from schema.errors import (
    CodeTooOld,
    DatabaseRefused,
    DatabaseUnreachable,
    MigrationInterrupted,
    RevisionOutOfReach,
    RevisionsBroken,
    RevisionUnknown,
    SchemaAhead,
    SchemaBehind,
    SchemaError,
)
from schema.migrator import Migrator
from schema.progress import Direction
from schema.status import problem_of
from tests.schema.conftest import FAMILY, Project
from tests.schema.killing import REVISION, killed_at, picture, write_revision


class Country(Record):
    """A parent."""

    code = Text(length=2, unique=True)
    name = Text(length=120, index=True)


class City(Record):
    """A child, whose default is hard to quote."""

    country = Reference(Country, on_delete="cascade")
    name = Text(length=200, default="it's \\ 100% :name 😀")
    notes = Json(allow_none=True)


def test_a_new_class_becomes_a_table_that_check_agrees_with(project: Project) -> None:
    """Declare, write the revision, upgrade: nothing differs any more."""
    migrator = project.migrator(City)
    written = project.migrate(City)
    assert written.changes == (
        "table country is declared and not in the database",
        "index ix_country_name of table country is declared and not in the database",
        "table city is declared and not in the database",
        "index ix_city_country_id of table city is declared and not in the database",
    )
    assert migrator.check() == []
    assert migrator.problem() is None
    assert migrator.revision("again") is None


def test_a_plain_insert_gets_the_declared_default(project: Project) -> None:
    """The database knows the defaults, to the letter."""
    project.migrate(City)
    with connected(project.url) as connection:
        connection.execute(text("INSERT INTO country VALUES ('1', 'DE', 'Germany')"))
        connection.execute(text("INSERT INTO city (id, country_id) SELECT '2', id FROM country"))
        assert connection.scalar(text("SELECT name FROM city")) == "it's \\ 100% :name 😀"


def test_the_sql_up_and_down_does_what_the_commands_do(project: Project) -> None:
    """A client that runs the printed SQL leaves the same database, both ways."""
    project.migrate(City)
    migrator = project.migrator(City)
    up = picture(project.url)
    migrator.downgrade("base")
    down = picture(project.url)
    back = migrator.sql(Direction.UP, "")
    run_by_client(project.url, back)
    stale = migrator.problem()
    assert stale is not None
    assert "has lost its triggers" in stale.message
    assert set(migrator.recapture()) == {"country", "city", *FAMILY}
    assert picture(project.url) == up
    run_by_client(project.url, migrator.sql(Direction.DOWN, "head:base"))
    assert picture(project.url) == down
    with connected(project.url) as connection:
        origin = connection.scalar(text("SELECT origin FROM herdbook_node"))
        connection.execute(text("SET foreign_key_checks = 0"))
        for table in down:
            connection.execute(text(f"DROP TABLE {table}"))
    run_by_client(project.url, migrator.sql(Direction.UP, "base:heads"))
    with connected(project.url) as connection:
        connection.execute(text(f"UPDATE herdbook_node SET origin = {origin}"))
        connection.commit()
    migrator.recapture()
    # Only the runner's journal is not there: nothing was run.
    assert picture(project.url) == {name: up[name] for name in up if name != "herdbook_migration"}
    assert migrator.check() == []


def test_sql_between_named_places_asks_no_server(project: Project) -> None:
    """The text is made from the files alone."""
    project.migrate(City)
    elsewhere = Migrator(
        "mysql+mysqldb://nobody@127.0.0.1:1/none", project.catalogue(City), project.folder
    )
    assert "CREATE TABLE `city`" in elsewhere.sql(Direction.UP, "base:heads")
    with pytest.raises(DatabaseUnreachable, match="cannot be reached"):
        elsewhere.sql(Direction.UP, "")


def test_a_database_that_is_behind_is_refused_until_it_is_upgraded(project: Project) -> None:
    """The message names what is missing and the command that brings it."""
    write_revision(project.folder)
    migrator = project.migrator(City)
    problem = migrator.problem()
    assert isinstance(problem, SchemaBehind)
    lacking = "hb0001, hb0002, hb0003, hb0004, r1"
    assert problem.message == f"The database's schema is behind; it lacks: {lacking}."
    assert problem.hint == "Run `herdbook schema upgrade`."
    with pytest.raises(SchemaBehind):
        migrator.revision("too early")
    migrator.upgrade()
    problem = migrator.problem()
    assert isinstance(problem, SchemaBehind)
    assert "table city is declared and not in the database" in problem.message
    assert "herdbook schema revision" in problem.hint
    project.migrate(City, drops=True)
    assert migrator.problem() is None


def test_code_that_declares_less_than_is_captured_may_start(project: Project) -> None:
    """A field that is taken out of the code keeps no node from serving the others."""

    def plant(**fields: Any) -> type[Record]:
        return type("Plant", (Record,), {"name": Text(length=9), "__module__": __name__, **fields})

    project.migrate(plant(colour=Text(length=9, allow_none=True)))
    less = project.migrator(plant())
    assert less.problem() is None
    assert "colour" in " ".join(less.check())


def test_a_database_that_is_ahead_is_refused(project: Project) -> None:
    """Without the newer files nothing can be run, up or down."""
    path = write_revision(project.folder)
    migrator = project.migrator(City)
    migrator.upgrade()
    path.unlink()
    problem = migrator.problem()
    assert isinstance(problem, SchemaAhead)
    assert "does not know: r1" in problem.message
    with pytest.raises(SchemaAhead, match="r1"):
        migrator.upgrade()
    with pytest.raises(SchemaAhead, match="r1"):
        migrator.downgrade("base")


def test_too_old_code_is_refused_and_newer_compatible_schemas_are_not(project: Project) -> None:
    """The two numbers decide, whatever the revision is called."""
    migrator = project.migrator(City)
    project.migrate(City)
    later = "UPDATE herdbook_revision SET version_num = 'hb0009'"
    newer = "UPDATE herdbook_schema SET number = 9, oldest_code = {}"
    with connected(project.url) as connection:
        connection.execute(text(newer.format(1)))
        connection.execute(text(f"{later} WHERE version_num = 'hb0004'"))
        connection.commit()
    assert migrator.problem() is None
    with connected(project.url) as connection:
        connection.execute(text(newer.format(5)))
        connection.commit()
    problem = migrator.problem()
    assert isinstance(problem, CodeTooOld)
    assert "needs code of at least number 5, and this code is number 4" in problem.message


def test_revisions_are_taken_back_by_name_and_by_number(project: Project) -> None:
    """`-1`, a name, `base`; what is not there is an error."""
    write_revision(project.folder, small("r1", None), "r1")
    write_revision(project.folder, small("r2", "r1"), "r2")
    write_revision(project.folder, small("r3", "r2"), "r3")
    migrator = project.migrator(City)
    assert migrator.upgrade("r2") == ["hb0001", "hb0002", "hb0003", "hb0004", "r1", "r2"]
    assert migrator.upgrade() == ["r3"]
    assert migrator.downgrade("-1") == ["r3"]
    assert migrator.downgrade("r1") == ["r2"]
    with pytest.raises(RevisionUnknown, match="has 1 revisions, so -2 leads nowhere"):
        migrator.downgrade("-2")
    assert migrator.downgrade("base") == ["r1"]
    assert migrator.downgrade("base") == []
    for move in (migrator.upgrade, migrator.downgrade):
        with pytest.raises(RevisionUnknown, match="no revision 'r9'"):
            move("r9")
    assert migrator.downgrade("herdbook@base") == ["hb0004", "hb0003", "hb0002", "hb0001"]


def test_a_revision_that_is_not_on_the_way_is_told_apart_from_one_that_is_not_there(
    project: Project,
) -> None:
    """The file is there; the database has not come to it."""
    write_revision(project.folder)
    migrator = project.migrator(City)
    migrator.upgrade("herdbook@head")
    with pytest.raises(RevisionOutOfReach, match=r"The way down does not lead to .* r1 .* hb0004"):
        migrator.downgrade("r1")
    with pytest.raises(RevisionOutOfReach, match="before the first one"):
        migrator.sql(Direction.DOWN, "base:r1")


def test_sql_from_where_the_database_is_needs_to_know_the_place(project: Project) -> None:
    """Half-way through a revision, or beyond the files, it is refused; between names it is not."""
    path = write_revision(project.folder)
    migrator = project.migrator(City)
    migrator.upgrade("herdbook@head")
    with killed_at(20):
        migrator.upgrade()
    for direction in Direction:
        with pytest.raises(MigrationInterrupted, match="r1"):
            migrator.sql(direction, "")
    assert "CREATE TABLE" in migrator.sql(Direction.UP, "base:")
    migrator.upgrade()
    path.unlink()
    for direction in Direction:
        with pytest.raises(SchemaAhead, match="does not know: r1"):
            migrator.sql(direction, "")


def test_what_is_applied_is_not_pending_where_the_database_is_ahead(project: Project) -> None:
    """The newest file is lost: the ones before it were run, and nobody can say more."""
    write_revision(project.folder)
    later = write_revision(project.folder, small("r2", "r1"), "r2")
    migrator = project.migrator(City)
    migrator.upgrade()
    later.unlink()
    status = migrator.status()
    assert (status.state, status.unknown, status.pending) == ("ahead", ("r2",), ())


def test_classes_that_no_revision_makes_are_not_ready(project: Project) -> None:
    """Status says what they lack and how a revision comes about; after it all is ready."""
    migrator = project.migrator(City)
    migrator.upgrade()
    status = migrator.status()
    problem = problem_of(status)
    assert (status.state, status.pending) == ("unwritten", ())
    assert problem is not None
    assert "table city is declared and not in the database" in problem.message
    assert "herdbook schema revision -m" in problem.hint
    project.migrate(City)
    assert (migrator.status().state, migrator.status().unwritten) == ("ready", ())


def test_a_file_without_a_docstring_has_no_message(project: Project) -> None:
    """It is listed all the same."""
    write_revision(project.folder, small("r1", None).partition("\n")[2], "r1")
    pending = project.migrator(City).status().pending
    assert [(line.name, line.message) for line in pending][4:] == [("r1", "")]


@pytest.mark.parametrize(
    "message",
    [
        "C:\\users\\new",
        'a """quoted""" one',
        '""""',
        "ends with \\",
        'ends with "',
        '"x"',
        "100% ${x}",
        "new/slash",
        "",
    ],
)
def test_whatever_the_message_says_the_file_can_be_read(project: Project, message: str) -> None:
    """It comes back letter by letter."""
    migrator = project.migrator(City)
    migrator.upgrade()
    migrator.revision(message)
    assert [line.message for line in migrator.status().pending] == [message]
    migrator.upgrade()
    assert migrator.check() == []


@pytest.mark.parametrize(
    ("files", "told"),
    [
        ({"a": "revision = 'a'\ndown_revision ="}, r"SyntaxError: .*a\.py, line 2"),
        ({"a": "import nothing_of_this_name"}, r"ModuleNotFoundError: .*a\.py, line 1"),
        (
            {"a": REVISION, "b": REVISION},
            "do not fit together: Revision r1 is present more than once",
        ),
        ({"a": REVISION.replace("down_revision = None", "down_revision = 'x'")}, "do not fit"),
        ({"a": REVISION, "b": REVISION.replace('"r1"', '"r2"')}, "more than one newest .*: r1, r2"),
    ],
)
def test_revision_files_that_cannot_be_used_are_told(
    project: Project, files: dict[str, str], told: str
) -> None:
    """The file and the line, or the names that clash."""
    for name, source in files.items():
        write_revision(project.folder, source, name)
    with pytest.raises(RevisionsBroken, match=told):
        project.migrator(City).upgrade()


def test_an_error_inside_a_revision_is_told_with_its_line(project: Project) -> None:
    """No traceback: file, line and what Python said."""
    write_revision(project.folder, small("r1", None).replace("pass", "undefined_name()", 1), "r1")
    with pytest.raises(RevisionsBroken, match=r"NameError: .*undefined_name.*r1\.py, line \d+"):
        project.migrator(City).upgrade()


def test_a_server_that_does_not_let_us_in_is_told_in_words(project: Project) -> None:
    """Wrong user, missing rights, missing database: what and what to do, no traceback."""
    with connected(project.url) as connection:
        connection.execute(text("CREATE USER reader@localhost IDENTIFIED BY 'secret'"))
        connection.execute(text(f"GRANT SELECT ON {database_of(project)}.* TO reader@localhost"))
    url = make_url(project.url)
    reader = url.set(username="reader", password="secret")
    try:
        for address, told in (
            (reader, "command denied"),
            (url.set(username="reader", password="wrong"), "Access denied for user"),
            (url.set(database="missing"), r"has no such database \(Unknown database"),
        ):
            text_url = address.render_as_string(hide_password=False)
            migrator = Migrator(text_url, project.catalogue(City), project.folder)
            with pytest.raises(DatabaseRefused, match=told) as raised:
                migrator.upgrade()
            assert raised.value.hint
            assert "secret" not in str(raised.value)
            if address.database == "missing":
                assert raised.value.hint.endswith("CREATE DATABASE `missing`;")
    finally:
        with connected(project.url) as connection:
            connection.execute(text("DROP USER reader@localhost"))


def test_a_revision_needs_a_folder(project: Project) -> None:
    """The message names the option."""
    migrator = Migrator(project.url, project.catalogue(City), None)
    migrator.upgrade()
    with pytest.raises(SchemaError, match="no folder for revisions") as raised:
        migrator.revision("nowhere")
    assert "--migrations" in raised.value.hint


def small(name: str, after: str | None) -> str:
    """A revision that does nothing."""
    return (
        f'"""Nothing."""\n\nrevision = {name!r}\ndown_revision = {after!r}\n\n'
        "def upgrade():\n    pass\n\ndef downgrade():\n    pass\n"
    )


def database_of(project: Project) -> str:
    """The name of the project's database."""
    return str(make_url(project.url).database)


def run_by_client(url: str, script: str) -> None:
    """Run a script as a plain client does: statement by statement, each committed."""
    address = make_url(url)
    connection = MySQLdb.connect(
        user=address.username, db=address.database, unix_socket=address.query["unix_socket"]
    )
    connection.autocommit(True)
    for statement in script.split(";\n"):
        if statement.strip():
            connection.cursor().execute(statement)
    connection.close()
