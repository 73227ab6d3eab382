"""Sessions of plain SQL, and what the triggers wrote down about them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import MySQLdb

from records.catalogue import Catalogue
from schema.capture.clock import Clock, read_clock
from schema.capture.columns import graveyard_of, numbers_in
from schema.capture.row_key import as_read, split
from schema.tables import CAPTURE, metadata_of
from service.database_url import DatabaseUrl


class Session:
    """One connection of the driver, as the application or a DBA would have one."""

    def __init__(self, connection: Any) -> None:
        self.connection = connection

    def run(self, statement: str, *parameters: object) -> int:
        """How many rows a statement says it touched."""
        with self.connection.cursor() as cursor:
            return int(cursor.execute(statement, parameters or None))

    def ask(self, statement: str, *parameters: object) -> list[Any]:
        """The rows of a statement."""
        with self.connection.cursor() as cursor:
            cursor.execute(statement, parameters or None)
            return list(cursor.fetchall())

    def attempt(self, statement: str, *parameters: object) -> int | None:
        """The number of the error by which a statement is refused, None where it is not."""
        try:
            self.run(statement, *parameters)
        except MySQLdb.Error as error:
            return int(error.args[0])
        return None

    def refused(self, statement: str, *parameters: object) -> int:
        """The same of a statement that must be refused."""
        number = self.attempt(statement, *parameters)
        assert number is not None, f"nobody refused {statement}"
        return number


@dataclass(frozen=True)
class Note:
    """One entry of the inbox."""

    kind: str
    table: str
    key: tuple[Any, ...]
    fields: tuple[str, ...]
    life: int
    origin: int
    stamp: int
    writer: str

    @property
    def what(self) -> tuple[Any, ...]:
        """Kind, table, key, and for an update the columns."""
        short = (self.kind, self.table, *self.key)
        return (*short, self.fields) if self.kind == "update" else short


@dataclass(frozen=True)
class Meta:
    """The invisible columns of a row."""

    life: int
    stamp: int
    origin: int
    clock: Clock | None


class Zoo:
    """A database with captured tables, and what happened in it since one last looked."""

    def __init__(self, url: str, catalogue: Catalogue) -> None:
        self.url = url
        self._seen = 0
        tables = metadata_of(catalogue).tables.values()
        self._captures = {
            table.name: table.info[CAPTURE] for table in tables if CAPTURE in table.info
        }

    @contextmanager
    def session(self, *, autocommit: bool = True, **options: Any) -> Iterator[Session]:
        """A connection of its own."""
        with connected(self.url, autocommit=autocommit, **options) as connection:
            yield Session(connection)

    def notes(self) -> list[Note]:
        """What was committed to the inbox since this was last asked."""
        with self.session() as session:
            rows = session.ask(
                "SELECT table_name, row_key, kind, fields, life, origin, stamp, writer, entry "
                "FROM herdbook_inbox WHERE entry > %s ORDER BY entry",
                self._seen,
            )
        self._seen = max([self._seen, *(row[-1] for row in rows)])
        return [self._note(row) for row in rows]

    def told(self) -> list[tuple[Any, ...]]:
        """The same in short."""
        return [note.what for note in self.notes()]

    def forget(self) -> None:
        """What happened so far does not matter."""
        self.notes()

    def meta(self, table: str, where: str = "TRUE") -> list[Meta]:
        """The invisible columns of some rows, in order of the key."""
        return self._meta(table, table, where)

    def dead(self, table: str, columns: str = "*", where: str = "TRUE") -> list[Any]:
        """Rows of a graveyard, in order of the key."""
        keys = ", ".join(f"`{part.name}`" for part in self._captures[table].key)
        with self.session() as session:
            return session.ask(
                f"SELECT {columns} FROM {graveyard_of(table)} WHERE {where} ORDER BY {keys}"
            )

    def dead_meta(self, table: str, where: str = "TRUE") -> list[Meta]:
        """The life, stamp, origin and clock of the dead."""
        return self._meta(table, graveyard_of(table), where)

    def rows(self, table: str, columns: str = "*") -> list[Any]:
        """The rows of a table, in order of the key."""
        keys = ", ".join(f"`{part.name}`" for part in self._captures[table].key)
        with self.session() as session:
            return session.ask(f"SELECT {columns} FROM `{table}` ORDER BY {keys}")

    def origin(self) -> int:
        """Where this database's own sessions write."""
        with self.session() as session:
            return int(session.ask("SELECT origin FROM herdbook_node")[0][0])

    def number(self, table: str, column: str) -> int:
        """The number of a column."""
        columns = self._captures[table].columns
        return next(int(each.number) for each in columns if each.name == column)

    def empty(self) -> None:
        """No row, no dead, nothing in the inbox."""
        with self.session() as session:
            session.run("SET @herdbook_applying = 1, foreign_key_checks = 0")
            for table in self._captures:
                session.run(f"DELETE FROM `{table}`")
                session.run(f"DELETE FROM `{graveyard_of(table)}`")
            session.run("DELETE FROM herdbook_inbox")

    def _meta(self, described: str, table: str, where: str) -> list[Meta]:
        keys = ", ".join(f"`{part.name}`" for part in self._captures[described].key)
        with self.session() as session:
            rows = session.ask(
                "SELECT herdbook_life, herdbook_stamp, herdbook_origin, herdbook_clock "
                f"FROM `{table}` WHERE {where} ORDER BY {keys}"
            )
        return [
            Meta(life, stamp, origin, None if clock is None else read_clock(clock))
            for life, stamp, origin, clock in rows
        ]

    def _note(self, row: Sequence[Any]) -> Note:
        table, row_key, kind, fields, *rest, _entry = row
        capture = self._captures[table]
        parts = split(row_key, len(capture.key))
        names = capture.numbers
        return Note(
            kind,
            table,
            tuple(as_read(part.form, raw) for part, raw in zip(capture.key, parts, strict=True)),
            tuple(names[number] for number in numbers_in(fields or b"")),
            *rest,
        )


@contextmanager
def connected(url: str, **options: Any) -> Iterator[Any]:
    """A connection of the driver alone."""
    parsed = DatabaseUrl.parse(url)
    address: dict[str, Any] = {"host": parsed.host, "port": parsed.port}
    if parsed.unix_socket is not None:
        address = {"unix_socket": parsed.unix_socket}
    connection = MySQLdb.connect(
        **{"user": parsed.user, "database": parsed.database, "charset": "utf8mb4"}
        | address
        | options
    )
    try:
        yield connection
    finally:
        connection.close()
