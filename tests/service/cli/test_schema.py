"""`herdbook schema` from a project's first revision to its last."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable
from pathlib import Path

import pytest

from schema.connection import connected
from schema.lock import only_runner
from service.database_url import DatabaseUrl
from tests.service.cli.conftest import Ran

RECORDS = """
from records import Record, Text

class Plant(Record):
    name = Text(length=40)
"""

Herdbook = Callable[..., Ran]


@pytest.fixture
def garden(herdbook: Herdbook, database: str, tmp_path: Path) -> Herdbook:
    """`herdbook schema` in a project with one record class, on an empty database."""
    name = f"garden_{tmp_path.name}"
    (tmp_path / f"{name}.py").write_text(RECORDS)
    place = ["--database", database, "--records", name, "--migrations", "revisions", "--json"]

    def run(*arguments: str) -> Ran:
        return herdbook("schema", *arguments, *place)

    return run


def test_a_project_goes_from_nothing_to_no_differences(garden: Herdbook) -> None:
    """Status, upgrade, revision, sql, upgrade, check: each says what it should."""
    assert garden("status").document()["state"] == "behind"
    refused = garden("revision", "-m", "plants")
    assert refused.code == 3
    assert refused.error()["code"] == "schema.schema_behind"
    assert garden("upgrade").document() == {
        "revisions": ["hb0001", "hb0002", "hb0003", "hb0004"], "written": 0, "held": 0,
    }  # fmt: skip
    written = garden("revision", "-m", "plants").document()
    assert written["changes"] == ["table plant is declared and not in the database"]
    assert "CREATE TABLE `plant`" in garden("sql").document()["sql"]
    checked = garden("check")
    assert checked.code == 3
    assert len(checked.document()["differences"]) == 2
    name = Path(written["path"]).name.partition("_")[0]
    assert garden("upgrade").document()["revisions"] == [name]
    assert garden("check").code == 0
    assert garden("status").document()["current"] == sorted(["hb0004", name])
    assert garden("upgrade").document()["revisions"] == []
    assert "DROP TABLE `plant`" in garden("sql", "--down").document()["sql"]
    assert garden("downgrade", "base").document() == {"revisions": [name]}


def test_status_ends_with_nothing_but_zero_only_where_the_database_is_current(
    garden: Herdbook, database: str, tmp_path: Path
) -> None:
    """A script need not read the answer: 3 for every state but ready, and 1 where none is known."""
    assert garden("status").code == 3
    garden("upgrade")
    assert (garden("status").document()["state"], garden("status").code) == ("unwritten", 3)
    path = Path(garden("revision", "-m", "plants").document()["path"])
    assert garden("status").document()["state"] == "behind"
    assert garden("status").code == 3
    garden("upgrade")
    assert garden("status").code == 0
    hidden = path.rename(tmp_path / "hidden")
    assert (garden("status").document()["state"], garden("status").code) == ("ahead", 3)
    hidden.rename(path)
    with connected(DatabaseUrl.parse(database).as_sqlalchemy()) as connection:
        connection.exec_driver_sql(
            "INSERT INTO herdbook_migration VALUES ('hb0004', 'up', 1, 'done', REPEAT('x', 32), '')"
        )
        connection.commit()
    assert (garden("status").document()["state"], garden("status").code) == ("interrupted", 3)
    path.write_text("no Python")
    assert garden("status").code == 1


def test_upgrade_and_revision_end_with_three_where_the_database_is_not_where_they_need_it(
    garden: Herdbook, database: str, tmp_path: Path
) -> None:
    """Behind, ahead, interrupted, its file lost: the code is that of status."""
    assert garden("revision", "-m", "plants").code == 3
    garden("upgrade")
    path = Path(garden("revision", "-m", "plants").document()["path"])
    assert garden("revision", "-m", "plants").code == 3
    garden("upgrade")
    hidden = path.rename(tmp_path / "hidden")
    assert [garden(*each).code for each in (("upgrade",), ("revision", "-m", "x"))] == [3, 3]
    hidden.rename(path)
    with connected(DatabaseUrl.parse(database).as_sqlalchemy()) as connection:
        connection.exec_driver_sql(
            "INSERT INTO herdbook_migration VALUES ('gone', 'up', 1, 'done', REPEAT('x', 32), '')"
        )
        connection.commit()
    assert garden("status").document()["state"] == "interrupted"
    assert [garden(*each).code for each in (("upgrade",), ("revision", "-m", "x"))] == [3, 3]
    assert garden("upgrade").error()["code"] == "schema.revision_changed"


def test_advice_repeats_the_options_that_were_given(
    herdbook: Herdbook, database: str, tmp_path: Path
) -> None:
    """Each command in it can be pasted: from `status` and `check`, and from a refusal."""
    name = f"garden_{tmp_path.name}"
    (tmp_path / f"{name}.py").write_text(RECORDS)
    place = ["--database", database, "--records", name, "--migrations", "my revisions"]
    words = shlex.join(place)
    said = [herdbook("schema", "status", *place).out]
    said.append(herdbook("schema", "revision", *place, "-m", "x").err)
    herdbook("schema", "upgrade", *place)
    said.append(herdbook("schema", "status", *place).out)
    said.append(herdbook("schema", "check", *place).out)
    commands = [re.findall(r"`(herdbook schema [^`]*)`", text) for text in said]
    assert [len(found) for found in commands] == [1, 1, 2, 3]
    assert all(words in command for found in commands for command in found)
    for command in commands[2]:
        assert herdbook(*shlex.split(command)[1:]).code == 0, command
    assert herdbook("schema", "status", *place).code == 0


def test_sql_says_so_where_nothing_is_pending_and_its_comments_repeat_the_options(
    herdbook: Herdbook, database: str, tmp_path: Path
) -> None:
    """Nothing is on stdout then, which may go into a file; programs get an empty text."""
    name = f"garden_{tmp_path.name}"
    (tmp_path / f"{name}.py").write_text(RECORDS)
    place = ["--database", database, "--records", name, "--migrations", "revisions"]
    herdbook("schema", "upgrade", *place)
    herdbook("schema", "revision", *place, "-m", "x")
    pending = herdbook("schema", "sql", *place)
    assert f"\n-- herdbook schema recapture {shlex.join(place)} --table plant\n" in pending.out
    assert pending.err == ""
    herdbook("schema", "upgrade", *place)
    assert herdbook("schema", "sql", *place) == Ran(
        0, "", "nothing to run: no revision is pending\n"
    )
    assert herdbook("schema", "sql", *place, "--json").document() == {"sql": ""}


def test_rows_that_are_gone_are_counted(garden: Herdbook, database: str) -> None:
    """After a TRUNCATE recapture says how many deaths it noted, and the second time none."""
    garden("upgrade")
    garden("revision", "-m", "plants")
    garden("upgrade")
    with connected(DatabaseUrl.parse(database).as_sqlalchemy()) as connection:
        for letter in "xyz":
            connection.exec_driver_sql(
                f"INSERT INTO plant (id, name) VALUES (REPEAT('{letter}', 16), 'fern')"
            )
        connection.commit()
        connection.exec_driver_sql("TRUNCATE plant")
    assert garden("recapture").document() == {
        "tables": ["herdbook_herd_node", "plant", "herdbook_herd_range"],
        "lost": [],
        "deaths": {"plant": 3},
        "horizon": 0,
    }
    assert garden("recapture").document()["deaths"] == {}


def test_what_is_not_kept_any_more_is_not_said_to_be_well(
    garden: Herdbook, herdbook: Herdbook, database: str, tmp_path: Path
) -> None:
    """Deaths of rows that the changelog has forgotten are not found, and recapture says so."""

    def said() -> str:
        place = ("--database", database, "--migrations", "revisions")
        return herdbook("schema", "recapture", "--records", f"garden_{tmp_path.name}", *place).out

    garden("upgrade")
    garden("revision", "-m", "plants")
    garden("upgrade")
    tables = ("herdbook_herd_node", "plant", "herdbook_herd_range")
    assert said() == "".join(f"captured {table}\n" for table in tables)
    with connected(DatabaseUrl.parse(database).as_sqlalchemy()) as connection:
        connection.exec_driver_sql("INSERT INTO plant (id, name) VALUES (REPEAT('x', 16), 'fern')")
        connection.exec_driver_sql("DELETE FROM herdbook_inbox")
        connection.exec_driver_sql(
            "INSERT INTO herdbook_sealer (only, position, horizon) VALUES (1, 9, 7) "
            "ON DUPLICATE KEY UPDATE position = 9, horizon = 7"
        )
        connection.commit()
        connection.exec_driver_sql("TRUNCATE plant")
    found = garden("recapture").document()
    assert (found["deaths"], found["horizon"]) == ({}, 7)
    assert "after position 7 only: deaths of rows not changed since cannot be known" in said()


def test_lost_triggers_are_found_and_made_anew_and_rows_that_came_by_taken_in(
    garden: Herdbook, database: str
) -> None:
    """Exit code 3 with what is wrong; after recapture nothing is, in the rows neither."""
    garden("upgrade")
    garden("revision", "-m", "plants")
    garden("upgrade")
    with connected(DatabaseUrl.parse(database).as_sqlalchemy()) as connection:
        names = connection.exec_driver_sql(
            "SELECT trigger_name FROM information_schema.triggers "
            "WHERE trigger_schema = DATABASE() AND event_object_table = 'plant'"
        ).scalars()
        for name in names.all():
            connection.exec_driver_sql(f"DROP TRIGGER {name}")
        connection.exec_driver_sql("INSERT INTO plant (id, name) VALUES (REPEAT('x', 16), 'fern')")
        connection.commit()
    checked = garden("check", "--rows")
    assert checked.code == 3
    assert checked.document()["differences"] == [
        "the capture of table plant has lost its triggers",
        "table plant: rows that were never captured: 1, such as "
        + "78787878-7878-7878-7878-787878787878",
    ]
    assert garden("recapture", "--table", "plants").error()["code"].startswith("schema.")
    assert garden("recapture", "--table", "plant").document() == {
        "tables": ["plant"],
        "lost": ["plant"],
        "deaths": {},
        "horizon": 0,
    }
    assert garden("check", "--rows").document() == {"differences": []}


def test_dropping_a_column_is_refused_with_a_code_of_its_own(
    garden: Herdbook, database: str, tmp_path: Path
) -> None:
    """Exit code 4, the column named, nothing written; with --allow-drops it is written."""
    garden("upgrade")
    garden("revision", "-m", "plants")
    garden("upgrade")
    with connected(DatabaseUrl.parse(database).as_sqlalchemy()) as connection:
        connection.exec_driver_sql("ALTER TABLE plant ADD COLUMN height INT")
    refused = garden("revision", "-m", "no height")
    assert refused.code == 4
    assert "column plant.height is in the database" in refused.error()["message"]
    assert len(list((tmp_path / "revisions").glob("*.py"))) == 1
    written = garden("revision", "-m", "no height", "--allow-drops").document()
    assert written["destructive"] == ["column plant.height is in the database and not declared"]
    assert "# This deletes data." in Path(written["path"]).read_text()


def test_a_new_field_without_a_default_is_told(
    garden: Herdbook, herdbook: Herdbook, database: str, tmp_path: Path
) -> None:
    """The rows that are there get what nobody chose: the answer names the column."""
    garden("upgrade")
    garden("revision", "-m", "plants")
    garden("upgrade")
    with connected(DatabaseUrl.parse(database).as_sqlalchemy()) as connection:
        connection.exec_driver_sql("ALTER TABLE plant DROP COLUMN name")
    written = garden("revision", "-m", "names").document()
    assert written["filling"] == ["column plant.name is declared and not in the database"]
    Path(written["path"]).unlink()
    place = ["--database", database, "--records", f"garden_{tmp_path.name}"]
    told = herdbook("schema", "revision", "-m", "names", *place, "--migrations", "revisions")
    assert "get what the server chooses: column plant.name is declared" in told.err


def test_a_held_lock_ends_the_run_with_a_code_of_its_own(garden: Herdbook, database: str) -> None:
    """Exit code 5 when another run does not finish in time."""
    url = DatabaseUrl.parse(database).as_sqlalchemy()
    with connected(url) as connection, only_runner(connection, 0):
        refused = garden("upgrade", "--wait", "0.2")
    assert refused.code == 5
    assert "Another run is migrating" in refused.error()["message"]
    assert garden("upgrade").code == 0
