"""Every field type through the graveyard, byte for byte, and told when it changes."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

import pytest

from records.kinds.documents import JsonKind
from records.kinds.times import DateKind, DateTimeKind
from records.validation import Row
from schema.direct import create_tables
from service.database_url import DatabaseUrl
from service.server import PrivateServer
from service.store import writer
from tests.capture.witness import Session, Zoo
from tests.service.store.specimens import (
    ALL_KINDS,
    CATALOGUE,
    FIELD_NAMES,
    SPECIMEN,
    extreme_rows,
    field_name,
)
from tests.service.store.tools import in_transaction

ROWS = extreme_rows()
COLUMNS = [SPECIMEN.fields[name].column for name in FIELD_NAMES]


@pytest.fixture(scope="module")
def shared_specimens(server: PrivateServer) -> Iterator[Zoo]:
    """One table with a field of every kind, captured."""
    server.create_database("specimens")
    url = server.url("specimens")
    create_tables(DatabaseUrl.parse(url).as_sqlalchemy(), CATALOGUE)
    yield Zoo(url, CATALOGUE)
    server.drop_database("specimens")


@pytest.fixture
def specimens(shared_specimens: Zoo) -> Zoo:
    """The table, empty."""
    shared_specimens.empty()
    shared_specimens.forget()
    return shared_specimens


def _bytes_of(session: Session, table: str) -> dict[int, dict[str, Any]]:
    """What a table holds, in a form in which nothing is lost: as bytes, JSON as its text."""
    exact = ", ".join(f"HEX(CAST(`{column}` AS BINARY))" for column in COLUMNS)
    # A FLOAT's text is cut to six digits: its exact value is that of a calculation with it.
    doubled = ", ".join(f"CAST(`{column}` * 1e0 AS CHAR)" for column in _floating())
    rows = session.ask(f"SELECT number, {exact}, {doubled} FROM `{table}`")
    names = [*COLUMNS, *(f"{column} exactly" for column in _floating())]
    return {row[0]: dict(zip(names, row[1:], strict=True)) for row in rows}


def _floating() -> list[str]:
    """The columns of floating point numbers."""
    return [SPECIMEN.fields[field_name(kind)].column for kind in ALL_KINDS if "Float" in repr(kind)]


def _fill(zoo: Zoo) -> None:
    in_transaction(zoo.url, CATALOGUE, lambda tx: writer.insert(tx, SPECIMEN, ROWS))
    zoo.forget()


@pytest.mark.parametrize("zone", ["+00:00", "+13:00", "-09:30"])
def test_the_dead_keep_every_byte(specimens: Zoo, zone: str) -> None:
    """Every extreme of every type; the session that deletes is in any time zone."""
    _fill(specimens)
    with specimens.session() as session:
        session.run("SET time_zone = '+00:00'")
        alive = _bytes_of(session, "specimen")
        with specimens.session() as killer:
            killer.run(f"SET time_zone = '{zone}'")
            killer.run("DELETE FROM specimen")
        assert _bytes_of(session, "herdbook_dead_specimen") == alive
    assert len(alive) == len(ROWS)
    assert specimens.told() == [
        ("delete", "specimen", number) for number in sorted(row["number"] for row in ROWS)
    ]


def test_each_field_is_told_when_it_changes(specimens: Zoo) -> None:
    """NULL becomes a value, a value NULL, and each of its samples the next one."""
    in_transaction(specimens.url, CATALOGUE, lambda tx: writer.insert(tx, SPECIMEN, [ROWS[-1]]))
    specimens.forget()
    number = ROWS[-1]["number"]
    for name in FIELD_NAMES:
        column = SPECIMEN.fields[name].column
        values = list(dict.fromkeys(repr(row[name]) for row in ROWS if row[name] is not None))
        by_text = {repr(row[name]): row[name] for row in ROWS}
        with specimens.session() as session:
            shown = [_shown(session, column)]
            for value in [*(by_text[text] for text in values), None]:
                _update(specimens.url, number, {name: value})
                shown.append(_shown(session, column))
        changes = sum(earlier != later for earlier, later in itertools.pairwise(shown))
        assert specimens.told() == [("update", "specimen", number, (column,))] * changes, name
        assert changes >= min(2, 2 * len(values)), name


def _update(url: str, number: int, values: Row) -> None:
    """Change some fields as the store does."""
    in_transaction(url, CATALOGUE, lambda tx: writer.update(tx, SPECIMEN, [((number,), values)]))


def _shown(session: Session, column: str) -> Any:
    """The bytes of one column of the only row."""
    floating = column in _floating()
    shown = f"CAST(`{column}` * 1e0 AS CHAR)" if floating else f"HEX(CAST(`{column}` AS BINARY))"
    return session.ask(f"SELECT {shown} FROM specimen")[0][0]


def test_what_only_a_lax_session_can_write_is_kept_too(specimens: Zoo) -> None:
    """Zero dates, days that do not exist, and the empty value of an ENUM."""
    dates = [
        SPECIMEN.fields[field_name(kind)].column
        for kind in ALL_KINDS
        if isinstance(kind, DateKind | DateTimeKind)
    ]
    enums = [SPECIMEN.fields[field_name(kind)].column for kind in ALL_KINDS if "Enum" in repr(kind)]
    assert dates
    assert enums
    with specimens.session() as session:
        session.run("SET sql_mode = 'ALLOW_INVALID_DATES', time_zone = '+00:00'")
        session.run("INSERT INTO specimen (number) VALUES (1), (2)")
        nothing = ", ".join(f"`{column}` = 0" for column in (*dates, *enums))
        session.run(f"UPDATE specimen SET {nothing} WHERE number = 1")
        plain = [column for column in dates if not _is_timestamp(session, column)]
        odd = ", ".join(f"`{column}` = '2026-02-31'" for column in plain)
        session.run(f"UPDATE specimen SET {odd} WHERE number = 2")
        assert [entry[3:] for entry in specimens.told() if entry[0] == "update"] == [
            (tuple(column for column in COLUMNS if column in (*dates, *enums)),),
            (tuple(column for column in COLUMNS if column in plain),),
        ]
        alive = _bytes_of(session, "specimen")
        session.run("SET sql_mode = 'STRICT_ALL_TABLES,NO_ZERO_DATE,NO_ZERO_IN_DATE'")
        session.run("DELETE FROM specimen")
        assert _bytes_of(session, "herdbook_dead_specimen") == alive
    assert specimens.told() == [("delete", "specimen", 1), ("delete", "specimen", 2)]


def _is_timestamp(session: Session, column: str) -> bool:
    found = session.ask(
        "SELECT data_type FROM information_schema.columns WHERE table_schema = DATABASE() "
        "AND table_name = 'specimen' AND column_name = %s",
        column,
    )
    return bool(found[0][0] == "timestamp")


def test_documents_are_kept_as_the_server_has_them(specimens: Zoo) -> None:
    """The very text, on both servers."""
    (column,) = {
        SPECIMEN.fields[field_name(kind)].column for kind in ALL_KINDS if isinstance(kind, JsonKind)
    }
    texts = ['{"b":1, "a": [1.0, 1, true, null, "\\\\u00e9é"]}', "0.1e1", '"x"', "null", "[]"]
    with specimens.session() as session:
        for number, text in enumerate(texts):
            session.run(f"INSERT INTO specimen (number, `{column}`) VALUES (%s, %s)", number, text)
        alive = session.ask(f"SELECT number, `{column}` FROM specimen ORDER BY number")
        session.run("DELETE FROM specimen")
        assert specimens.dead("specimen", f"number, `{column}`") == alive
