"""`herdbook check`: the whole of a configuration looked at, and nothing secret shown."""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import MySQLdb
import pytest

from records.catalogue import load_catalogue
from schema.migrator import Migrator
from service.cli.checks import Check, look_at
from service.cli.output import CommandFailed
from service.config import Configuration, load_configuration
from service.database_url import DatabaseUrl
from service.server import PrivateServer
from tests.service.cli.conftest import Ran

Herdbook = Callable[..., Ran]

FILE = """\
[node]
records = "barn_for_check.records"
migrations = "migrations"
[database]
url = "{url}"
"""
RECORDS = """\
from records import Record, Text

class Stall(Record):
    name = Text(length=20)
"""
PASSWORD = "hush"


@pytest.fixture
def account(database: str) -> Iterator[str]:
    """The database's URL with an account that has a password."""
    url = DatabaseUrl.parse(database)
    root = MySQLdb.connect(user="root", unix_socket=url.unix_socket, autocommit=True)
    with closing(root):
        cursor = root.cursor()
        cursor.execute(f"CREATE USER me@localhost IDENTIFIED BY '{PASSWORD}'")
        cursor.execute(f"GRANT ALL ON `{url.database}`.* TO me@localhost")
        yield database.replace("root@", f"me:{PASSWORD}@")
        cursor.execute("DROP USER me@localhost")


@pytest.fixture
def project(tmp_path: Path, account: str) -> Iterator[Path]:
    """A project that is well, in the current folder of the command, and its migrated database."""
    (tmp_path / "herdbook.toml").write_text(FILE.format(url=account), encoding="utf-8")
    (tmp_path / "migrations").mkdir()
    package = tmp_path / "barn_for_check"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "records.py").write_text(RECORDS, encoding="utf-8")
    path = list(sys.path)
    sys.path.append(str(tmp_path))
    catalogue = load_catalogue("barn_for_check.records")
    url = DatabaseUrl.parse(account).as_sqlalchemy()
    migrator = Migrator(url, catalogue, tmp_path / "migrations")
    migrator.upgrade()
    migrator.revision("stalls")
    migrator.upgrade()
    forget_modules()
    yield tmp_path
    sys.path[:] = path
    forget_modules()


def forget_modules() -> None:
    """Let the project's modules be imported anew."""
    for name in [name for name in sys.modules if name.startswith("barn_for_check")]:
        del sys.modules[name]


def test_a_project_that_is_well(herdbook: Herdbook, project: Path) -> None:
    """Values with their origins, then each check; exit code 0; the password stays hidden."""
    ran = herdbook("check")
    assert (ran.code, ran.err) == (0, "")
    assert "herdbook.toml, line 5" in ran.out
    assert "mysql://me:***@localhost/" in ran.out
    assert "ok      schema: up to date" in ran.out
    assert "ok      record module: barn_for_check.records declares stall" in ran.out
    assert ran.out.endswith("All is well.\n")
    assert "hush" not in ran.out


def test_the_same_for_programs(herdbook: Herdbook, project: Path) -> None:
    """With --json one document tells all of it."""
    document = herdbook("check", "--json").document()
    assert document["passed"] is True
    assert document["folder"] == str(project)
    assert {"name": "lanes.read", "value": 4, "origin": "default"} in document["values"]
    names = [one["name"] for one in document["checks"]]
    expected = ["record module", "migrations folder", "database", "privileges", "schema", "links"]
    assert names == [*expected, "listeners", "access"]


def test_all_that_is_wrong_around_it_is_told_at_once(herdbook: Herdbook, project: Path) -> None:
    """A record class declared wrongly and a missing folder are both named; exit code 1."""
    (project / "migrations").rename(project / "moved")
    broken = RECORDS.replace("class Stall(Record)", "class Stall(Nothing)")
    (project / "barn_for_check" / "records.py").write_text(broken, encoding="utf-8")
    ran = herdbook("check")
    assert ran.code == 1
    # The schema cannot be looked at without the record classes.
    assert ran.out.count("FAILED  ") == 3
    assert "name 'Nothing' is not defined" in ran.out
    assert "is no folder" in ran.out
    assert "All is well" not in ran.out
    assert herdbook("check", "--json").document()["passed"] is False


def test_a_wrong_configuration_is_told_whole(herdbook: Herdbook, project: Path) -> None:
    """Every problem, for people and for programs, and exit code 1."""
    before = (project / "herdbook.toml").read_text()
    (project / "herdbook.toml").write_text(before + "[log]\nlevl = 1\n[lanes]\nread = 0\n")
    ran = herdbook("check")
    assert (ran.code, ran.out) == (1, "")
    assert "2 problems" in ran.err
    assert "herdbook.toml, line 7, [log] levl: there is no such key" in ran.err
    assert "did you mean level?" in ran.err
    problems = herdbook("check", "--json").error()["problems"]
    assert [problem["line"] for problem in problems] == [7, 9]
    assert all(problem["hint"] for problem in problems)


def test_a_server_that_is_down_and_an_account_that_is_refused_are_told(
    herdbook: Herdbook, project: Path, account: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Database, privileges and schema are each told with what to do, without the password."""
    wrong = account.replace(PASSWORD, "loud")
    missing = dataclasses.replace(
        DatabaseUrl.parse(account), user="root", password=None, database="gone"
    )
    for url, said in (
        (wrong, "Access denied"),
        (
            f"mysql://me:hush@localhost/x?unix_socket={project}/none.sock",
            "cannot be reached (Can't",
        ),
        (str(missing), "CREATE DATABASE `gone`;"),
    ):
        monkeypatch.setenv("HERDBOOK_DATABASE_URL", url)
        ran = herdbook("check")
        assert ran.code == 1
        assert ran.out.count("FAILED  ") == 3
        assert said in ran.out
        assert "hush" not in ran.out
        assert "loud" not in ran.out


def test_a_schema_that_differs_is_told(herdbook: Herdbook, project: Path, account: str) -> None:
    """A column that was changed by hand is named; exit code 1."""
    url = DatabaseUrl.parse(account)
    with closing(
        MySQLdb.connect(user="root", db=url.database, unix_socket=url.unix_socket)
    ) as connection:
        connection.cursor().execute("ALTER TABLE stall MODIFY name VARCHAR(30) NOT NULL")
    ran = herdbook("check")
    assert ran.code == 1
    assert "FAILED  schema" in ran.out
    assert "stall" in ran.out
    assert "`herdbook schema revision -m" in ran.out
    named = herdbook("check", "--config", "herdbook.toml").out
    assert "`herdbook schema revision --config herdbook.toml -m" in " ".join(named.split())
    assert "`herdbook schema recapture --config herdbook.toml`" in " ".join(named.split())


def test_the_account_of_a_node_needs_no_right_to_see_triggers(
    herdbook: Herdbook, project: Path, account: str
) -> None:
    """What cannot be looked at is said, and is no fault."""
    url = DatabaseUrl.parse(account)
    with closing(
        MySQLdb.connect(user="root", db=url.database, unix_socket=url.unix_socket)
    ) as connection:
        connection.cursor().execute(f"REVOKE TRIGGER ON `{url.database}`.* FROM me@localhost")
    ran = herdbook("check")
    assert (ran.code, "FAILED" in ran.out) == (0, False)
    assert "up to date; this account lacks the TRIGGER privilege" in " ".join(ran.out.split())


def test_a_named_file_is_read(herdbook: Herdbook, project: Path) -> None:
    """--config reads that file, and one that is not there is told."""
    (project / "herdbook.toml").rename(project / "other.toml")
    assert herdbook("check", "--config", "other.toml").code == 0
    ran = herdbook("check", "--config", "nowhere.toml")
    assert ran.code == 1
    assert "nowhere.toml: it cannot be read: No such file" in ran.err


def test_the_example_passes_the_check(herdbook: Herdbook, tmp_path: Path) -> None:
    """`check --example > herdbook.toml` is a valid file: only what it names is not there."""
    (tmp_path / "herdbook.toml").write_text(herdbook("check", "--example").out, encoding="utf-8")
    document = herdbook("check", "--json").document()
    assert {one["name"]: one["value"] for one in document["values"]}["node.records"]
    example = herdbook("check", "--example", "--json").document()["example"]
    assert example == (tmp_path / "herdbook.toml").read_text(encoding="utf-8")


def _configuration() -> Configuration:
    environment = {
        "HERDBOOK_NODE_RECORDS": "farm.records",
        "HERDBOOK_DATABASE_URL": "mysql://me:hush@db/farm",
    }
    return load_configuration(None, environment)


def test_each_check_runs_whatever_the_others_say() -> None:
    """A failed check does not hide the next one, and no finding shows a password."""

    def fails(configuration: Configuration) -> str:
        raise CommandFailed(f"no {configuration.database.url.revealed()}", "start it")

    checks = (Check("first", fails), Check("second", lambda _configuration: "fine"))
    first, second = look_at(_configuration(), checks)
    assert first.messages == ("no mysql://me:***@db/farm; start it",)
    assert (first.passed, second.passed) == (False, True)


def test_a_file_without_a_database_is_looked_at_with_that_of_a_directory(
    herdbook: Herdbook, project: Path, server: PrivateServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As `herdbook up --dir` runs it; without --dir the advice tells of it."""
    text = (project / "herdbook.toml").read_text().partition("[database]")[0]
    (project / "up.toml").write_text(text, encoding="utf-8")
    refused = herdbook("check", "--config", "up.toml")
    assert refused.code == 1
    assert "[database] url: this key is missing" in refused.err
    assert "--dir DIR" in refused.err
    place = project / "data"
    monkeypatch.setenv("HERDBOOK_SERVER", str(server.program.path))
    with PrivateServer(place, server.program) as own:
        own.create_database("herdbook")
    ran = herdbook("check", "--config", "up.toml", "--dir", str(place))
    assert "ok      database" in ran.out
    said = " ".join(ran.out.split())
    assert f"herdbook schema upgrade --config up.toml --dir {place}" in said
    away = herdbook("check", "--config", "up.toml", "--dir", str(project / "nowhere"))
    assert "no node's database is in" in away.err


def test_with_a_directory_record_classes_are_found_where_the_command_runs(
    herdbook: Herdbook, project: Path, server: PrivateServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As by `herdbook up --dir`, whose configuration may lie in the directory."""
    monkeypatch.setenv("HERDBOOK_SERVER", str(server.program.path))
    with PrivateServer(project / "data", server.program) as own:
        own.create_database("herdbook")
    (project / "herdbook.toml").rename(project / "data" / "herdbook.toml")
    sys.path.remove(str(project))
    forget_modules()
    ran = herdbook("check", "--config", "data/herdbook.toml", "--dir", "data")
    assert "ok      record module" in ran.out
