"""What a statement is to the journal."""

from __future__ import annotations

import pytest

from schema.statements import Nature, digest_of, nature_of, says_done_already


@pytest.mark.parametrize(
    ("statement", "nature"),
    [
        ("INSERT INTO a VALUES (1)", Nature.DATA),
        ("  update a set b = 1", Nature.DATA),
        ("-- why\n/* and how */ DELETE FROM a", Nature.DATA),
        ("# why\nREPLACE INTO a VALUES (1)", Nature.DATA),
        ("(SELECT 1)", Nature.SESSION),
        ("SET foreign_key_checks = 0", Nature.SESSION),
        ("CREATE TABLE a (b INT)", Nature.DEFINITION),
        ("\nALTER TABLE a ADD c INT", Nature.DEFINITION),
        ("TRUNCATE a", Nature.DEFINITION),
        ("/*!50100 ALTER TABLE a ADD c INT */", Nature.DEFINITION),
        ("CALL something()", Nature.DEFINITION),
        ("", Nature.DEFINITION),
    ],
)
def test_first_words_tell_the_nature(statement: str, nature: Nature) -> None:
    """Comments and brackets before them do not count; the unknown is taken for a definition."""
    assert nature_of(statement) is nature


def test_only_a_fitting_error_says_that_it_was_done() -> None:
    """A missing table is no success for an index, nor any error for a change of rows."""
    assert says_done_already("CREATE TABLE a (b INT)", 1050, "")
    assert says_done_already("ALTER TABLE a DROP COLUMN b", 1091, "")
    assert not says_done_already("CREATE INDEX a ON b (c)", 1146, "")
    assert not says_done_already("DROP TABLE a", 1050, "")
    assert not says_done_already("UPDATE a SET b = 1", 1062, "")
    assert not says_done_already("CREATE TABLE a (b INT)", 2013, "")


@pytest.mark.parametrize(
    ("statement", "codes"),
    [
        ("ALTER TABLE a RENAME COLUMN b TO c", {1054}),
        ("alter table a change b c INT", {1054}),
        ("ALTER TABLE a RENAME  INDEX b TO c", {1176}),
        ("ALTER TABLE a RENAME KEY b TO c", {1176}),
        ("ALTER TABLE a RENAME TO c", {1146, 1050}),
        ("ALTER TABLE a RENAME c", {1146, 1050}),
        ("ALTER TABLE a ADD b INT AFTER c", set()),
        ("ALTER TABLE a ADD `change` INT COMMENT 'it''s a \\' RENAME TO' AFTER c", set()),
    ],
)
def test_what_is_missing_was_renamed_only_where_something_is_renamed(
    statement: str, codes: set[int]
) -> None:
    """Names and comments in quotes do not count."""
    found = {code for code in (1054, 1176, 1146, 1050) if says_done_already(statement, code, "")}
    assert found == codes


def test_mariadbs_one_number_for_foreign_keys_is_told_apart_by_its_text() -> None:
    """Only a duplicate is there already; a key that does not fit is not."""
    statement = "ALTER TABLE a ADD CONSTRAINT b FOREIGN KEY (c) REFERENCES d (e)"
    assert says_done_already(statement, 1005, "Can't create table `x`.`a` (errno: 121 ...)")
    assert not says_done_already(statement, 1005, "Can't create table `x`.`a` (errno: 150 ...)")


def test_layout_does_not_make_another_statement() -> None:
    """A formatter may touch the file between two runs."""
    assert digest_of("CREATE  TABLE\n\ta (b INT)") == digest_of("CREATE TABLE a (b INT)")
    assert digest_of("CREATE TABLE a (b INT)") != digest_of("CREATE TABLE a (c INT)")
