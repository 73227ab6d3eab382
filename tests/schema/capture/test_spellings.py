"""Deaths of keys that the server takes for others, or that it does not take any more."""

from __future__ import annotations

import pytest

from records import Date, Record, Text
from records.catalogue import catalogue_of
from schema.capture import table_keys
from tests.schema.capture.unseen import deaths_noted, seal, sql, told
from tests.schema.conftest import Project
from tests.service.store.sealing.tools import changelog
from tests.service.store.tools import read
from tests.service.store.undoing import listed


class Herb(Record):
    """Its key is the same for the server however it is spelled."""

    word = Text(length=20, collation="utf8mb4_general_ci", primary=True)


class Words:
    """The class as it was."""

    class Day(Record):
        """Anything."""

        word = Text(length=20, primary=True)


class Days:
    """The class as it is now."""

    class Day(Record):
        """Days only."""

        word = Date(primary=True)


def restorable(database: str) -> list[str]:
    """The herbs that are offered to be restored."""
    catalogue = catalogue_of([Herb])
    return [row["word"] for row in listed(database, catalogue.records["herb"], catalogue=catalogue)]


@pytest.mark.parametrize("when", ["sealed", "waiting"])
@pytest.mark.parametrize("others", [0, 30])
def test_a_death_under_another_spelling_is_the_next_of_the_same_life(
    project: Project, database: str, when: str, others: int
) -> None:
    """`foo` died, `Foo` was born and is gone: lives go on, and `foo` is not restored over it."""
    project.migrate(Herb)
    sql(database, "INSERT INTO herb VALUES ('foo')", "DELETE FROM herb")
    sql(database, "INSERT INTO herb VALUES ('Foo')")
    if when == "sealed":
        seal(database)
    sql(database, "TRUNCATE herb")
    # Among others that died, or that live and lived before.
    for number in range(others):
        sql(database, f"INSERT INTO herb VALUES ('h{number}')")
    assert deaths_noted(project, [Herb]) == {"herb": 1}
    seal(database)
    assert [line for line in told(database, "herb") if line[1].lower() == "foo"] == [
        ("insert", "foo", 1),
        ("delete", "foo", 2),
        ("insert", "Foo", 3),
        ("delete", "Foo", 4),
    ]
    assert restorable(database) == []
    assert deaths_noted(project, [Herb]) == {}


def test_who_died_later_under_another_spelling_stays_restorable(
    project: Project, database: str
) -> None:
    """`Foo` is gone unseen, and then `foo` was born and deleted: the one is not the other."""
    project.migrate(Herb)
    sql(database, "INSERT INTO herb VALUES ('Foo')")
    seal(database)
    sql(database, "TRUNCATE herb", "INSERT INTO herb VALUES ('foo')", "DELETE FROM herb")
    assert deaths_noted(project, [Herb]) == {"herb": 1}
    seal(database)
    assert told(database, "herb")[-1] == ("delete", "Foo", 2)
    assert restorable(database) == ["foo"]


def test_a_rebirth_that_waits_is_of_a_later_life(project: Project, database: str) -> None:
    """`Foo` is gone, `foo` was deleted, `Foo` came again and is gone: it dies after both."""
    project.migrate(Herb)
    sql(database, "INSERT INTO herb VALUES ('Foo')")
    seal(database)
    sql(database, "TRUNCATE herb", "INSERT INTO herb VALUES ('foo')", "DELETE FROM herb")
    sql(database, "INSERT INTO herb VALUES ('Foo')", "TRUNCATE herb")
    assert deaths_noted(project, [Herb]) == {"herb": 1}
    seal(database)
    assert told(database, "herb")[-2:] == [("insert", "Foo", 3), ("delete", "Foo", 4)]
    assert restorable(database) == []


def test_a_row_that_nobody_was_told_of_is_born_and_not_updated(
    project: Project, database: str
) -> None:
    """`foo` came in the place of `Foo` while there were no triggers: it is adopted, no more."""
    project.migrate(Herb)
    sql(database, "INSERT INTO herb VALUES ('Foo')", "TRUNCATE herb")
    names = read(
        database,
        "SELECT trigger_name FROM information_schema.triggers "
        "WHERE trigger_schema = DATABASE() AND event_object_table = 'herb'",
    )
    sql(database, *(f"DROP TRIGGER {name}" for (name,) in names))
    sql(database, "INSERT INTO herb VALUES ('foo')")
    assert deaths_noted(project, [Herb]) == {"herb": 1}
    seal(database)
    assert told(database, "herb") == [
        ("insert", "Foo", 1),
        ("delete", "Foo", 2),
        ("insert", "foo", 1),
    ]


def test_the_empty_key_dies_too(project: Project, database: str) -> None:
    """It is a key like others."""
    project.migrate(Herb)
    sql(database, "INSERT INTO herb VALUES (''), ('x')", "TRUNCATE herb")
    assert deaths_noted(project, [Herb]) == {"herb": 2}
    assert deaths_noted(project, [Herb]) == {}


@pytest.mark.parametrize("keys_a_statement", [500, 3])
def test_keys_that_the_table_cannot_have_any_more_keep_no_others_from_being_noted(
    project: Project, database: str, monkeypatch: pytest.MonkeyPatch, keys_a_statement: int
) -> None:
    """Words among days: MySQL refuses a statement that asks for one of them."""
    monkeypatch.setattr(table_keys, "KEYS_A_STATEMENT", keys_a_statement)
    project.migrate(Words.Day)
    days = [f"2020-01-0{number}" for number in range(1, 10)]
    words = ", ".join(f"('{word}')" for word in ("mint", *days[:5], "dill", *days[5:], "sage"))
    sql(database, f"INSERT INTO day VALUES {words}")
    seal(database)
    sql(database, "TRUNCATE day", "DELETE FROM herdbook_dead_day")
    project.migrate(Days.Day, drops=True)
    sql(database, f"INSERT INTO day VALUES ('{days[0]}')")
    deaths_noted(project, [Days.Day])
    seal(database)
    gone = {line.key.decode() for line in changelog(database) if line.kind == "delete"}
    assert gone & set(days) == set(days[1:])
    assert deaths_noted(project, [Days.Day]) == {}
