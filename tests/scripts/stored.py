"""A node of a story on a server: real tables, captured, sealed, read and applied as nodes do.

What comes out is in the story's words: columns by their names, writers left out.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import ExitStack
from typing import Any, TypeVar

from records.catalogue import Catalogue, RecordInfo
from schema.capture.columns import graveyard_of
from schema.capture.triggers import QUIET
from schema.connection import connected
from schema.direct import create_tables
from schema.system import node_identity, system_metadata
from service.database_url import DatabaseUrl
from service.herd.deltas import Delta
from service.herd.journal import JournalEntry
from service.herd.shapes import Place
from service.herd.vectors import Vector
from service.store import sql
from service.store.herd.applier import Applier, where
from service.store.herd.described import Described, Descriptions
from service.store.herd.every_row import every_row
from service.store.herd.held import held_at
from service.store.herd.journal import numbered
from service.store.herd.reading import DeltaReader
from service.store.herd.rows import standings
from service.store.herd.snapshots import ReadingSession
from service.store.herd.values import key_of
from service.store.operations import Unfit
from service.store.removal import Delete
from service.store.transaction import Transaction
from service.store.work import Worker
from tests.scripts import words
from tests.service.store.herd.deltas import whole
from tests.service.store.herd.herds import SESSION, all_held
from tests.service.store.sealing.tools import seal_all, sealing
from tests.service.store.tools import PATIENT, QUICK, ask, database_at, raw_connection, read

Result = TypeVar("Result")
Dump = Mapping[str, tuple[str, list[Any]]]
"""By table its columns, and all its rows."""

_NAMES = ("inbox", "changelog", "sealer", "vector", "journal", "held", "wait", "piece")
_SYSTEM = {f"herdbook_{name}" for name in _NAMES}
"""What a story changes beside its own tables."""


class StoredNode:
    """A database that is empty at first, with the tables of all stories; one is told at a time."""

    def __init__(self, url: str, origin: int, catalogue: Catalogue) -> None:
        self._url = url
        self._catalogue = catalogue
        _make_tables(url, origin, catalogue)
        self._open = ExitStack()
        self._writing = Worker(database_at(url, QUICK), catalogue, PATIENT, lambda: 0.5)
        self._applying = Worker(database_at(url, SESSION), catalogue, PATIENT, lambda: 0.5)
        reading = database_at(url, ReadingSession())
        self._reader = DeltaReader(reading, catalogue, lambda: None, held_at)
        self._known = Descriptions()
        self._applier = Applier(self._known)
        self._sealer = self._open.enter_context(sealing(url, attempts=3))
        self._tables = _tables_of(url)
        self._first: Dump = {}
        self._story: Described = Described({})
        self._names = self._look(self._names_of_columns)

    def _names_of_columns(self, tx: Transaction) -> words.Names:
        return {
            name: {column.id: column.name for column in table.columns}
            for name, table in self._known.of(tx).tables.items()
        }

    def begin(self, tables: Collection[str]) -> None:
        """A new story, with these tables; of the one before nothing is left."""
        self.put_back(self._first)
        every = self._look(lambda tx: self._known.of(tx).tables)
        self._story = Described({name: every[name] for name in tables})
        own = {place for name in tables for place in (name, graveyard_of(name))}
        self._tables = {
            name: columns
            for name, columns in _tables_of(self._url).items()
            if name in own or name in _SYSTEM
        }
        self._first = self.kept()

    def close(self) -> None:
        """Give the connections back."""
        self._open.close()
        self._writing.close()
        self._applying.close()

    def insert(self, place: Place, values: Mapping[str, Any], now: int) -> bool:
        """An application inserts a row; True, or the error of the server."""
        names = ", ".join(map(sql.quoted, values))
        statement = (
            f"INSERT INTO {sql.quoted(place[0])} ({names}) VALUES ({', '.join('?' * len(values))})"
        )
        return self._write(now, lambda tx: tx.execute(statement, list(values.values())))

    def update(self, place: Place, values: Mapping[str, Any], now: int) -> bool:
        """An application writes some columns; True, or the error of the server."""
        table, (key,) = place
        (name,) = self._catalogue.records[table].key
        changes = ", ".join(f"{sql.quoted(column)} = ?" for column in values)
        statement = f"UPDATE {sql.quoted(table)} SET {changes} WHERE {sql.quoted(name)} = ?"
        return self._write(now, lambda tx: tx.execute(statement, [*values.values(), key]))

    def delete(self, place: Place, now: int) -> bool:
        """An application deletes a row; whether it may."""
        record = self._catalogue.records[place[0]]
        if any(reference.target == record.name for reference in record.references.values()):
            return self._write(now, lambda tx: _delete_children_first(tx, record, place[1][0]))
        return self._write(now, Delete(record, [place[1]]).attempt)

    def _write(self, now: int, work: Callable[[Transaction], object]) -> bool:
        def at_that_time(tx: Transaction) -> None:
            _set_clock(tx, now)
            work(tx)

        try:
            self._writing.run(at_that_time)
        except Unfit:
            return False
        self._seal()
        return True

    def _seal(self) -> None:
        """Give positions to all that was written."""
        seal_all(self._sealer)

    def delta(self, above: Vector) -> Delta:
        """What a node at a vector lacks."""
        return whole(self._reader.read(above))

    def apply(self, delta: Delta, now: int) -> None:
        """A delta is applied."""

        def work(tx: Transaction) -> None:
            _set_clock(tx, now)
            self._applier.apply(tx, delta)

        self._applying.run(work)
        self._seal()

    def vector(self) -> Vector:
        """What is here."""
        return self._look(lambda tx: where(tx).vector)

    def seen(self) -> words.Seen:
        """All that is here."""
        return self._look(self._seen)

    def told(self, delta: Delta) -> words.Told:
        """What a delta of this node says."""
        return words.told(delta, self._names)

    def _seen(self, tx: Transaction) -> words.Seen:
        places = {place for _alive, some in every_row(tx, self._story) for place in some}
        rows = {}
        for name, table in self._story.tables.items():
            keys = [key for at, key in places if at == name]
            for key, standing in standings(tx, table, keys).items():
                rows[name, key] = words.state(standing.state, self._names[name])
        held = frozenset(one.row.place for one in all_held(tx))
        noted = words.journal(self._journal(tx), self._names)
        return words.Seen(words.origins(where(tx).vector), rows, held, noted)

    def _journal(self, tx: Transaction) -> Iterator[JournalEntry]:
        tables = self._story.tables
        numbers = [number for (number,) in tx.rows("SELECT `number` FROM `herdbook_journal`")]
        for one in numbered(tx, numbers):
            place = one.table, key_of(tables[one.table].key, one.row_key)
            yield JournalEntry(one.rule, place, one.life, one.losses)

    def _look(self, work: Callable[[Transaction], Result]) -> Result:
        seen: list[Result] = []
        self._applying.run(lambda tx: seen.append(work(tx)))
        return seen[-1]

    def kept(self) -> Dump:
        """All that is here now."""
        with raw_connection(self._url) as connection:
            return {
                table: (columns, ask(connection, f"SELECT {columns} FROM `{table}`"))
                for table, columns in self._tables.items()
            }

    def put_back(self, dump: Dump) -> None:
        """Let all be as it was."""
        with raw_connection(self._url, autocommit=False) as connection:
            ask(connection, f"SET {QUIET} = 1, foreign_key_checks = 0")
            for table, (columns, rows) in dump.items():
                ask(connection, f"DELETE FROM `{table}`")
                if rows:
                    one = f"({', '.join(['%s'] * len(rows[0]))})"
                    values = [value for row in rows for value in row]
                    many = ", ".join([one] * len(rows))
                    ask(connection, f"INSERT INTO `{table}` ({columns}) VALUES {many}", values)
            connection.commit()


def _delete_children_first(tx: Transaction, record: RecordInfo, key: object) -> None:
    """Delete a row of a class that refers to itself, as somebody does who writes SQL.

    The API empties such references before, so its dead rows have one write more than those in
    memory.
    """
    table, (name,) = sql.quoted(record.table), record.key
    for reference in record.references.values():
        if reference.target == record.name:
            (column,) = record.columns(reference.fields)
            statement = f"SELECT {sql.quoted(name)} FROM {table} WHERE {sql.quoted(column)} = ?"
            for (child,) in tx.rows(statement, [key]):
                _delete_children_first(tx, record, child)
    tx.execute(f"DELETE FROM {table} WHERE {sql.quoted(name)} = ?", [key])


def _set_clock(tx: Transaction, now: int) -> None:
    """The session takes this for the time, in microseconds since 1970."""
    seconds, rest = divmod(now, 1_000_000)
    tx.execute(f"SET timestamp = {seconds:d}.{rest:06d}")


def _make_tables(url: str, origin: int, catalogue: Catalogue) -> None:
    """The tables of a node that has this origin."""
    address = DatabaseUrl.parse(url).as_sqlalchemy()
    with connected(address) as connection:
        system_metadata.create_all(connection)
        connection.execute(node_identity.insert().values(only=1, origin=origin))
        connection.commit()
    create_tables(address, catalogue)
    read(url, "CREATE TABLE herdbook_revision (version_num VARCHAR(32) PRIMARY KEY)")


def _tables_of(url: str) -> dict[str, str]:
    """All tables with their columns, the invisible ones as well."""
    columns: dict[str, list[str]] = defaultdict(list)
    for table, column in read(
        url,
        "SELECT table_name, column_name FROM information_schema.columns "
        "WHERE table_schema = DATABASE() ORDER BY table_name, ordinal_position",
    ):
        columns[table].append(f"`{column}`")
    return {table: ", ".join(names) for table, names in columns.items()}
