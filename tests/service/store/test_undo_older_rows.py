"""Records that were deleted under an older schema, or held what is no value, come back as well."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from records import Date, Integer, Record, Reference, Text
from records.catalogue import catalogue_of
from schema.direct import create_tables
from service.database_url import DatabaseUrl
from service.errors import ValuesRefused
from service.methods.undo_port import Restored
from tests.service.store.direct import done, stored
from tests.service.store.tools import ask, raw_connection
from tests.service.store.undoing import listed, undoing

_SERIALS = iter(range(100, 200))


class Plant(Record):
    """Has two fields that the dead do not have, each with a default."""

    code = Integer(primary=True)
    colour = Text(length=9, default="green")
    serial = Integer(default=lambda: next(_SERIALS), unique=True)


class Seed(Record):
    """Goes with its plant; has a field that the dead do not have, and nothing to put there."""

    code = Integer(primary=True)
    plant = Reference(Plant, on_delete="cascade")
    maker = Text(length=9)


class Letter(Record):
    """A tree whose keys do not mind the size of letters."""

    code = Text(length=9, primary=True, collation="utf8mb4_unicode_ci")
    above = Reference("self", on_delete="cascade", allow_none=True)


class Diary(Record):
    """A day that must be there."""

    number = Integer(primary=True)
    day = Date()
    opened = Date(unique=True)


CATALOGUE = catalogue_of([Plant, Seed, Letter, Diary])
INFO = CATALOGUE.records


@pytest.fixture
def garden(database: str) -> str:
    """The tables, empty and captured."""
    create_tables(DatabaseUrl.parse(database).as_sqlalchemy(), CATALOGUE)
    return database


def by_sql(url: str, *statements: str) -> Any:
    """Send statements as a lax application does; the rows of the last."""
    with raw_connection(url) as connection:
        ask(connection, "SET sql_mode = 'ALLOW_INVALID_DATES'")
        return [ask(connection, statement) for statement in statements][-1]


@contextmanager
def refused() -> Iterator[list[tuple[int | None, str, str, str]]]:
    """The failures with which the values are refused; filled in the end."""
    told: list[tuple[int | None, str, str, str]] = []
    with pytest.raises(ValuesRefused) as caught:
        yield told
    told += [(one.index, one.code, one.pointer, one.message) for one in caught.value.failures]


def restore(url: str, name: str, *keys: Any, children: bool = False) -> Restored:
    """Bring records back."""
    with undoing(url, CATALOGUE) as undo:
        return done(undo.restore(INFO[name], [(key,) for key in keys], children, ()))


def delete(url: str, name: str, key: Any) -> None:
    """Delete a record as the methods do."""
    with stored(url, CATALOGUE) as records:
        done(records.delete(INFO[name], [(key,)], ()))


def plants_of_old(url: str) -> None:
    """Two dead plants and their seeds, from before some of the columns were added."""
    by_sql(
        url,
        "INSERT INTO plant VALUES (1, 'x', 1), (2, 'y', 2)",
        "INSERT INTO seed VALUES (1, 1, 'm'), (2, 1, 'm'), (3, 2, 'm')",
        "DELETE FROM plant",
        "UPDATE herdbook_dead_plant SET colour = NULL, serial = NULL",
        "UPDATE herdbook_dead_seed SET maker = NULL WHERE code <> 2",
    )


def test_a_column_added_since_gets_its_default(garden: str) -> None:
    """As in a new record: a default that is computed is computed for each."""
    plants_of_old(garden)
    rows = restore(garden, "plant", 1, 2).rows
    assert [(row["code"], row["colour"]) for row in rows] == [(1, "green"), (2, "green")]
    serials = {row["serial"] for row in rows}
    assert len(serials) == 2
    assert serials <= set(range(100, 200))


def test_a_column_without_a_default_is_told(garden: str) -> None:
    """At the field of the record that was named, with what to do; nothing comes back."""
    plants_of_old(garden)
    restore(garden, "plant", 1, 2)
    with refused() as told:
        restore(garden, "seed", 2, 3)
    assert told == [
        (
            1,
            "value.required",
            "/maker",
            "maker must be given, and seed 3 was deleted without it; restore takes no values: "
            "create the record anew, with what seed.list_deleted shows of it",
        )
    ]
    assert by_sql(garden, "SELECT code FROM seed") == []
    assert restore(garden, "seed", 2).rows[0]["maker"] == "m"


def test_a_child_without_a_value_is_told_at_the_record_that_was_named(garden: str) -> None:
    """The message names the child; other failures are told along."""
    plants_of_old(garden)
    by_sql(garden, "INSERT INTO plant VALUES (2, 'again', 2)")
    with refused() as told:
        restore(garden, "plant", 2, 1, children=True)
    assert {(index, code, where) for index, code, where, _message in told} == {
        (0, "record.alive", ""),
        (0, "value.required", ""),
        (1, "value.required", ""),
    }
    assert any(message.startswith("seed 1, which went with it: maker") for *_, message in told)


def test_a_refusal_leaves_the_dead_as_they_are(garden: str) -> None:
    """Defaults are not left behind in the graveyard."""
    plants_of_old(garden)
    with refused():
        restore(garden, "plant", 1, children=True)
    assert by_sql(garden, "SELECT colour, serial FROM herdbook_dead_plant") == [(None, None)] * 2


def test_the_dead_of_an_older_schema_are_listed(garden: str) -> None:
    """With null in the fields they never had."""
    plants_of_old(garden)
    rows = listed(garden, INFO["seed"], names=("maker",), catalogue=CATALOGUE)
    assert [(row["code"], row["maker"]) for row in rows] == [(3, None), (2, "m"), (1, None)]


def test_a_tree_comes_back_whatever_the_spelling_of_its_references(garden: str) -> None:
    """The server takes 'z' for 'Z': the parent comes first."""
    by_sql(
        garden,
        "INSERT INTO letter VALUES ('Z', NULL)",
        "INSERT INTO letter VALUES ('M', 'z')",
        "INSERT INTO letter VALUES ('A', 'm')",
    )
    before = by_sql(garden, "SELECT code, above_code FROM letter ORDER BY code")
    delete(garden, "letter", "Z")
    assert restore(garden, "letter", "Z", children=True).children == {"letter": 2}
    assert by_sql(garden, "SELECT code, above_code FROM letter ORDER BY code") == before
    delete(garden, "letter", "A")
    delete(garden, "letter", "M")
    restore(garden, "letter", "A", "M")
    assert by_sql(garden, "SELECT code, above_code FROM letter ORDER BY code") == before


def test_rows_in_a_circle_come_back_whatever_the_spelling(garden: str) -> None:
    """Two that are each above the other, in other letters."""
    by_sql(
        garden,
        "INSERT INTO letter VALUES ('Z', NULL)",
        "INSERT INTO letter VALUES ('A', 'z')",
        "UPDATE letter SET above_code = 'a' WHERE code = 'Z'",
    )
    before = by_sql(garden, "SELECT code, above_code FROM letter ORDER BY code")
    delete(garden, "letter", "Z")
    assert by_sql(garden, "SELECT code FROM letter") == []
    restore(garden, "letter", "Z", children=True)
    assert by_sql(garden, "SELECT code, above_code FROM letter ORDER BY code") == before


def test_what_is_no_value_comes_back_and_is_shown_as_null(garden: str) -> None:
    """A zero date and a day that no month has: in their table as they were."""
    by_sql(
        garden,
        "INSERT INTO diary VALUES (1, '0000-00-00', '2026-01-01'), (2, '2026-02-31', '2026-01-02')",
    )
    before = by_sql(garden, "SELECT number, day + 0, opened + 0 FROM diary ORDER BY number")
    by_sql(garden, "DELETE FROM diary")
    rows = listed(garden, INFO["diary"], names=("day",), catalogue=CATALOGUE)
    assert [(row["number"], row["day"]) for row in rows] == [(2, None), (1, None)]
    restored = restore(garden, "diary", 1, 2).rows
    assert [(row["number"], row["day"], row["opened"].day) for row in restored] == [
        (1, None, 1),
        (2, None, 2),
    ]
    after = by_sql(garden, "SELECT number, day + 0, opened + 0 FROM diary ORDER BY number")
    assert after == before
