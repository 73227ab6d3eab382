"""Rows that are gone and nobody saw them go: `herdbook schema recapture` tells the feed of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from records import Integer, Record, Reference, Text
from records.catalogue import catalogue_of
from records.validation import Key, Row
from schema import connection
from schema.capture import deaths as deaths_module
from schema.capture import living, locks, table_keys
from schema.errors import StatementFailed
from service.errors import NotFound
from service.methods.feed_port import Wanted
from service.store.feed.pages import Bounds
from tests.schema.capture.unseen import deaths_noted, seal, sql, told
from tests.schema.conftest import Project
from tests.service.store.direct import done
from tests.service.store.feeds import page
from tests.service.store.tools import ask, raw_connection, read
from tests.service.store.undoing import listed, undoing


class Bed(Record):
    """A parent."""

    code = Integer(primary=True, bits=32)
    name = Text(length=9, default="")


class Herb(Record):
    """Its child, whose key the server takes for the same however it is spelled."""

    word = Text(length=20, collation="utf8mb4_general_ci", primary=True)
    bed = Reference(Bed, on_delete="cascade")


CLASSES = (Bed, Herb)
CATALOGUE = catalogue_of(CLASSES)


@pytest.fixture
def garden(project: Project) -> Project:
    """Both tables, captured."""
    project.migrate(*CLASSES)
    return project


@pytest.fixture
def narrow(monkeypatch: pytest.MonkeyPatch) -> None:
    """Everything is read and noted a few at a time."""
    monkeypatch.setattr(living, "ENTRIES_A_READ", 3)
    monkeypatch.setattr(table_keys, "KEYS_A_STATEMENT", 2)
    monkeypatch.setattr(deaths_module, "DEATHS_A_TRANSACTION", 2)


def recapture(garden: Project, *tables: str) -> Counter[str]:
    """How many deaths were noted, by table."""
    return deaths_noted(garden, CLASSES, *tables)


def replayed(database: str) -> dict[str, dict[Key, Row]]:
    """What a reader has who followed the feed from the beginning, as it stood then and later."""
    tables: dict[str, dict[Key, Row]] = {name: {} for name in CATALOGUE.records}
    found = page(database, 0, 1_000, Wanted(), Bounds(), CATALOGUE)
    assert found.complete
    for change in found.changes:
        assert change.entry.record is not None
        assert change.entry.key is not None
        if change.entry.kind == "delete":
            del tables[change.entry.record][change.entry.key]
        else:
            # Before it was gone there was a row to be read.
            tables[change.entry.record][change.entry.key] = dict(change.row or {})
    return tables


def numbers(count: int) -> str:
    """Rows for an INSERT into bed."""
    return ", ".join(f"({number})" for number in range(count))


@pytest.mark.usefixtures("narrow")
@pytest.mark.parametrize("when", ["sealed", "waiting"])
def test_a_truncated_table_is_told_to_the_feed(garden: Project, database: str, when: str) -> None:
    """A delete for each key, once, however few are done at a time; a replay equals the tables."""
    sql(
        database,
        f"INSERT INTO bed (code) VALUES {numbers(30)}",
        "INSERT INTO herb VALUES ('mint', 1), ('dill', 2)",
        "UPDATE bed SET name = 'x' WHERE code % 2 = 0",
        "DELETE FROM bed WHERE code % 10 = 9",
    )
    if when == "sealed":
        seal(database)
    sql(database, "TRUNCATE bed", "TRUNCATE herb", "INSERT INTO bed (code) VALUES (5), (100)")
    assert recapture(garden) == {"bed": 26, "herb": 2}
    seal(database)
    gone = [key for kind, key, life in told(database, "bed") if (kind, life) == ("delete", 2)]
    assert sorted(map(int, gone)) == [number for number in range(30) if number != 5]
    assert replayed(database) == {
        "bed": {(5,): {"code": 5, "name": ""}, (100,): {"code": 100, "name": ""}},
        "herb": {},
    }
    assert recapture(garden) == {}
    assert garden.migrator(*CLASSES).check_rows() == []


def test_children_are_told_to_be_gone_before_their_parents(garden: Project, database: str) -> None:
    """A reader with foreign keys of its own can follow."""
    sql(database, "INSERT INTO bed (code) VALUES (1)", "INSERT INTO herb VALUES ('mint', 1)")
    sql(database, "TRUNCATE bed", "TRUNCATE herb")
    recapture(garden)
    noted = read(database, "SELECT table_name FROM herdbook_inbox WHERE kind = 'delete'")
    assert [name for (name,) in noted] == ["herb", "bed"]


def test_an_entry_is_what_a_trigger_would_have_written(garden: Project, database: str) -> None:
    """The origin of the node, a stamp above all known ones, the account that ran the command."""
    sql(database, "INSERT INTO bed (code) VALUES (1)")
    sql(database, "UPDATE herdbook_inbox SET stamp = 9000000000000000", "TRUNCATE bed")
    recapture(garden)
    entry = read(
        database,
        "SELECT row_key, fields, life, stamp, origin, writer FROM herdbook_inbox "
        "WHERE kind = 'delete'",
    )
    ((origin, account),) = read(
        database, "SELECT origin, CONCAT('sql:', USER()) FROM herdbook_node"
    )
    assert entry == [(b"1", None, 2, 9000000000000001, origin, account)]


def test_only_the_named_table_is_looked_at(garden: Project, database: str) -> None:
    """As with its triggers."""
    sql(database, "INSERT INTO bed (code) VALUES (1)", "INSERT INTO herb VALUES ('mint', 1)")
    sql(database, "TRUNCATE bed", "TRUNCATE herb")
    assert recapture(garden, "herb") == {"herb": 1}
    assert recapture(garden) == {"bed": 1}


@pytest.mark.usefixtures("narrow")
@pytest.mark.parametrize("when", ["sealed", "waiting"])
def test_deaths_that_were_seen_are_not_noted_again(
    garden: Project, database: str, when: str
) -> None:
    """Nor where somebody has cleared the graveyard since, or the key has lived again."""
    sql(
        database,
        f"INSERT INTO bed (code) VALUES {numbers(20)}",
        "DELETE FROM bed",
        f"INSERT INTO bed (code) VALUES {numbers(10)}",
        "DELETE FROM bed WHERE code > 4",
    )
    if when == "sealed":
        seal(database)
    assert recapture(garden) == {}
    sql(database, "DELETE FROM herdbook_dead_bed")
    assert recapture(garden) == {}


@pytest.mark.usefixtures("narrow")
def test_sealing_goes_on_while_the_changelog_is_read(
    garden: Project, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Entries that leave the inbox before they are read are not overlooked."""
    sql(database, "INSERT INTO bed (code) VALUES (1), (2), (3)", "DELETE FROM bed")
    by_table = living._by_table

    def sealed_meanwhile(entries: Sequence[Any]) -> Any:
        monkeypatch.setattr(living, "_by_table", by_table)
        seal(database)
        return by_table(entries)

    monkeypatch.setattr(living, "_by_table", sealed_meanwhile)
    assert recapture(garden) == {}
    assert read(database, "SELECT COUNT(*) FROM herdbook_changelog") == [(6,)]


@pytest.mark.parametrize("sealed_before", ["", "birth", "death", "rebirth"])
def test_a_row_that_lived_before_dies_its_next_death(
    garden: Project, database: str, sealed_before: str
) -> None:
    """Lives go on in the changelog, and the dead row of the life before goes."""
    for step, statement in {
        "birth": "INSERT INTO bed (code, name) VALUES (1, 'old')",
        "death": "DELETE FROM bed",
        "rebirth": "INSERT INTO bed (code, name) VALUES (1, 'new')",
    }.items():
        sql(database, statement)
        if step == sealed_before:
            seal(database)
    sql(database, "TRUNCATE bed")
    assert recapture(garden) == {"bed": 1}
    seal(database)
    assert told(database, "bed") == [
        ("insert", "1", 1),
        ("delete", "1", 2),
        ("insert", "1", 3),
        ("delete", "1", 4),
    ]
    assert read(database, "SELECT * FROM herdbook_dead_bed") == []


def test_what_is_lost_is_not_offered_to_be_restored(garden: Project, database: str) -> None:
    """Its values are gone: nothing is listed, and restoring it is refused."""
    sql(database, "INSERT INTO bed (code) VALUES (1)", "TRUNCATE bed")
    recapture(garden)
    bed = CATALOGUE.records["bed"]
    assert listed(database, bed, catalogue=CATALOGUE) == []
    with undoing(database, CATALOGUE) as undo, pytest.raises(NotFound) as refused:
        done(undo.restore(bed, [(1,)], False, ()))
    assert [failure.message for failure in refused.value.failures] == ["no deleted bed 1 is kept"]


def test_a_key_that_is_spelled_anew_is_gone_under_its_old_spelling(
    garden: Project, database: str
) -> None:
    """For readers `Mint` and `mint` are two records; one who takes them for one is told of both."""
    sql(database, "INSERT INTO bed (code) VALUES (1)", "INSERT INTO herb VALUES ('Mint', 1)")
    sql(database, "TRUNCATE herb", "INSERT INTO herb VALUES ('mint', 1)")
    assert recapture(garden) == {"herb": 1}
    seal(database)
    assert list(replayed(database)["herb"]) == [("mint",)]
    assert told(database, "herb") == [
        ("insert", "Mint", 1),
        ("insert", "mint", 1),
        ("delete", "Mint", 2),
        ("update", "mint", 1),
    ]


@pytest.mark.parametrize(
    "meanwhile",
    [
        ["INSERT INTO bed (code) VALUES (1)"],
        ["INSERT INTO bed (code) VALUES (1)", "DELETE FROM bed WHERE code = 1"],
    ],
    ids=["born", "born and died"],
)
def test_who_is_born_again_meanwhile_is_not_said_to_be_gone(
    garden: Project, database: str, monkeypatch: pytest.MonkeyPatch, meanwhile: list[str]
) -> None:
    """Between looking and noting others write: what they do was noted by triggers."""
    sql(database, "INSERT INTO bed (code) VALUES (1), (2)", "TRUNCATE bed")
    note_table: Callable[..., None] = deaths_module._note_table

    def late(*given: Any) -> None:
        sql(database, *meanwhile)
        monkeypatch.setattr(deaths_module, "_note_table", note_table)
        note_table(*given)

    monkeypatch.setattr(deaths_module, "_note_table", late)
    assert recapture(garden, "bed") == {"bed": 1}
    seal(database)
    lines = [kind for kind, key, _life in told(database, "bed") if key == "1"]
    assert lines == ["insert", "insert", "delete"][: 1 + len(meanwhile)]


def test_nobody_is_born_while_a_death_is_noted(
    garden: Project, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A birth waits until the death is committed, so it comes after it in the changelog."""
    sql(database, "INSERT INTO bed (code) VALUES (1)", "TRUNCATE bed")
    write: Callable[..., None] = deaths_module._write
    refusals: list[str] = []

    def watched(*given: Any) -> None:
        with pytest.raises(Exception, match="Lock wait timeout") as refused:
            sql(
                database,
                "SET SESSION innodb_lock_wait_timeout = 1",
                "INSERT INTO bed (code) VALUES (1)",
            )
        refusals.append(str(refused.value))
        write(*given)

    monkeypatch.setattr(deaths_module, "_write", watched)
    assert recapture(garden) == {"bed": 1}
    assert len(refusals) == 1


def test_a_row_that_somebody_holds_is_not_passed_over(
    garden: Project, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A birth that is not committed: the run fails, and the next one notes all the deaths."""
    sql(database, "INSERT INTO bed (code) VALUES (1), (2)", "TRUNCATE bed")
    monkeypatch.setattr(locks, "ATTEMPTS", 1)
    impatient = f"{connection.SESSION}, innodb_lock_wait_timeout = 1"
    monkeypatch.setattr(connection, "SESSION", impatient)
    note_table: Callable[..., None] = deaths_module._note_table

    def locked(*given: Any) -> None:
        with raw_connection(database, autocommit=False) as other:
            ask(other, "INSERT INTO bed (code) VALUES (1)")
            note_table(*given)

    with monkeypatch.context() as meanwhile:
        meanwhile.setattr(deaths_module, "_note_table", locked)
        with pytest.raises(StatementFailed, match="Lock wait timeout"):
            recapture(garden, "bed")
    assert recapture(garden, "bed") == {"bed": 2}


@pytest.mark.usefixtures("narrow")
def test_cut_short_it_goes_on_where_it_was(garden: Project, database: str) -> None:
    """What was noted before the run was killed is not noted again."""
    sql(database, f"INSERT INTO bed (code) VALUES {numbers(30)}", "TRUNCATE bed")
    noted: list[int] = []

    def killed(_table: str, deaths: int) -> None:
        noted.append(deaths)
        if len(noted) == 9:
            raise InterruptedError

    with pytest.raises(InterruptedError):
        garden.migrator(*CLASSES).recapture((), on_deaths=killed)
    assert recapture(garden) == {"bed": 30 - sum(noted)}
    seal(database)
    assert len([kind for kind, _key, _life in told(database, "bed") if kind == "delete"]) == 30
