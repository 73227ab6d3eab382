"""Rows that were there before their table was captured enter the changelog as births."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

from sqlalchemy import Connection, text

from schema.capture.columns import LIFE
from schema.capture.key_lookup import KeyLookup, KeyValues
from schema.capture.locks import committed
from schema.capture.quoting import quoted
from schema.capture.shape import Capture
from schema.system import captured_tables

ROWS_A_STATEMENT = 1_000

OnRows = Callable[[str, int], None]
"""Told a table and how many of its rows were adopted just now."""


def adopt(connection: Connection, reader: Connection, capture: Capture, on_rows: OnRows) -> int:
    """Adopt every row of a table that has no life yet; how many. Commits after each thousand.

    The keys are read over a connection of their own, so that they need not all be kept. A row that
    is written meanwhile is adopted by that write. Cut short, it goes on where it was.
    """
    lookup = KeyLookup(connection, capture.table, capture.key)
    kept = _kept_as_they_are(connection, capture.table)
    total = 0
    for keys in _waiting(reader, lookup):
        condition, values = lookup.among(keys)
        statement = (
            f"UPDATE {_escaped(capture.table)} FORCE INDEX (PRIMARY) SET {LIFE} = 1{kept} "
            f"WHERE {condition} AND {LIFE} = 0"
        )
        total += committed(connection, partial(_changed, connection, statement, values))
        on_rows(capture.table, len(keys))
    note = captured_tables.update().where(captured_tables.c.table_name == capture.table)
    connection.execute(note.values(adopted=True))
    connection.commit()
    return total


def _changed(connection: Connection, statement: str, values: KeyValues) -> int:
    """Run a statement; how many rows it changed."""
    return connection.exec_driver_sql(statement, values).rowcount


def tables_to_adopt(connection: Connection) -> list[str]:
    """The captured tables that may hold rows without a life."""
    query = captured_tables.select().where(captured_tables.c.adopted == 0)
    return [row.table_name for row in connection.execute(query)]


def _waiting(reader: Connection, lookup: KeyLookup) -> Iterator[list[KeyValues]]:
    """The keys of the rows without a life, a thousand at a time."""
    # The server waits while a thousand rows are adopted.
    reader.exec_driver_sql("SET SESSION net_write_timeout = 3600")
    query = f"SELECT {lookup.selected} FROM {quoted(lookup.table)} WHERE {LIFE} = 0"
    found = reader.exec_driver_sql(
        query.replace("%", "%%"), execution_options={"stream_results": True}
    )
    while rows := found.fetchmany(ROWS_A_STATEMENT):
        yield [tuple(row) for row in rows]
    reader.rollback()


def _kept_as_they_are(connection: Connection, table: str) -> str:
    """Columns that the server would set to the time of this change."""
    query = text(
        "SELECT column_name FROM information_schema.columns WHERE table_schema = DATABASE() "
        "AND table_name = :table AND extra LIKE '%on update%'"
    )
    names = [_escaped(name) for name in connection.scalars(query, {"table": table})]
    return "".join(f", {name} = {name}" for name in names)


def _escaped(name: str) -> str:
    """A name in a statement that has parameters."""
    return quoted(name).replace("%", "%%")
