"""A migration that was killed goes on where it was, and nothing in it happens twice."""

from __future__ import annotations

import re

import pytest
from sqlalchemy import text

from records import Record, Text
from schema.connection import connected
from schema.errors import MigrationInterrupted, RevisionChanged, SchemaError, StatementFailed
from schema.progress import Step
from tests.schema.conftest import Project
from tests.schema.killing import REVISION, killed_at, picture, write_revision


class Anything(Record):
    """Only there so that the project has a record class."""

    name = Text(length=9)


@pytest.mark.slow
def test_killed_at_any_moment_up_or_down_it_is_completed_by_the_next_run(project: Project) -> None:
    """Whatever the moment of death, the second run leaves what an undisturbed run leaves."""
    write_revision(project.folder)
    migrator = project.migrator(Anything)
    migrator.upgrade("herdbook@head")
    down = picture(project.url)
    with killed_at(None) as points_up:
        migrator.upgrade()
    up = picture(project.url)
    assert "(102, 'a', None), (111, 'b', None)" in up["tally"]
    with killed_at(None) as points_down:
        migrator.downgrade("base")
    assert picture(project.url) == down
    for moment in range(1, max(points_up.passed, points_down.passed) + 1):
        with killed_at(moment):
            migrator.upgrade()
        migrator.upgrade()
        assert picture(project.url) == up, f"killed at moment {moment} on the way up"
        with killed_at(moment):
            migrator.downgrade("base")
        migrator.downgrade("base")
        assert picture(project.url) == down, f"killed at moment {moment} on the way down"


def unnamed(shown: dict[str, str]) -> dict[str, str]:
    """A picture without the digests in triggers' names, which hold the origin that was drawn."""
    return {name: re.sub(r"_[0-9a-f]{24}\b", "", text) for name, text in shown.items()}


@pytest.mark.slow
def test_the_very_first_upgrade_can_be_killed_too(project: Project) -> None:
    """Even before the journal itself is there; later on, at every fifth moment."""
    migrator = project.migrator(Anything)
    with killed_at(None) as points:
        migrator.upgrade()
    whole = unnamed(picture(project.url))
    for moment in [*range(1, 20), *range(20, points.passed + 1, 5)]:
        with connected(project.url) as connection:
            connection.execute(text("SET foreign_key_checks = 0"))
            for table in whole:
                connection.execute(text(f"DROP TABLE {table}"))
        with killed_at(moment):
            migrator.upgrade()
        migrator.upgrade()
        assert unnamed(picture(project.url)) == whole, f"killed at moment {moment}"
        wrong = [line for line in migrator.check() if "herdbook" in line]
        assert wrong == [], f"killed at moment {moment}"


def test_an_interrupted_migration_shows_and_keeps_the_other_direction_out(project: Project) -> None:
    """Status names it; a downgrade, a revision and a node's start are refused until it is done."""
    write_revision(project.folder)
    migrator = project.migrator(Anything)
    migrator.upgrade("herdbook@head")
    with killed_at(21):
        migrator.upgrade()
    status = migrator.status()
    assert status.state == "interrupted"
    assert status.interrupted is not None
    assert (status.interrupted.revision, status.interrupted.statements_done) == ("r1", 3)
    with pytest.raises(MigrationInterrupted, match=r"r1 \(up\) was interrupted after 3"):
        migrator.downgrade("base")
    with pytest.raises(MigrationInterrupted):
        migrator.revision("more")
    assert isinstance(migrator.problem(), MigrationInterrupted)
    steps: list[Step] = []
    migrator.upgrade(on_step=steps.append)
    assert [step.resumed for step in steps] == [True] * 3 + [False] * 9
    assert (migrator.status().interrupted, migrator.status().pending) == (None, ())


def test_a_file_changed_below_done_statements_is_refused(project: Project) -> None:
    """What was carried out must still be what the file says; later statements may change."""
    write_revision(project.folder)
    migrator = project.migrator(Anything)
    migrator.upgrade("herdbook@head")
    with killed_at(21):
        migrator.upgrade()
    half_way = picture(project.url)
    write_revision(
        project.folder, REVISION.replace('"other_id", sa.Integer', '"other_id", sa.Date')
    )
    with pytest.raises(RevisionChanged, match="statement 4 is another one now"):
        migrator.upgrade()
    shorter = (
        REVISION.partition('    op.create_table("other"')[0] + "\n\ndef downgrade():\n    pass\n"
    )
    write_revision(project.folder, shorter)
    with pytest.raises(RevisionChanged, match="statement 4 is no longer there"):
        migrator.upgrade()
    assert picture(project.url) == half_way
    write_revision(project.folder, REVISION.replace("number + 100", "number + 200"))
    migrator.upgrade()
    assert "(202, 'a', None)" in picture(project.url)["tally"]


def test_a_refused_statement_may_be_corrected_and_the_rest_goes_on(project: Project) -> None:
    """The server's refusal is told with its place; what came before it is not run again."""
    duplicates = REVISION.replace('"word": "b"', '"word": "a"')
    write_revision(project.folder, duplicates)
    migrator = project.migrator(Anything)
    with pytest.raises(StatementFailed, match=r"Revision r1, statement 7: .*Duplicate entry 'a'"):
        migrator.upgrade()
    with connected(project.url) as connection:
        connection.execute(text("UPDATE tally SET word = 'b' WHERE number = 11"))
        connection.commit()
    migrator.upgrade()
    assert "(102, 'a', None), (111, 'b', None)" in picture(project.url)["tally"]


def test_a_refused_statement_may_become_another_one(project: Project) -> None:
    """It had no effect, so the file may say something else in its place."""
    duplicates = REVISION.replace('"word": "b"', '"word": "a"')
    write_revision(project.folder, duplicates)
    migrator = project.migrator(Anything)
    with pytest.raises(StatementFailed, match="statement 7"):
        migrator.upgrade()
    write_revision(project.folder, duplicates.replace('["word"])', '["word", "number"])', 1))
    migrator.upgrade()
    assert "UNIQUE KEY `uq_tally_word` (`term`,`number`)" in picture(project.url)["tally"]


def test_a_thing_that_was_there_before_is_an_error_the_first_time(project: Project) -> None:
    """Only a statement that may have run before is forgiven for finding its own work."""
    with connected(project.url) as connection:
        connection.execute(text("CREATE TABLE tally (a INT)"))
    write_revision(project.folder)
    with pytest.raises(StatementFailed, match=r"statement 1: .*'tally' already exists"):
        project.migrator(Anything).upgrade()


def test_writing_behind_the_journal_is_refused(project: Project) -> None:
    """A write through the bare connection could happen twice, so it does not happen at all."""
    sneaky = REVISION.replace(
        "def upgrade() -> None:\n",
        "def upgrade() -> None:\n    op.get_bind().execute(sa.text('CREATE TABLE x (a INT)'))\n",
    )
    write_revision(project.folder, sneaky)
    with pytest.raises(SchemaError, match="Revision r1 writes through a connection of its own"):
        project.migrator(Anything).upgrade()
    assert "x" not in picture(project.url)
