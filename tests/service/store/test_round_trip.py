"""Every type of field keeps its values, byte for byte, whichever way they are written and read."""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from records.kinds.binary import BytesKind, FixedBytesKind, LongBytesKind
from records.kinds.text import FixedTextKind, LongTextKind, TextKind
from records.kinds.times import TimestampKind
from records.validation import Row
from service.server import PrivateServer
from service.store import reader, writer
from service.store.operations import locked_rows
from service.store.transaction import Transaction
from tests.records.samples import SAMPLES
from tests.records.strategies import STRATEGIES
from tests.service.store.specimens import (
    ALL_KINDS,
    CATALOGUE,
    FIELD_NAMES,
    SPECIMEN,
    Specimen,
    empty_row,
    extreme_rows,
    field_name,
)
from tests.service.store.tools import create_tables, in_transaction, opened, raw_connection, read

TEXTS = (TextKind, FixedTextKind, LongTextKind)
BYTES = (BytesKind, FixedBytesKind, LongBytesKind)


@pytest.fixture
def specimens(database: str) -> str:
    """The URL of a database with the specimens' table."""
    create_tables(database, CATALOGUE)
    return database


def write_objects(url: str, rows: Sequence[Row]) -> None:
    """Write rows as Storm objects."""
    with opened(url, CATALOGUE) as store:
        for row in rows:
            store.add(Specimen(**row))
        store.commit()


def read_objects(url: str) -> dict[int, Row]:
    """Read all rows as Storm objects."""
    with opened(url, CATALOGUE) as store:
        return {
            found.number: {name: getattr(found, name) for name in SPECIMEN.fields}
            for found in store.find(Specimen)
        }


def read_set(url: str) -> dict[int, Row]:
    """Read all rows by key, in one statement."""
    keys = [(number,) for number in range(len(extreme_rows()))]
    found = in_transaction(url, CATALOGUE, lambda tx: locked_rows(tx, SPECIMEN, keys))
    return {number: row for (number,), row in found.items()}


def read_columns(url: str) -> dict[int, Row]:
    """Read all rows as the methods do."""
    keys = [(number,) for number in range(len(extreme_rows()))]

    def select(tx: Transaction) -> list[Row | None]:
        return reader.select_by_keys(tx, SPECIMEN, keys, tuple(SPECIMEN.fields))

    return {row["number"]: row for row in in_transaction(url, CATALOGUE, select) if row}


def _exact(value: Any) -> Any:
    """A value so that what merely compares equal differs: 1 and True, 1.0 and 1.00."""
    if isinstance(value, float):
        return struct.pack("<d", value)
    if isinstance(value, Decimal):
        return value.as_tuple()
    if isinstance(value, dict):
        return {name: _exact(part) for name, part in value.items()}
    if isinstance(value, list):
        return [_exact(part) for part in value]
    return type(value), value


def assert_kept(written: Sequence[Row], found: dict[int, Row]) -> None:
    """Every row is there and has kept every value."""
    assert len(found) == len(written)
    for row in written:
        seen = found[row["number"]]
        wrong = [name for name in row if _exact(row[name]) != _exact(seen[name])]
        shown = [(ALL_KINDS[FIELD_NAMES.index(name)], row[name], seen[name]) for name in wrong]
        assert not shown


@pytest.mark.parametrize("read_back", [read_objects, read_set, read_columns])
def test_objects_keep_every_extreme_value(specimens: str, read_back: Any) -> None:
    """What was assigned to an object is what anybody reads later."""
    rows = extreme_rows()
    write_objects(specimens, rows)
    assert_kept(rows, read_back(specimens))


@pytest.mark.parametrize("read_back", [read_objects, read_set, read_columns])
def test_an_insert_of_many_rows_keeps_every_extreme_value(specimens: str, read_back: Any) -> None:
    """What is created many at a time is what anybody reads later."""
    rows = extreme_rows()
    in_transaction(specimens, CATALOGUE, lambda tx: writer.insert(tx, SPECIMEN, rows))
    assert_kept(rows, read_back(specimens))


def _blank(url: str, rows: Sequence[Row]) -> None:
    """Rows of the same keys without values."""
    blanks = [empty_row(row["number"]) for row in rows]
    in_transaction(url, CATALOGUE, lambda tx: writer.insert(tx, SPECIMEN, blanks))


def _changes(rows: Sequence[Row]) -> list[tuple[tuple[int], Row]]:
    """Changes that write all fields but the key."""
    return [((row["number"],), {name: row[name] for name in FIELD_NAMES}) for row in rows]


def test_one_update_of_many_rows_keeps_every_extreme_value(specimens: str) -> None:
    """All rows in one statement, each with values of its own, none bent by its neighbours."""
    rows = extreme_rows()
    _blank(specimens, rows)
    in_transaction(specimens, CATALOGUE, lambda tx: writer.update(tx, SPECIMEN, _changes(rows)))
    assert_kept(rows, read_set(specimens))
    assert_kept(rows, read_objects(specimens))


def test_updates_of_single_rows_keep_every_extreme_value(specimens: str) -> None:
    """The same, a statement for each row."""
    rows = extreme_rows()
    _blank(specimens, rows)

    def update_each(tx: Transaction) -> None:
        for change in _changes(rows):
            writer.update(tx, SPECIMEN, [change])

    in_transaction(specimens, CATALOGUE, update_each)
    assert_kept(rows, read_set(specimens))


def test_an_update_overwrites_each_extreme_with_another(specimens: str) -> None:
    """Values are replaced whole, also where longer ones or more bits stood before."""
    rows = extreme_rows()
    turned = [rows[index - 1] | {"number": row["number"]} for index, row in enumerate(rows)]
    in_transaction(specimens, CATALOGUE, lambda tx: writer.insert(tx, SPECIMEN, rows))
    in_transaction(specimens, CATALOGUE, lambda tx: writer.update(tx, SPECIMEN, _changes(turned)))
    assert_kept(turned, read_set(specimens))


def test_objects_that_are_changed_keep_every_extreme_value(specimens: str) -> None:
    """Assigning to the fields of an object that was read writes them whole."""
    rows = {row["number"]: row for row in extreme_rows()}
    _blank(specimens, list(rows.values()))
    with opened(specimens, CATALOGUE) as store:
        for found in store.find(Specimen):
            for name in FIELD_NAMES:
                setattr(found, name, rows[found.number][name])
        store.commit()
    assert_kept(list(rows.values()), read_set(specimens))


def test_text_and_bytes_lie_in_the_table_as_they_are(specimens: str) -> None:
    """The server's own view of the bytes: UTF-8 of the text, and the bytes untouched."""
    in_transaction(specimens, CATALOGUE, lambda tx: writer.insert(tx, SPECIMEN, extreme_rows()))
    for kind in (kind for kind in ALL_KINDS if isinstance(kind, TEXTS + BYTES)):
        expected = {
            sample.value.encode().hex() if isinstance(sample.value, str) else sample.value.hex()
            for sample in SAMPLES
            if sample.kind == kind
        }
        column = field_name(kind)
        rows = read(
            specimens, f"SELECT LOWER(HEX({column})) FROM specimen WHERE {column} IS NOT NULL"
        )
        assert {shown for (shown,) in rows} == expected


@pytest.mark.parametrize("zone", ["-08:00", "+05:30", "+00:00"])
def test_moments_do_not_depend_on_the_servers_time_zone(
    server: PrivateServer, specimens: str, zone: str
) -> None:
    """A server elsewhere in the world keeps the same moments, also around a change of clocks."""
    rows, column = extreme_rows(), field_name(TimestampKind())
    written = {row["number"]: row[column].timestamp() for row in rows if row[column]}
    with raw_connection(server.url("mysql")) as operator:
        operator.query(f"SET GLOBAL time_zone = '{zone}'")
        try:
            write_objects(specimens, rows)
            assert_kept(rows, read_set(specimens))
            seconds = read(
                specimens,
                f"SELECT number, UNIX_TIMESTAMP({column}) FROM specimen WHERE {column} IS NOT NULL",
            )
        finally:
            operator.query("SET GLOBAL time_zone = 'SYSTEM'")
    assert {number: float(found) for number, found in seconds} == pytest.approx(
        written, rel=0, abs=1e-6
    )


def _insert_again(tx: Transaction, rows: Sequence[Row]) -> None:
    """Replace rows."""
    writer.delete(tx, SPECIMEN, [(row["number"],) for row in rows])
    writer.insert(tx, SPECIMEN, rows)


def _update(tx: Transaction, rows: Sequence[Row]) -> None:
    """Change rows."""
    writer.update(tx, SPECIMEN, _changes(rows))


@pytest.mark.parametrize("write", [_insert_again, _update])
def test_every_value_comes_back_from_the_server(
    specimens: str, write: Callable[[Transaction, Sequence[Row]], None]
) -> None:
    """Values at random, several rows in one statement: what is read equals what was written."""
    drawn = {field_name(kind): values.map(kind.check) for kind, values in STRATEGIES}
    some_rows = st.lists(st.fixed_dictionaries({}, optional=drawn), min_size=1, max_size=12)
    _blank(specimens, [{"number": number} for number in range(1, 13)])
    with opened(specimens, CATALOGUE) as store:
        tx = Transaction(store, CATALOGUE)

        @given(some_rows)
        @settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
        def check(values: list[Row]) -> None:
            rows = [empty_row(number) | row for number, row in enumerate(values, start=1)]
            write(tx, rows)
            keys = [(row["number"],) for row in rows]
            found = {number: row for (number,), row in locked_rows(tx, SPECIMEN, keys).items()}
            assert_kept(rows, found)

        check()
