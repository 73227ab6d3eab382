"""What the tests of the store share: tables, stores, workers, and connections of their own."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar

import MySQLdb
import sqlalchemy

from records.catalogue import Catalogue
from records.validation import Key, Row
from records.values import RecordInfo
from schema.tables import metadata_of
from service.database_url import DatabaseUrl
from service.store.database import HerdbookDatabase
from service.store.operations import Operation
from service.store.records_store import RecordStore
from service.store.settings import SessionSettings
from service.store.transaction import Transaction
from service.store.work import RetryPolicy, Worker

Result = TypeVar("Result")

QUICK = SessionSettings(
    connect_seconds=1, statement_seconds=3, lock_wait_seconds=1, grace_seconds=1
)
"""Short limits, for tests that run into them."""

PATIENT = RetryPolicy(attempts=20, first_pause=0.001)
"""More attempts than any test needs."""


def create_tables(url: str, catalogue: Catalogue) -> None:
    """The tables of a catalogue."""
    engine = sqlalchemy.create_engine(DatabaseUrl.parse(url).as_sqlalchemy())
    try:
        metadata_of(catalogue).create_all(engine)
    finally:
        engine.dispose()


def database_at(url: str, settings: SessionSettings | None = None) -> HerdbookDatabase:
    """The database behind a URL."""
    return HerdbookDatabase(DatabaseUrl.parse(url), settings or SessionSettings())


@contextmanager
def opened(url: str, catalogue: Catalogue) -> Iterator[RecordStore]:
    """A Storm store on the database; what it does not commit is undone."""
    store = RecordStore(database_at(url), catalogue)
    try:
        yield store
    finally:
        store.rollback()
        store.close()


@contextmanager
def working(
    url: str,
    catalogue: Catalogue,
    settings: SessionSettings | None = None,
    policy: RetryPolicy = PATIENT,
) -> Iterator[Worker]:
    """A worker on a connection of its own."""
    worker = Worker(database_at(url, settings), catalogue, policy, chance=lambda: 0.5)
    try:
        yield worker
    finally:
        worker.close()


@contextmanager
def raw_connection(url: str, *, autocommit: bool = True) -> Iterator[Any]:
    """A connection of the driver alone, as a DBA would have one."""
    parsed = DatabaseUrl.parse(url)
    address: dict[str, Any] = {"host": parsed.host, "port": parsed.port}
    if parsed.unix_socket is not None:
        address = {"unix_socket": parsed.unix_socket}
    connection = MySQLdb.connect(
        user=parsed.user,
        database=parsed.database,
        charset="utf8mb4",
        autocommit=autocommit,
        **address,
    )
    try:
        yield connection
    finally:
        connection.close()


def ask(connection: Any, statement: str, parameters: Sequence[object] = ()) -> list[Any]:
    """The rows of a statement on a connection of the driver."""
    with connection.cursor() as cursor:
        cursor.execute(statement, tuple(parameters) or None)
        return list(cursor.fetchall())


def read(url: str, statement: str, parameters: Sequence[object] = ()) -> list[Any]:
    """The rows of a statement, by a connection that is used only for it."""
    with raw_connection(url) as connection:
        return ask(connection, statement, parameters)


def full_row(record: RecordInfo, **values: Any) -> Row:
    """A complete row: the given values, defaults for the rest."""
    return {name: info.new_value() for name, info in record.fields.items()} | values


def carry_out(url: str, catalogue: Catalogue, operation: Operation[Result]) -> Result:
    """Do an operation as the store would, and commit it."""
    with working(url, catalogue) as worker:
        return worker.run(operation.attempt)


def in_transaction(url: str, catalogue: Catalogue, work: Callable[[Transaction], Result]) -> Result:
    """Run and commit some work."""
    with working(url, catalogue) as worker:
        return worker.run(work)


def keys_of(url: str, table: str, column: str = "id") -> set[Any]:
    """What one column of a table holds, as the driver gives it."""
    return {value for (value,) in read(url, f"SELECT `{column}` FROM `{table}`")}


def key(*parts: Any) -> Key:
    """A key from its parts."""
    return parts
